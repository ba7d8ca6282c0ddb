"""Test a new container, ELF with other magic bytes: with one row of the table all commands handle it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from vmci_tui import containers
from vmci_tui.cli import main
from vmci_tui.containers.elf.dump import ElfDump, open_elf
from vmci_tui.layers.file import Source

_MAGIC = b"\x7fTWN"


@dataclass(frozen=True)
class TwinDump(ElfDump):
    container: ClassVar = "twin"


def _open(source: Source) -> TwinDump:
    dump = open_elf(source)
    return TwinDump(**{item.name: getattr(dump, item.name) for item in fields(ElfDump)})


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add the row of the new container to the table, and return such a file."""
    monkeypatch.setattr(containers, "CONTAINERS", (*containers.CONTAINERS, containers.Container(_MAGIC, _open)))
    path = tmp_path / "dump.twin"
    path.write_bytes(_MAGIC + elf((cpus() + note(),), (Load(0x1000, ram(8192, 1)),))[4:])
    return path


def test_it_is_shown_checked_and_searched_as_an_elf_dump(twin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(twin)]) == 0
    shown = capsys.readouterr().out
    assert "TWIN, 64-bit" in shown and "phys_base" not in shown.partition("entry")[0]
    main(["check", str(twin)])
    assert "C17" in capsys.readouterr().out, "programs that read ELF refuse it, and that is not a fault of the file"
    assert main(["find", str(twin)]) in (0, 1)


def test_it_is_saved_in_its_own_container_and_undone(twin: Path) -> None:
    before, copy = twin.read_bytes(), twin.with_name("copy.twin")
    assert main(["set", str(twin), "CRASHTIME=1", "-o", str(copy)]) == 0
    assert main(["set", str(twin), "CRASHTIME=1", "--in-place"]) == 0
    for path in (copy, twin):
        assert path.read_bytes().startswith(_MAGIC) and b"CRASHTIME=1\n" in path.read_bytes()
    assert main(["undo", str(twin)]) == 0 and twin.read_bytes() == before


def test_sixteen_bytes_with_this_magic_are_an_entry(twin: Path) -> None:
    short = twin.with_name("entry")
    short.write_bytes(_MAGIC + bytes(12))
    assert main(["show", str(short)]) == 0
