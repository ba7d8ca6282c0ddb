"""Edits: each takes a state and gives the next. Nothing else in the house changes a state."""

from __future__ import annotations

from dataclasses import replace

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import visible
from vmci_tui.containers import Head, HeaderFields, Mapped
from vmci_tui.document.document import State
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, Note, build, walk
from vmci_tui.formats.fw_cfg_entry import FIELDS, LENGTH, EntryHistory, Write
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.indented_text import unindented
from vmci_tui.formats.kdump_records import UTSNAME, UTSNAME_LIMIT
from vmci_tui.formats.vmcoreinfo import Line, Vmcoreinfo, check_key

_NO_NOTE = "this dump has no VMCOREINFO note"
_APPEND = "append one first"
_ALONE = "this text is no note: the header names it, and nothing stands around it"
_AS_NOTE = "append it as a note first: then it is one"
_SIZES = 8
"""Bytes of a note's header that hold sizes: namesz and descsz."""


def _text(state: State) -> Vmcoreinfo:
    if state.vmcoreinfo is None:
        if state.note is not None and state.note.is_windows:
            raise EditError("the note holds a Windows dump header, not text", "it is left alone")
        if state.note is not None:
            raise EditError("the note has more than 1 MiB: it is not taken for text", "strip it, or append another")
        raise EditError(_NO_NOTE, _APPEND)
    return state.vmcoreinfo


def set_text(state: State, text: bytes) -> State:
    """The whole text of the note replaced; name, type and byte order stay."""
    _text(state)
    assert state.index is not None and state.note is not None
    if text == state.note.desc:
        return state
    return replace_note(state, state.index, state.note.with_desc(text))


def set_key(state: State, key: bytes, value: bytes) -> State:
    return set_text(state, _text(state).with_value(key, value).text)


def add_key(state: State, key: bytes, value: bytes) -> State:
    return set_text(state, _text(state).with_new_line(key, value).text)


def set_line(state: State, number: int, body: bytes) -> State:
    return set_text(state, _text(state).with_line(number, body).text)


def delete_line(state: State, number: int) -> State:
    return set_text(state, _text(state).without_line(number).text)


def rename_key(state: State, number: int, key: bytes) -> State:
    """Line `number` with another key; its value stays."""
    check_key(key)
    line = _line(state, number)
    if line.key is None:
        raise EditError(f"line {number} has no key", "write KEY=VALUE in its place")
    return set_line(state, number, key + b"=" + (line.value or b""))


def move_line(state: State, number: int, by: int) -> State:
    """Line `number` moved by so many lines. Where the last line has no newline, the one that is last then has none."""
    text = _text(state)
    _line(state, number)
    to = number + by
    if not 1 <= to <= len(text.lines):
        raise EditError("the line stands at the end already" if by > 0 else "the line stands first already")
    bodies = [line.body for line in text.lines]
    bodies.insert(to - 1, bodies.pop(number - 1))
    ends = (line.raw[len(line.body) :] for line in text.lines)
    return set_text(state, b"".join(body + end for body, end in zip(bodies, ends, strict=True)))


def duplicate_line(state: State, number: int) -> State:
    """Line `number` once more, behind itself."""
    line, text = _line(state, number), _text(state).text
    again = line.raw if line.raw.endswith(b"\n") else b"\n" + line.raw
    at = line.offset + len(line.raw)
    return set_text(state, text[:at] + again + text[at:])


def _line(state: State, number: int) -> Line:
    lines = _text(state).lines
    if not 1 <= number <= len(lines):
        raise EditError(f"the text has no line {number}", f"it has {len(lines)}")
    return lines[number - 1]


def delete_key(state: State, key: bytes) -> State:
    """Every line with this key taken out. Raises EditError where there is none."""
    text = _text(state)
    lines = text.all(key)
    if not lines:
        raise EditError("the note has no such key", "`vmci show` lists them")
    for line in reversed(lines):
        text = text.without_line(line.number)
    return set_text(state, text.text)


def keep_last_key(state: State, key: bytes) -> State:
    """Of several lines with this key only the last."""
    text = _text(state)
    drop = {line.number for line in text.all(key)[:-1]}
    return set_text(state, b"".join(line.raw for line in text.lines if line.number not in drop))


def make_note(state: State) -> State:
    """A note of the text that only a kdump file's header names, for the readers that look for one."""
    text = state.header_text
    return state if text is None else append_note(state, text.as_note(), text.order)


def drop_header_text(state: State) -> State:
    """The text that only a kdump file's header names taken out: the header then names the note's."""
    return replace(state, notes=tuple(note for note in state.notes if not isinstance(note, HeaderText)))


def end_last_line(state: State) -> State:
    return set_text(state, _text(state).text + b"\n")


def replace_bytes(state: State, old: bytes, new: bytes) -> State:
    """Every `old` in the text replaced by `new`."""
    return set_text(state, _text(state).text.replace(old, new))


def unindent(state: State) -> State:
    """The text without the blanks before its keys."""
    return set_text(state, unindented(_text(state).text))


def reorder_header(state: State, index: int, order: ByteOrder) -> State:
    """The note's three header words in another byte order; name and text stay."""
    note = state.notes[index]
    return replace_note(state, index, build(note.name, note.type, note.desc, order))


def replace_note(state: State, index: int, note: Note) -> State:
    notes = (*state.notes[:index], note, *state.notes[index + 1 :])
    return replace(state, notes=notes)


def rename_note(state: State, index: int, name: bytes) -> State:
    old = state.notes[index]
    return replace_note(state, index, build(name, old.type, old.desc, old.order))


def retype_note(state: State, index: int, kind: int) -> State:
    if not 0 <= kind < 1 << 32:
        raise EditError(f"a note's type has 32 bits: {kind:#x} does not fit", "0 is the one for VMCOREINFO")
    old = state.notes[index]
    return replace_note(state, index, build(old.name, kind, old.desc, old.order))


def move_note(state: State, index: int, by: int) -> State:
    """A note moved by so many places; not behind a broken one, since readers stop there."""
    to = index + by
    if not 0 <= to < len(state.notes):
        raise EditError("the note stands last already" if by > 0 else "the note stands first already")
    if isinstance(state.notes[index], HeaderText) or isinstance(state.notes[to], HeaderText):
        raise EditError(_ALONE, _AS_NOTE)
    if not (state.notes[index].whole and state.notes[to].whole):
        raise EditError("a broken note stays last", "readers see nothing of what follows it")
    notes = list(state.notes)
    notes.insert(to, notes.pop(index))
    return replace(state, notes=tuple(notes))


def duplicate_note(state: State, index: int) -> State:
    """A note once more, behind itself."""
    if isinstance(state.notes[index], HeaderText):
        raise EditError(_ALONE, _AS_NOTE)
    if not state.notes[index].whole:
        raise EditError("a broken note stays last", "readers see nothing of what follows it")
    return replace(state, notes=(*state.notes[: index + 1], *state.notes[index:]))


def overwrite_note(state: State, index: int, raw: bytes, order: ByteOrder) -> State:
    """Every byte of a note, from its header to its padding, in a file of this byte order.

    Where its header claims other sizes now, it and what follows are taken apart anew, as
    readers would. Raises EditError where `raw` has another length than the note.
    """
    old = state.notes[index]
    if isinstance(old, HeaderText) and len(raw) == len(old.raw):
        return replace_note(state, index, old.with_desc(raw))
    if len(raw) != len(old.raw):
        old = old.packed(old.order)
    if len(raw) != len(old.raw):
        raise EditError("bytes are overwritten, not added", "edit the text to make the note longer")
    if len(raw) >= HEADER and raw[:_SIZES] == old.raw[:_SIZES] and old.order == order:
        return replace_note(state, index, Note(raw, order, old.align, old.broken))
    behind = state.notes[index + 1 :]
    rest = b"".join(note.packed(note.order).raw for note in behind if not isinstance(note, HeaderText))
    text = tuple(note for note in behind if isinstance(note, HeaderText))
    return replace(state, notes=(*state.notes[:index], *walk(raw + rest, order), *text))


def keep_last_note(state: State, order: ByteOrder) -> State:
    """Of several VMCOREINFO notes only the last."""
    return append_note(state, state.note, order) if state.note else state


def drop_note(state: State, index: int) -> State:
    return replace(state, notes=state.notes[:index] + state.notes[index + 1 :])


def drop_empty_notes(state: State) -> State:
    """Every note of 12 zero bytes taken out."""
    return replace(state, notes=tuple(note for note in state.notes if not note.is_empty))


def append_note(state: State, note: Note, order: ByteOrder) -> State:
    """The note put in, its header words in the file's byte order, in place of every VMCOREINFO note.

    A Windows header bears that name too, and stays, unless the note is one itself. The note
    goes last, but before a broken one: readers stop there. Name and text stay to the byte.
    """
    fresh = build(note.name, note.type, note.desc, order)
    others = [o for o in state.notes if not o.is_vmcoreinfo or (o.is_windows and not note.is_windows)]
    at = next((i for i, other in enumerate(others) if not other.whole), len(others))
    return replace(state, notes=(*others[:at], fresh, *others[at:]))


def append_text(state: State, text: bytes, order: ByteOrder) -> State:
    """A note named VMCOREINFO of type 0, as Linux writes it, around the text."""
    return append_note(state, build(NAME, 0, text, order), order)


def strip(state: State) -> State:
    """Every VMCOREINFO note taken out; no other, no Windows header. Raises EditError where there is none."""
    notes = tuple(note for note in state.notes if not note.is_vmcoreinfo or note.is_windows)
    if len(notes) == len(state.notes):
        raise EditError(_NO_NOTE, "there is nothing to strip")
    return replace(state, notes=notes)


def _entry(state: State) -> EntryHistory:
    if state.entry is None:
        raise EditError("no entry is open", "open its 16 bytes beside the dump: vmci FILE BLOB")
    return state.entry


def set_field(state: State, name: str, value: int) -> State:
    """A field of the entry, by one full write of 16 bytes."""
    return replace(state, entry=_entry(state).with_field(name, value))


def set_writes(state: State, writes: tuple[Write, ...]) -> State:
    return replace(state, entry=_entry(state).with_writes(writes))


def rewrite_whole(state: State) -> State:
    """The entry's bytes as one full write of 16 bytes at offset 0."""
    entry = _entry(state)
    kept = () if entry.origin == "blob" else entry.writes
    whole = Write(0, LENGTH, entry.entry.pack())
    return replace(state, entry=EntryHistory(entry.origin, (*kept, whole)))


def overwrite_entry(state: State, at: int, data: bytes) -> State:
    """Bytes of the entry; those of a blob of another length than 16 stay in one write of that length."""
    entry = _entry(state)
    last = entry.writes[-1] if entry.origin == "blob" and entry.writes else None
    old = entry.entry.pack() if last is None or last.data is None else last.data
    if at < 0 or at + len(data) > len(old):
        raise EditError(f"the entry has {len(old)} bytes", "bytes are overwritten, not added")
    raw = old[:at] + data + old[at + len(data) :]
    kept = () if entry.origin == "blob" else entry.writes
    return replace(state, entry=EntryHistory(entry.origin, (*kept, Write(0, len(raw), raw))))


def swap_entry(state: State) -> State:
    """Every field of the entry with its bytes in the other order."""
    swapped = (
        int.from_bytes(v.to_bytes(f.length, "little"), "big") for f, v in zip(FIELDS, _entry(state).entry, strict=True)
    )
    for field, value in zip(FIELDS, tuple(swapped), strict=True):
        state = set_field(state, field.name, value)
    return state


def order_head(state: State) -> State:
    """The head in the order that readers need, with nothing else changed; every other edit does this too."""
    return state if any(state.head) else replace(state, head=Head(ordered=True))


def merge_headers(state: State) -> State:
    """One program header for each range of memory; the virtual addresses in the headers go."""
    return replace(state, head=state.head._replace(merged=True))


def map_headers(state: State, mapped: tuple[Mapped, ...]) -> State:
    """Program headers with the virtual addresses by which the kernel maps this memory."""
    return replace(order_head(state), mapped=mapped)


def make_plain(state: State) -> State:
    """A copy of a flattened file gets its records in their places; of any other this changes nothing."""
    return replace(state, head=state.head._replace(plain=True))


def set_header(state: State, name: str, value: bytes) -> State:
    """A name of utsname in a kdump file's header. Raises EditError for a container or a name that has none."""
    header = _header(state)
    if name not in UTSNAME:
        raise EditError(f"the header has no field {visible(name)}", f"phys_base, {', '.join(UTSNAME)}")
    if len(value) > UTSNAME_LIMIT or b"\0" in value:
        raise EditError(f"{name} has at most {UTSNAME_LIMIT} bytes, and no NUL", "choose a shorter one")
    index = UTSNAME.index(name)
    names = (*header.utsname[:index], value, *header.utsname[index + 1 :])
    return replace(state, header=header._replace(utsname=names))


def set_phys_base(state: State, value: int) -> State:
    """The phys_base of a kdump file's header; a negative one as the kernel means it. Raises EditError."""
    header = _header(state)
    if not -(1 << header.bits) < value < 1 << header.bits:
        raise EditError(f"phys_base has {header.bits} bits", "it is what the note's NUMBER(phys_base) says")
    return replace(state, header=header._replace(phys_base=value % (1 << header.bits)))


def _header(state: State) -> HeaderFields:
    if state.header is None:
        raise EditError("this is no kdump file: its header has no utsname and no phys_base", "they are in the note")
    return state.header
