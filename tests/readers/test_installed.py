"""Asking the programs of this machine: each is replaced by a script, as hostile as it may be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.limits import PATIENCE
from vmci_tui.readers import installed as asking
from vmci_tui.readers.installed import installed

_SAYS = {
    "qemu-system-x86_64": "QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)\nCopyright (c) 2003",
    "crash": "\ncrash 8.0.6-4.fc42\nCopyright (C) 2002",
    "drgn": "drgn 0.0.31 (using Python 3.13.5, elfutils 0.192, with debuginfod (dlopen), with\nlibkdumpfile)",
    "makedumpfile": "makedumpfile: version 1.7.6 (released on 23 Oct 2024)\nlzo\tenabled",
    "readelf": "GNU readelf version 2.41-38.fc40\nCopyright (C) 2023",
    "eu-readelf": "eu-readelf (elfutils) 0.192\nCopyright (C) 2024",
    "gdb": "GNU gdb (Ubuntu 12.1-0ubuntu1~22.04.2) 12.1\nCopyright (C) 2022",
}
_FOUND = {
    "qemu": "10.0.13", "crash": "8.0.6", "drgn": "0.0.31", "libkdumpfile": "0.0.31", "makedumpfile": "1.7.6",
    "readelf": "2.41", "gdb": "12.1", "eu-readelf": "0.192",
}  # fmt: skip


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with programs that say their versions, the only one of $PATH."""
    for name, says in _SAYS.items():
        write(tmp_path / name, f"cat <<'END'\n{says}\nEND")
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python3"))
    return tmp_path


def write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("programs")
def test_each_program_says_its_version() -> None:
    assert installed() == _FOUND


def test_a_missing_program_and_one_that_cannot_run(programs: Path) -> None:
    (programs / "crash").unlink()
    (programs / "readelf").write_text("not a program")
    (programs / "drgn").unlink()
    assert installed() == {**_FOUND, "crash": None, "readelf": None, "drgn": None, "libkdumpfile": None}


def test_drgn_without_libkdumpfile(programs: Path) -> None:
    write(programs / "drgn", "echo 'drgn 0.0.31 (using Python 3.13.5, without libkdumpfile)'")
    assert installed() == {**_FOUND, "libkdumpfile": None}


def test_hostile_output_is_bounded(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_SECONDS", 0.5)
    write(programs / "crash", "sleep 1000 & sleep 1000")
    write(programs / "makedumpfile", "exec yes '\x1b[31mmakedumpfile: version \x1b[32m1'")
    write(programs / "readelf", f"echo 'GNU readelf . {'9' * 5000}'; exec yes")
    write(programs / "eu-readelf", "printf 'eu-readelf (\\377\\000) 0.1\\033[31m\\n'")
    write(programs / "gdb", "printf 'GNU gdb  .1..\\n'")
    began = time.monotonic()
    found = installed()
    assert time.monotonic() - began < PATIENCE
    assert found == {
        **_FOUND, "crash": None, "makedumpfile": None, "readelf": "9" * 9, "eu-readelf": "0.1", "gdb": None,
    }  # fmt: skip
