"""Test edits of a document: unedited bytes stay, and every step can be undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from tests.dumps.factory import cpus, elf, note
from tests.dumps.records import Order
from tests.kit import become, full_write, opened, saved
from tests.properties import given, settings
from vmci_tui.common.errors import EditError
from vmci_tui.document import edit_entry, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import NAME, build
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory, Write

_GOOD = Entry(0, 1, 4132, 0x1000).pack()
_XEN = note(b"xen=1\n", b"VMCOREINFO_XEN\0")
_DUMP = elf((cpus() + _XEN + note(),))
_keys = st.sampled_from([b"OSRELEASE", b"PAGESIZE", b"NEW", b"SYMBOL(_stext)"])
_values = st.binary(max_size=8).filter(lambda value: b"\n" not in value)
_texts = st.binary(max_size=30)
_Edit = Callable[[State], State]
_edits: st.SearchStrategy[_Edit] = st.one_of(
    st.builds(lambda k, v: lambda s: edit_text.set_key(s, k, v), _keys, _values),
    st.builds(lambda k, v: lambda s: edit_text.add_key(s, k, v), _keys, _values),
    st.builds(lambda k: lambda s: edit_text.delete_key(s, k), _keys),
    st.builds(lambda n, v: lambda s: edit_text.set_line(s, n, v), st.integers(1, 9), _values),
    st.builds(lambda n: lambda s: edit_text.delete_line(s, n), st.integers(1, 9)),
    st.builds(lambda t: lambda s: edit_text.set_text(s, t), _texts),
    st.builds(lambda t: lambda s: edit_notes.append_text(s, t, "little"), _texts),
    st.just(edit_notes.strip),
    st.builds(lambda k: lambda s: edit_notes.retype_note(s, s.index or 0, k), st.integers(-1, 2**32)),
    st.builds(lambda n: lambda s: edit_notes.rename_note(s, s.index or 0, n), st.sampled_from([NAME, b"X\0", b""])),
    st.builds(lambda n: lambda s: edit_notes.drop_note(s, n), st.integers(0, 1)),
    st.builds(
        lambda name, v: lambda s: edit_entry.set_field(s, name, v),
        st.sampled_from(Entry._fields),
        st.integers(-1, 2**65),
    ),
    st.builds(
        lambda w: lambda s: edit_entry.add_write(s, w), st.sampled_from((Write(0, 4, b"abcd"), Write(0, 16, None)))
    ),
    st.builds(lambda n: lambda s: edit_entry.delete_write(s, n), st.integers(0, 2)),
    st.just(edit_entry.rewrite_whole),
    st.just(edit_entry.swap_entry),
    st.builds(lambda n, k: lambda s: edit_text.rename_key(s, n, k), st.integers(0, 9), _keys),
    st.builds(lambda n, by: lambda s: edit_text.move_line(s, n, by), st.integers(0, 9), st.sampled_from([-1, 1, 3])),
    st.builds(lambda n: lambda s: edit_text.duplicate_line(s, n), st.integers(0, 9)),
    st.builds(lambda n, by: lambda s: edit_notes.move_note(s, n, by), st.integers(0, 4), st.sampled_from([-1, 1])),
    st.builds(lambda n: lambda s: edit_notes.duplicate_note(s, n), st.integers(0, 4)),
    st.builds(
        lambda n, at, byte: (
            lambda s: edit_notes.overwrite_note(s, n, s.notes[n].raw[:at] + byte + s.notes[n].raw[at + 1 :], "little")
        ),
        st.integers(0, 4),
        st.integers(0, 30),
        st.binary(min_size=1, max_size=1),
    ),
    st.builds(
        lambda at, data: lambda s: edit_entry.overwrite_entry(s, at, data), st.integers(-1, 16), st.binary(max_size=4)
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_edits, max_size=12), st.lists(st.booleans(), max_size=12))
def test_undo_and_redo_of_any_edits_restore_first_and_last_state(todo: list[_Edit], steps: list[bool]) -> None:
    document = opened(_DUMP, EntryHistory("blob", (full_write(_GOOD),)))
    states = [document.state]
    for edit in todo:
        try:
            changed = document.edit(become(edit(document.state)))
        except (EditError, IndexError):
            continue
        assert changed == (document.state != states[-1])
        if changed:
            states.append(document.state)
    last = document.state
    at = len(states) - 1
    for forward in steps:
        done = document.redo() if forward else document.undo()
        at = min(at + 1, len(states) - 1) if forward else max(at - 1, 0)
        assert document.state == states[at] and len(document.labels) == at
        assert done is None or done.label == "another state"
    while document.undo():
        pass
    assert document.state == document.opened == states[0] and not document.modified
    while document.redo():
        pass
    assert document.state == last
    data = saved(document)
    assert [n.desc for n in opened(data).state.notes] == [n.desc for n in last.notes]


def test_a_new_edit_forgets_what_was_undone() -> None:
    document = opened(_DUMP)
    for value in (b"1", b"2"):
        document.edit(Edit.of(edit_text.set_key, b"K", value))
    assert document.undo() == Edit.of(edit_text.set_key, b"K", value=b"2")
    document.edit(Edit.of(edit_text.set_key, b"K", b"3"))
    assert document.redo() is None and document.labels == ("set K to 1", "set K to 3")
    assert not document.edit(Edit.of(edit_text.set_key, b"K", b"3"))


def test_appending_a_note_twice_equals_appending_it_once() -> None:
    first = edit_notes.append_text(opened(_DUMP).state, b"OSRELEASE=6\n", "little")
    assert edit_notes.append_text(first, b"OSRELEASE=6\n", "little") == first


def test_an_append_replaces_every_vmcoreinfo_note_and_no_other() -> None:
    windows, other = note(b"PAGEDU64" + bytes(100)), note(b"x\n", b"OTHER\0")
    areas = (note(b"A=1\n") + cpus() + _XEN, note(b"B=1\n") + other, windows + note(name=b"VMCOREINFO"))
    state = opened(elf(areas)).state
    before = [cpus()[:356], cpus()[356:], _XEN, other, windows]
    assert [n.raw for n in edit_notes.append_text(state, b"A=1\n", "little").notes] == [*before, note(b"A=1\n")]
    assert [n.raw for n in edit_notes.strip(state).notes] == before


def test_a_note_goes_before_a_broken_one_since_readers_stop_there() -> None:
    document = opened(elf((cpus() + note(b"?", b"BAD\0", descsz=9999),)))
    state = edit_notes.append_text(document.state, b"OSRELEASE=6\n", "little")
    assert [n.name for n in state.notes][-2:] == [NAME, b"BAD\0"]
    document.edit(become(state))
    assert opened(saved(document)).state == state


@pytest.mark.parametrize("order", ["little", "big"])
def test_an_appended_note_gets_the_files_byte_order_and_keeps_its_bytes(order: Order) -> None:
    document = opened(elf(order=order, qemu=True))
    foreign = build(b"VMCOREINFO\0", 0, b"A=1\n\0odd\xff", "little")
    state = edit_notes.append_note(document.state, foreign, order)
    assert state.notes[-1].raw == note(b"A=1\n\0odd\xff", order=order)


def test_setting_a_key_changes_only_its_line_in_the_file() -> None:
    document = opened(_DUMP)
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"8192"))
    assert saved(document) == _DUMP.replace(b"PAGESIZE=4096", b"PAGESIZE=8192")


def test_the_last_whole_note_is_the_one_that_is_shown() -> None:
    document = opened(elf((note(b"A=1\n") + note(b"B=1\n") + note(b"C=1\n", descsz=9999),)))
    assert document.state.index == 1 and document.state.vmcoreinfo is not None
    assert document.state.vmcoreinfo.text == b"B=1\n"


def test_an_impossible_edit_reports_the_reason() -> None:
    bare, windows = opened(elf()).state, opened(elf((note(b"PAGEDUMP"),))).state
    refused: tuple[tuple[Callable[[], object], str], ...] = (
        (lambda: edit_text.set_key(bare, b"A", b"1"), "no VMCOREINFO note"),
        (lambda: edit_notes.strip(bare), "no VMCOREINFO note"),
        (lambda: edit_text.set_text(windows, b"A=1\n"), "Windows"),
        (lambda: edit_entry.set_field(bare, "size", 12), "no entry is open"),
        (lambda: edit_text.delete_key(opened(_DUMP).state, b"NONE"), "no such key"),
        (lambda: edit_notes.retype_note(opened(_DUMP).state, 0, 1 << 32), "32 bits"),
    )
    for edit, words in refused:
        with pytest.raises(EditError, match=words):
            edit()


def test_an_entry_is_made_from_nothing_by_editing_its_fields() -> None:
    state = State(entry=EntryHistory.of_blob(RESET))
    for name, value in (("host_format", 0), ("guest_format", 1), ("size", 4132), ("paddr", 0x1000)):
        state = edit_entry.set_field(state, name, value)
    assert state.entry is not None and state.entry.raw == _GOOD and state.entry.present


def test_the_entry_is_swapped_field_by_field() -> None:
    big = b"\0\0\0\1\0\0\x10\x24\0\0\0\0\0\0\x10\0"
    state = edit_entry.swap_entry(State(entry=EntryHistory.of_blob(big)))
    assert state.entry is not None and state.entry.raw == _GOOD and state.entry.present


def test_a_document_shows_the_file_until_a_note_is_edited() -> None:
    document = opened(elf((cpus() + note(),), qemu=True), EntryHistory("blob", (full_write(_GOOD),)))
    assert document.dump is not None
    document.edit(Edit.of(edit_entry.set_field, "size", 8192))
    assert document.layout is document.dump.current_layout
    document.edit(Edit.of(edit_text.set_key, b"A", b"1"))
    assert document.layout is document.saved_layout and document.read(0, 4) == b"\x7fELF"
    assert isinstance(document, Document)


def _lines(state: State) -> list[bytes]:
    assert state.vmcoreinfo is not None
    return [line.raw for line in state.vmcoreinfo.lines]


def test_lines_are_moved_duplicated_and_their_keys_renamed() -> None:
    state = opened(elf((note(b"A=1\nbroken\nB=2"),))).state
    assert _lines(edit_text.move_line(state, 3, -2)) == [b"B=2\n", b"A=1\n", b"broken"]
    assert _lines(edit_text.move_line(state, 1, 1)) == [b"broken\n", b"A=1\n", b"B=2"]
    assert _lines(edit_text.duplicate_line(state, 1)) == [b"A=1\n", b"A=1\n", b"broken\n", b"B=2"]
    assert _lines(edit_text.duplicate_line(state, 3)) == [b"A=1\n", b"broken\n", b"B=2\n", b"B=2"]
    assert _lines(edit_text.rename_key(state, 3, b"C")) == [b"A=1\n", b"broken\n", b"C=2"]
    refused: tuple[Callable[[], object], ...] = (
        lambda: edit_text.move_line(state, 1, -1),
        lambda: edit_text.move_line(state, 3, 1),
        lambda: edit_text.duplicate_line(state, 4),
        lambda: edit_text.rename_key(state, 2, b"C"),
        lambda: edit_text.rename_key(state, 1, b"=x"),
    )
    for edit in refused:
        with pytest.raises(EditError):
            edit()


def test_notes_are_moved_and_duplicated_but_not_past_a_broken_one() -> None:
    state = opened(elf((cpus(1) + note() + note(b"?", b"BAD\0", descsz=9999),))).state
    names = [n.name for n in state.notes]
    assert [n.name for n in edit_notes.move_note(state, 1, -1).notes] == [names[1], names[0], *names[2:]]
    last = len(names) - 1
    assert edit_notes.duplicate_note(state, 1).notes[1:3] == (state.notes[1], state.notes[1])
    refused: tuple[Callable[[], object], ...] = (
        lambda: edit_notes.move_note(state, 0, -1),
        lambda: edit_notes.move_note(state, last - 1, 1),
        lambda: edit_notes.move_note(state, last, 1),
        lambda: edit_notes.duplicate_note(state, last),
    )
    for edit in refused:
        with pytest.raises(EditError):
            edit()


def test_overwriting_bytes_of_a_note_equals_overwriting_the_file() -> None:
    """Each byte of the notes in turn: the file then holds just that byte, and opens to the notes that the app shows."""
    data = elf((note(b"A=1\n", b"FIRST\0") + note(b"OSRELEASE=6\n"),))
    plain = opened(data)
    for index, start in enumerate(plain.layout.note_offsets):
        for at in range(len(plain.state.notes[index].raw)):
            document = opened(data)
            raw = bytearray(document.state.notes[index].raw)
            raw[at] ^= 0x80
            document.edit(Edit.of(edit_notes.overwrite_note, index, bytes(raw), "little"))
            wanted = bytearray(data)
            wanted[start + at] ^= 0x80
            assert saved(document) == bytes(wanted), (index, at)
            assert opened(bytes(wanted)).state.notes == document.state.notes, (index, at)
    with pytest.raises(EditError, match="not added"):
        edit_notes.overwrite_note(plain.state, 0, b"longer" * 100, "little")


def test_overwriting_the_entry() -> None:
    state = State(entry=EntryHistory.of_blob(_GOOD))
    assert edit_entry.overwrite_entry(state, 4, b"\xff").entry == EntryHistory.of_blob(_GOOD[:4] + b"\xff" + _GOOD[5:])
    short = State(entry=EntryHistory.of_blob(_GOOD[:12]))
    assert edit_entry.overwrite_entry(short, 11, b"\x07").entry == EntryHistory.of_blob(_GOOD[:11] + b"\x07")
    with pytest.raises(EditError, match="12 bytes"):
        edit_entry.overwrite_entry(short, 12, b"\x07")
    none = State(entry=EntryHistory("blob"))
    assert edit_entry.overwrite_entry(none, 0, b"\0").entry.raw == bytes(16)  # type: ignore[union-attr]
