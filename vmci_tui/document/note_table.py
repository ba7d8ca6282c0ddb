"""The notes of a dump as a table: name, type, CPU, length and offset of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.note_kinds import device_dump

_NAME_SHOWN = 40
_OF_EACH_CPU = frozenset(((b"CORE\0", 1), (b"QEMU\0", 0)))
"""Name and type of notes of which a dump has one for each CPU, in the order of the CPUs."""


class NoteLine(NamedTuple):
    """A note."""

    name: Safe
    kind: Safe
    """Its type in words, or as a number."""
    cpu: int | None
    """The CPU whose registers it has; None for any other note."""
    length: int
    """Bytes of its descriptor."""
    span: Span
    """The whole note, in the file."""
    broken: str
    """What is wrong with its bytes; empty for a whole note."""
    chosen: bool
    """Whether readers use its text."""


def note_lines(document: Document, types: Mapping[int, str]) -> tuple[NoteLine, ...]:
    """Return a line for each note; `types` has the names of the types of CORE notes."""
    layout, out = document.layout, []
    seen: Counter[tuple[bytes, int]] = Counter()
    for index, (note, offset) in enumerate(zip(layout.notes, layout.note_offsets, strict=True)):
        what = (note.name, note.type)
        cpu = seen[what] if what in _OF_EACH_CPU else None
        seen[what] += 1
        alone = isinstance(note, HeaderText)
        name = Safe("text only") if alone else visible(note.name.rstrip(b"\0"))[:_NAME_SHOWN] or "(no name)"
        kind, chosen = _kind(document, note, types), index == document.state.index
        span = Span(offset, len(note.raw))
        out.append(NoteLine(Safe(name), kind, cpu, note.descsz, span, note.broken or "", chosen))
    return tuple(out)


def _kind(document: Document, note: Note, types: Mapping[int, str]) -> Safe:
    if isinstance(note, HeaderText):
        return Safe("the header names it")
    if note.name == b"QEMU\0" and note.type == 0:
        return Safe("CPU state")
    if note is document.state.note and (text := document.state.vmcoreinfo) is not None and note.type == 0:
        return Safe(f"{len(text.lines)} lines")
    named = types.get(note.type, "") if note.name == b"CORE\0" else device_dump(note)
    return Safe(named or f"type {note.type:#x}")
