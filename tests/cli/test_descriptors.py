"""Test that every command closes the files that it opens, instead of leaving that to the interpreter."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.kdump_factory import flattened
from tests.paths import SAMPLES
from vmci_tui.cli import main
from vmci_tui.layers.file import FileSource

_COMMANDS = (
    ["show", "DUMP"], ["show", "DUMP", "--blob", "BLOB"], ["show", "BLOB"], ["show", "TEXT"],
    ["check", "DUMP", "--json"], ["check", "BROKEN"], ["hex", "DUMP"], ["hex", "DUMP", "--paddr", "0xffffffffffff"],
    ["find", "DUMP"], ["find", "DUMP", "--raw-at", "0"], ["find", "BLOB"], ["diff", "DUMP", "DUMP"],
    ["set", "DUMP", "A=1", "-o", "OUT"], ["set", "DUMP", "--dry-run", "A=1", "--in-place"],
    ["set", "DUMP", "-o", "OUT"],
    ["append", "DUMP", "--text", "TEXT", "-o", "OUT"], ["append", "DUMP", "--note", "DUMP", "-o", "OUT"],
    ["append", "BLOB", "--note", "DUMP", "-o", "OUT"], ["strip", "DUMP", "-o", "OUT"],
    ["repair", "DUMP", "-o", "OUT"], ["repair", "DUMP", "--in-place"], ["undo", "DUMP"],
    ["unflatten", "FLAT", "-o", "OUT"], ["unflatten", "DUMP", "-o", "OUT"], ["new", "entry", "-o", "OUT"],
    ["DUMP"],
)  # fmt: skip


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_no_file_is_left_open(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(SAMPLES / "crlf.elf", tmp_path / "DUMP")
    shutil.copy(SAMPLES / "good.entry", tmp_path / "BLOB")
    (tmp_path / "TEXT").write_bytes(b"OSRELEASE=6.1\nPAGESIZE=4096\n")
    (tmp_path / "BROKEN").write_bytes(b"\x7fELF" + bytes(60))
    (tmp_path / "FLAT").write_bytes(flattened((SAMPLES / "crlf.elf").read_bytes()))
    monkeypatch.chdir(tmp_path)
    opened: list[FileSource] = []
    make = FileSource.__init__

    def kept(self: FileSource, *arguments: Any) -> None:
        opened.append(self)
        make(self, *arguments)

    monkeypatch.setattr(FileSource, "__init__", kept)
    main(words)
    assert [str(source.path) for source in opened if source.fileno() >= 0] == []
    assert opened or words[0] == "new"
