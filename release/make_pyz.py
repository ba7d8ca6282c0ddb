"""Makes dist/vmci.pyz, one file that runs where nothing can be installed: python release/make_pyz.py WHEEL

It holds the wheel and what it needs, as far as that is pure Python. Decompressors are not: without them vmci says
which package is missing. Any Python from 3.11 on runs it: `python3 vmci.pyz show FILE`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_MAIN: Final = '''"""Start vmci."""

import sys

from vmci_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
'''
_NATIVE: Final = ".so"


def main(wheel: str) -> None:
    """Install the wheel into a folder, leave out what is native, and pack the rest."""
    folder = _ROOT / "build" / "pyz"
    shutil.rmtree(folder, ignore_errors=True)
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--target", str(folder)]
    subprocess.run([*install, wheel], check=True)
    for name in _native(folder):
        shutil.rmtree(folder / name)
    shutil.rmtree(folder / "bin", ignore_errors=True)
    (folder / "__main__.py").write_text(_MAIN)
    target = _ROOT / "dist" / "vmci.pyz"
    zipapp.create_archive(folder, target, interpreter="/usr/bin/env python3", compressed=True)
    print(f"{target}: {target.stat().st_size} bytes")


def _native(folder: Path) -> set[str]:
    """Return the packages at the top that hold compiled code; their .dist-info goes with them."""
    packages = {path.relative_to(folder).parts[0] for path in folder.rglob(f"*{_NATIVE}")}
    records = [path for path in folder.glob("*.dist-info/RECORD") if _NATIVE + "," in path.read_text()]
    return packages | {path.parent.name for path in records}


if __name__ == "__main__":
    main(*sys.argv[1:])
