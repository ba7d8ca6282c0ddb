"""Test saving an entry, 16 bytes, in place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.saving.test_in_place import opened
from vmci_tui.common.errors import SaveError
from vmci_tui.document import edit_entry
from vmci_tui.document.edit import Edit
from vmci_tui.formats.fw_cfg_entry import Write
from vmci_tui.layers.file import FileSource
from vmci_tui.saving.last_save import undo_last_save
from vmci_tui.saving.plan import plan_in_place
from vmci_tui.saving.save_in_place import save_in_place


@pytest.mark.parametrize("length", [15, 16, 17])
def test_an_entry_in_place_is_16_bytes_and_is_undone(length: int, tmp_path: Path) -> None:
    path = tmp_path / "vmcoreinfo.entry"
    before = bytes(range(1, length + 1))
    path.write_bytes(before)
    with opened(path) as document:
        document.edit(Edit.of(edit_entry.set_field, "size", 4132))
        plan = plan_in_place(document)
        save_in_place(document, plan)
        assert document.state.entry is not None
        assert path.read_bytes() == document.state.entry.entry.pack() and plan.strategy == "overwrite"
    undo_last_save(str(path))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["vmcoreinfo.entry"]


def test_writes_that_16_bytes_cannot_keep_are_not_lost_in_place(tmp_path: Path) -> None:
    path = tmp_path / "vmcoreinfo.entry"
    path.write_bytes(bytes(16))
    with opened(path) as document:
        for offset in (0, 8):
            document.edit(Edit.of(edit_entry.add_write, Write(offset, 8, bytes(8))))
        with pytest.raises(SaveError, match="cannot keep the list of writes"):
            plan_in_place(document)
    assert path.read_bytes() == bytes(16)


def test_a_save_of_ones_own_is_not_a_change_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "vmcoreinfo.entry"
    path.write_bytes(bytes(16))
    with opened(path) as document:
        source = document.source
        assert isinstance(source, FileSource)
        document.edit(Edit.of(edit_entry.set_field, "size", 4132))
        save_in_place(document, plan_in_place(document))
        os.utime(path, ns=(0, path.stat().st_mtime_ns))  # the time of access alone
        assert source.on_disk() == "same"
        path.write_bytes(bytes(17))
        assert source.on_disk() == "changed"
