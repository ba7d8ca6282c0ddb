"""Test the map of a file: where its parts are, and where they will be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.changes.changed_bytes import ChangedBytes
from vmci_tui.changes.file_map import file_map
from vmci_tui.changes.unsaved import unsaved
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.repair.safe_fixes import repair

Sample = Callable[[str], str]


def _signs(document: Document) -> list[tuple[str, str]]:
    found = unsaved(document)
    return [(part.sign, part.name) for part in file_map(document, ChangedBytes() if found is None else found.bytes)]


def test_a_repair_adds_the_note_and_moves_memory(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-nonote.elf"))
    plain = ["ELF header", "program headers", "notes", "guest memory"]
    assert _signs(document) == [("", name) for name in plain]
    for step in repair(document.snapshot()).steps:
        document.edit(step.edit)
    assert [name for sign, name in _signs(document) if sign == "+"] == ["VMCOREINFO note"]
    memory = file_map(document, ChangedBytes())[-1]
    assert memory.name == "guest memory" and not memory.sign and memory.before is not None and memory.after is not None
    assert memory.before.length == memory.after.length and memory.after.offset > memory.before.offset
    assert memory.after.offset + memory.after.length == document.layout.image.size


def test_other_bytes_and_removed_notes_have_signs(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    document.edit(Edit.of(edit_text.set_line, 3, b"PAGESIZE=8192"))
    assert ("~", "VMCOREINFO note") in _signs(document) and ("", "notes") in _signs(document)
    document.undo()
    document.edit(Edit.of(edit_notes.strip))
    assert _signs(document)[-1] == ("-", "VMCOREINFO note")


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.elf*")) + sorted(SAMPLES.glob("*.kdump")), ids=lambda p: p.name)
def test_parts_have_different_names_are_in_order_and_within_the_file(path: object) -> None:
    document = open_document(str(path))
    parts = file_map(document, ChangedBytes())
    spans = [part.after for part in parts if part.after is not None]
    assert len({part.name for part in parts}) == len(parts) == len(spans)
    assert all(one.offset + one.length <= other.offset for one, other in pairwise(spans))
    assert spans[0].offset == 0 and spans[-1].offset + spans[-1].length <= document.layout.image.size
