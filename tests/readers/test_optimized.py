"""Python's -OO, which drops docstrings and asserts, changes nothing that the program says."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from tests.paths import SAMPLES

_NAMES: Final = (
    "crlf.elf",
    "zero-note.elf",
    "class-mismatch.elf",
    "i386-qemu.kdump",
    "good.entry",
    "past-byte-16.write.json",
)
_COMMANDS: Final = (("check", "--json"), ("show", "--json"), ("repair", "--json", "--dry-run"))
_SCRIPT: Final = """
import sys
from vmci_tui.cli import main
for command in %r:
    for path in sys.argv[1:]:
        print(main([*command, path]), flush=True)
"""


def _said(optimize: str) -> str:
    environment = os.environ | {"PYTHONOPTIMIZE": optimize}
    paths = (str(SAMPLES / name) for name in _NAMES)
    command = [sys.executable, "-c", _SCRIPT % (_COMMANDS,), *paths]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_json_is_the_same_without_docstrings() -> None:
    said = _said("")
    assert '"why": "drgn reads a value up to the newline' in said and '"why": ""' not in said
    assert _said("2") == said
