"""Make the nodes of a note: its header, its name, and its descriptor down to registers or the lines of a text."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.elf_note import HEADER, Note, note_header
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.note_kinds import note_words
from vmci_tui.formats.registers.decode import registers_of, set_of
from vmci_tui.formats.registers.register_set import Register
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.formats.windows_header import windows_header
from vmci_tui.structure.meanings import meaning_of, shown_number
from vmci_tui.structure.node import Node, windows

_SHOWN = 256
"""Bytes of a name or of a line that are shown; a hostile one has 64 MiB."""


def note_node(note: Note, number: int, offset: int, machine: str | None) -> Node:
    """Return the node of a note whose first byte is at `offset`; `machine` is the dump's."""
    length = len(note.raw)
    if isinstance(note, HeaderText):
        return _text(Safe("text that the header names"), note.raw, offset)
    name = visible(note.name.rstrip(b"\0")[:_SHOWN]) or Safe("no name")
    title = Safe(f"note {number}: {name}")
    if not note.whole:
        return Node(title, offset, length, "note", meaning=visible(note.broken or ""))
    found = set_of(note, machine)
    words = visible(note_words(note)) or Safe(found.title if found else "")
    value = Safe(f"type {note.type:#x}")
    return Node(title, offset, length, "note", value, words, lambda: tuple(_parts(note, offset, machine)))


def _parts(note: Note, offset: int, machine: str | None) -> Iterator[Node]:
    for name, at, length in note_header(note.order).fields:
        number = int.from_bytes(note.raw[at : at + length], note.order)
        shown, words = shown_number(number, length), meaning_of(name, number, 0)
        yield Node(Safe(name), offset + at, length, "note", shown, words)
    if note.namesz:
        yield Node(Safe("name"), offset + HEADER, note.namesz, "name", visible(note.name[:_SHOWN]))
    if note.desc:
        yield _descriptor(note, offset + note.desc_start, machine)


def _descriptor(note: Note, start: int, machine: str | None) -> Node:
    name, length = Safe("descriptor"), len(note.desc)
    registers = registers_of(note, machine)
    if registers:
        count = Safe(f"{len(registers)} fields")
        return Node(name, start, length, "desc", count, parts=lambda: tuple(_registers(registers, start)))
    if note.is_windows:
        return Node(name, start, length, "desc", Safe("Windows dump header"), parts=lambda: _windows(note, start))
    if note.is_vmcoreinfo:
        return _text(name, note.desc, start)
    return Node(name, start, length, "desc", Safe(f"{length} bytes"))


def _registers(registers: tuple[Register, ...], start: int) -> Iterator[Node]:
    for one in registers:
        value = shown_number(one.value, one.length)
        yield Node(Safe(one.name), start + one.offset, one.length, "value", value, Safe(one.meaning))


def _windows(note: Note, start: int) -> tuple[Node, ...]:
    header = windows_header(note)
    fields = header.fields if header is not None else ()
    return tuple(
        Node(Safe(each.name), start + each.offset, each.length, "value", each.shown, each.meaning)
        for each in fields
        if each.offset + each.length <= len(note.desc)
    )


def _text(name: Safe, text: bytes, start: int) -> Node:
    """Return the node of a key=value text, with a child a line."""

    def children() -> tuple[Node, ...]:
        lines = Vmcoreinfo(text).lines

        def line(number: int) -> Node:
            each = lines[number]
            key, value = (
                (Safe("line"), each.raw) if each.key is None else (visible(each.key[:_SHOWN]), each.value or b"")
            )
            shown = visible(value.rstrip(b"\n")[:_SHOWN])
            return Node(key, start + each.offset, len(each.raw), "key", shown)

        return windows(0, len(lines), line)

    return Node(name, start, len(text), "desc", Safe(f"{len(text)} bytes"), Safe("the vmcoreinfo text"), children)
