"""Edit whole notes: add, remove or move one, or change its header."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.edit import labelled
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, Note, build, parse_notes
from vmci_tui.formats.header_text import HeaderText

NO_NOTE = "this dump has no VMCOREINFO note"
_ALONE = "this text is not a note: only the header points to it"
_AS_NOTE = "append it as a note first"
_SIZES = 8
"""Bytes of a note's header that hold sizes: namesz and descsz."""


class FromFile(NamedTuple):
    """A note of another file, or a note made of its text."""

    note: Note
    path: str
    form: Literal["note", "text"] = "note"
    """Which part of the file is used."""

    @property
    def label(self) -> str:
        """The name of the edit that appends it."""
        return f"append the {self.form} of {visible(self.path)}"


class FromMemory(NamedTuple):
    """A note that was found in the dump's own guest memory."""

    note: Note
    paddr: int
    form: Literal["note", "text"]
    """Whether a whole note was found, or a text without a note's header."""

    @property
    def label(self) -> str:
        """The name of the edit that makes it the dump's own."""
        return f"restore the {self.form} found at paddr {self.paddr:#x}"


class FromKernel(NamedTuple):
    """A note that no kernel wrote: it was made from the tables of the kernel in the dump's own memory."""

    note: Note
    release: Safe

    @property
    def label(self) -> str:
        """The name of the edit that makes it the dump's own."""
        return f"add the note made from the kernel's tables, of Linux {self.release}"


@labelled("append a note")
def append_note(state: State, note: Note, order: ByteOrder) -> State:
    """Return the state with this note, header words in the file's byte order, instead of every VMCOREINFO note.

    A Windows header has that name too, and stays, unless the new note is one. The note
    goes last, but before a broken one: readers stop there. Name and text do not change.
    """
    fresh = build(note.name, note.type, note.desc, order)
    others = [o for o in state.notes if not o.is_vmcoreinfo or (o.is_windows and not note.is_windows)]
    at = next((i for i, other in enumerate(others) if not other.whole), len(others))
    return replace(state, notes=(*others[:at], fresh, *others[at:]))


@labelled(lambda found, order: found.label)
def append_found(state: State, found: FromFile | FromMemory | FromKernel, order: ByteOrder) -> State:
    """Return the state as `append_note` makes it, with a note of another file, from memory, or made."""
    return append_note(state, found.note, order)


@labelled("append a typed note")
def append_text(state: State, text: bytes, order: ByteOrder) -> State:
    """Return the state with a note named VMCOREINFO of type 0, as Linux writes it, around the text."""
    return append_note(state, note_around(text, order), order)


def note_around(text: bytes, order: ByteOrder) -> Note:
    """Return the note that Linux writes around a text: named VMCOREINFO, of type 0."""
    return build(NAME, 0, text, order)


@labelled("remove the VMCOREINFO note")
def strip(state: State) -> State:
    """Return the state without VMCOREINFO notes; Windows headers stay. Raises EditError if there is none."""
    notes = tuple(note for note in state.notes if not note.is_vmcoreinfo or note.is_windows)
    if len(notes) == len(state.notes):
        raise EditError(NO_NOTE, "there is no note to remove")
    return replace(state, notes=notes)


@labelled("make a note of the header's text")
def make_note(state: State) -> State:
    """Return the state with a note made of the text that only a kdump header names, for readers that need one."""
    text = state.header_text
    return state if text is None else append_note(state, text.as_note(), text.order)


@labelled("point both at the note")
def drop_header_text(state: State) -> State:
    """Return the state without the text that only a kdump header names: the header then names the note's."""
    return replace(state, notes=tuple(note for note in state.notes if not isinstance(note, HeaderText)))


@labelled("keep the last one only")
def keep_last_note(state: State, order: ByteOrder) -> State:
    """Return the state with only the last of several VMCOREINFO notes."""
    return append_note(state, state.note, order) if state.note else state


@labelled("delete note {index}")
def drop_note(state: State, index: int) -> State:
    return replace(state, notes=state.notes[:index] + state.notes[index + 1 :])


@labelled("remove the empty note")
def drop_empty_notes(state: State) -> State:
    """Return the state without notes of 12 zero bytes."""
    return replace(state, notes=tuple(note for note in state.notes if not note.is_empty))


@labelled("name note {index} {name}")
def rename_note(state: State, index: int, name: bytes) -> State:
    old = state.notes[index]
    return replace_note(state, index, build(name, old.type, old.desc, old.order))


@labelled("set the type of note {index} to {kind:#x}")
def retype_note(state: State, index: int, kind: int) -> State:
    if not 0 <= kind < 1 << 32:
        raise EditError(f"a note's type has 32 bits: {kind:#x} does not fit", "VMCOREINFO has type 0")
    old = state.notes[index]
    return replace_note(state, index, build(old.name, kind, old.desc, old.order))


@labelled("swap the header words")
def reorder_header(state: State, index: int, order: ByteOrder) -> State:
    """Return the state with the note's three header words in another byte order; name and text stay."""
    note = state.notes[index]
    return replace_note(state, index, build(note.name, note.type, note.desc, order))


@labelled(lambda index, by: f"move note {index} {'down' if by > 0 else 'up'}")
def move_note(state: State, index: int, by: int) -> State:
    """Return the state with a note moved by `by` places, but not past a broken one: readers stop there."""
    to = index + by
    if not 0 <= to < len(state.notes):
        raise EditError("the note is already last" if by > 0 else "the note is already first")
    if isinstance(state.notes[index], HeaderText) or isinstance(state.notes[to], HeaderText):
        raise EditError(_ALONE, _AS_NOTE)
    if not (state.notes[index].whole and state.notes[to].whole):
        raise EditError("a broken note stays last", "readers find nothing after it")
    notes = list(state.notes)
    notes.insert(to, notes.pop(index))
    return replace(state, notes=tuple(notes))


@labelled("duplicate note {index}")
def duplicate_note(state: State, index: int) -> State:
    """Return the state with a note duplicated directly after itself."""
    if isinstance(state.notes[index], HeaderText):
        raise EditError(_ALONE, _AS_NOTE)
    if not state.notes[index].whole:
        raise EditError("a broken note stays last", "readers find nothing after it")
    return replace(state, notes=(*state.notes[: index + 1], *state.notes[index:]))


@labelled("overwrite note {index}")
def overwrite_note(state: State, index: int, raw: bytes, order: ByteOrder) -> State:
    """Return the state with all bytes of a note replaced, in a file of this byte order.

    If its header claims other sizes now, it and the notes after it are parsed again, as
    readers would. Raises EditError if `raw` has another length than the note.
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
    later = state.notes[index + 1 :]
    rest = b"".join(note.packed(note.order).raw for note in later if not isinstance(note, HeaderText))
    text = tuple(note for note in later if isinstance(note, HeaderText))
    return replace(state, notes=(*state.notes[:index], *parse_notes(raw + rest, order), *text))


@labelled("replace note {index}")
def replace_note(state: State, index: int, note: Note) -> State:
    notes = (*state.notes[:index], note, *state.notes[index + 1 :])
    return replace(state, notes=notes)
