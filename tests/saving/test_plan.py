from __future__ import annotations

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.kit import become, full_write, opened, saved
from vmci_tui.common.errors import SaveError
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory
from vmci_tui.layers.image import NewBytes, SourceBytes
from vmci_tui.opening.open_file import new_entry
from vmci_tui.saving.plan import plan_copy


def test_an_unedited_file_in_standard_order_has_an_empty_plan() -> None:
    plan = plan_copy(opened(elf((cpus() + note(),))))
    assert plan.empty and plan.strategy == "none" and plan.steps == () and plan.bytes_written == 0


def test_an_undone_edit_gives_an_empty_plan() -> None:
    document = opened(elf((cpus() + note(),)))
    document.edit(Edit.of(edit_text.set_key, b"A", b"1"))
    document.undo()
    assert plan_copy(document).empty


def test_the_plan_of_a_qemu_file_gives_reasons_for_its_headers() -> None:
    plan = plan_copy(opened(elf((cpus() + note(),), qemu=True)))
    assert plan.strategy == "copy" and plan.reasons
    assert "makedumpfile" in plan.steps[0].why and "e_ehsize" in plan.steps[0].why


def test_the_steps_write_the_whole_image_once_and_name_the_edits() -> None:
    document = opened(elf((cpus(),), (Load(0, ram(1 << 16)),), qemu=True))
    document.edit(Edit.of(edit_notes.append_text, b"OSRELEASE=6\n" * 99, "little"))
    plan = plan_copy(document)
    assert "append a typed note" in plan.steps[0].why
    at = 0
    for step in plan.steps:
        assert step.offset == at and step.why
        at += step.length
    assert at == plan.image.size == plan.bytes_written == len(saved(document))


def test_the_changes_are_the_bytes_that_differ() -> None:
    document = opened(elf((cpus() + note(),)))
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"4097"))
    (change,) = plan_copy(document).changes
    assert change.extent == NewBytes(b"7")
    moved = opened(elf((cpus() + note(),)))
    moved.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"4" * 5000))
    assert any(isinstance(c.extent, SourceBytes) for c in plan_copy(moved).changes)


def test_an_entry_is_16_bytes() -> None:
    document = new_entry(EntryHistory("blob", (full_write(Entry(0, 1, 4132, 0).pack()),)))
    plan = plan_copy(document)
    assert plan.strategy == "copy" and plan.image.size == 16 and plan.steps[0][:3] == ("write the entry", 0, 16)
    assert not plan_copy(new_entry(EntryHistory.of_blob(RESET))).empty, "it is no file yet"
    assert plan_copy(opened(elf())).strategy == "none"


def test_nothing_to_save_is_reported() -> None:
    document = new_entry(EntryHistory("blob"))
    assert isinstance(document, Document)
    document.edit(become(State()))
    with pytest.raises(SaveError, match="no entry"):
        plan_copy(document)
