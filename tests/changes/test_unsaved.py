"""Test what is not saved yet: lines, notes and bytes, compared with the file."""

from __future__ import annotations

import time

from hypothesis import strategies as st

from tests.dumps.factory import cpus, elf, note
from tests.kit import opened
from tests.properties import given, settings
from vmci_tui.changes.changed_bytes import ChangedBytes, ChangedRange, differing, middle
from vmci_tui.changes.matching import match
from vmci_tui.changes.unsaved import Unsaved, unsaved
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit

_TEXT = b"OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(_stext)=ff\nCRASHTIME=1\n"


def _document(text: bytes = _TEXT) -> Document:
    return opened(elf((cpus() + note(text),)))


def _changes(document: Document, *edits: Edit) -> Unsaved:
    for edit in edits:
        document.edit(edit)
    found = unsaved(document)
    assert found is not None
    return found


def _signs(old: str, new: str) -> tuple[dict[int, str], dict[int, tuple[int, ...]]]:
    found = match(old.split(), new.split(), str, lambda item: item.partition("=")[0])
    return dict(found.kinds), dict(found.removed)


def test_items_of_a_list() -> None:
    assert _signs("a b c", "a b c") == ({}, {})
    assert _signs("a=1 b c", "a=2 b c d") == ({0: "changed", 3: "added"}, {})
    assert _signs("a b c", "b c") == ({}, {0: (0,)})
    assert _signs("a b c d", "a d") == ({}, {1: (1, 2)})
    assert _signs("a b c d", "d a b c") == ({0: "moved"}, {})
    assert _signs("a b c d", "b c d a") == ({3: "moved"}, {})
    assert _signs("", "a") == ({0: "added"}, {})
    assert _signs("a a a", "a a") == ({}, {2: (2,)})


_items = st.lists(st.sampled_from(["a=1", "a=2", "b=1", "c", "d"]), max_size=12)


@settings(max_examples=300)
@given(_items, _items)
def test_the_new_list_follows_from_the_old_one(old: list[str], new: list[str]) -> None:
    found = match(old, new, str, lambda item: item.partition("=")[0])
    gone = [index for items in found.removed.values() for index in items]
    added = [index for index, kind in found.kinds.items() if kind == "added"]
    assert len(old) - len(gone) + len(added) == len(new) and len({*gone}) == len(gone)
    assert all(0 <= at <= len(new) for at in found.removed)
    assert all(old[found.before[at]] == new[at] for at, kind in found.kinds.items() if kind == "moved")
    moved = {found.before[at] for at in found.kinds if at in found.before}
    kept = [item for at, item in enumerate(old) if at not in moved and at not in gone]
    assert kept == [item for at, item in enumerate(new) if at not in found.kinds]


def test_nothing_is_unsaved_at_first_and_after_undo() -> None:
    document = _document()
    assert unsaved(document) is None
    _changes(document, Edit.of(edit_text.set_line, 1, b"OSRELEASE=6.2"))
    document.undo()
    assert unsaved(document) is None


def test_a_changed_value_is_marked_to_the_byte() -> None:
    document = _document()
    found = _changes(document, Edit.of(edit_text.set_line, 2, b"PAGESIZE=8192"))
    assert found.lines.kinds == {1: "changed"} and list(found.notes.kinds.values()) == ["changed"]
    marked = [document.read(item.start, item.end - item.start) for item in found.bytes.ranges]
    assert marked == [b"8192"]


def test_saving_takes_the_marks_away_and_later_edits_are_compared_with_what_was_saved() -> None:
    document = _document()
    _changes(document, Edit.of(edit_text.set_line, 2, b"PAGESIZE=8192"))
    document.mark_saved(entry=False)
    assert unsaved(document) is None
    found = _changes(document, Edit.of(edit_text.delete_line, 4))
    assert (found.lines.kinds, found.lines.removed) == ({}, {3: (3,)})
    assert found.old_lines[3].body == b"CRASHTIME=1"


def test_a_new_note_is_marked_whole_and_the_headers_that_name_it() -> None:
    document = opened(elf((cpus(),)))
    found = _changes(document, Edit.of(edit_notes.append_text, _TEXT, "little"))
    index = document.state.index
    assert index is not None and found.notes.kinds == {index: "added"}
    at, raw = document.layout.note_offsets[index], document.layout.notes[index].raw
    assert ChangedRange(at, at + len(raw), "added") in found.bytes.ranges
    assert any(item.end <= at for item in found.bytes.ranges), "the size of the notes in the program header"
    assert set(found.lines.kinds.values()) == {"added"}


@settings(max_examples=200)
@given(st.binary(max_size=20), st.binary(max_size=20))
def test_bytes_outside_the_ranges_are_equal(old: bytes, new: bytes) -> None:
    marked = {at for item in differing(old, new, 100) for at in range(item.start - 100, item.end - 100)}
    assert marked == {at for at in range(len(new)) if at >= len(old) or old[at] != new[at]}
    for item in middle(old, new, 0):
        assert old.startswith(new[: item.start]) and old.endswith(new[item.end :])


def test_ranges_by_offset() -> None:
    ranges = ChangedBytes([ChangedRange(30, 40, "added"), ChangedRange(10, 12, "changed")])
    assert [item.start for item in ranges.within(0, 100)] == [10, 30]
    assert [item.start for item in ranges.within(11, 12)] == [10]
    assert not [*ranges.within(12, 30)] and [item.start for item in ranges.within(39, 41)] == [30]


def test_many_lines_are_compared_quickly() -> None:
    """Each keystroke compares: 2,000 lines, all changed, take a few milliseconds."""
    old = [b"SYMBOL(s%d)=%x\n" % (number, number) for number in range(2000)]
    new = [line.replace(b"\n", b"\r\n") for line in reversed(old)]
    start = time.process_time()
    found = match(old, new, bytes, lambda line: line.partition(b"=")[0])
    assert len(found.kinds) == 2000 and time.process_time() - start < 0.05
