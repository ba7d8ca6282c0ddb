"""Read one side of a comparison: a dump's note, a raw note, a text, or the object at an address of a dump."""

from __future__ import annotations

import os
import re
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.elf_note import Note, parse_raw
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo, is_indented, unindented
from vmci_tui.knowledge.text_diff import TextDiff, compare, header_remarks
from vmci_tui.opening.note_inputs import note_or_bare_text
from vmci_tui.opening.open_file import open_document
from vmci_tui.search.entry_region import object_at

_ADDRESS: Final = re.compile(r"(.+)@(0x[0-9a-fA-F]{1,16}|[0-9]{1,20})", re.S)


class DiffInput(NamedTuple):
    """One side of the comparison."""

    name: Safe
    text: Vmcoreinfo
    note: Note | None
    """None for a text without a note header."""


def diff_input(name: str) -> DiffInput:
    """Read a file, or DUMP@PADDR if no file has that name. Raises OpenError."""
    match = None if os.path.exists(name) else _ADDRESS.fullmatch(name)
    if match is not None:
        return _at(match[1], int(match[2], 0 if match[2].startswith("0x") else 10), visible(name))
    found = note_or_bare_text(name)
    if isinstance(found, bytes):
        return DiffInput(visible(name), Vmcoreinfo(unindented(found) if is_indented(found) else found), None)
    if found.is_windows:
        raise OpenError(f"{visible(name)} holds a Windows dump header, not text", "it has no keys to compare")
    return DiffInput(visible(name), Vmcoreinfo(found.desc), found)


def compared(a: DiffInput, b: DiffInput) -> TextDiff:
    """Compare both sides; differences between the notes' headers come last in the summary."""
    found = compare(a.text, b.text)
    remarks = header_remarks(a.note, b.note)
    if (a.note is None) != (b.note is None):
        bare = "A" if a.note is None else "B"
        remarks = (f"{bare} is text alone, without a note header",)
    return found._replace(summary=(*found.summary, *remarks))


def _at(path: str, paddr: int, name: Safe) -> DiffInput:
    with open_document(path) as document:
        if document.dump is None:
            raise OpenError(f"{document.name} is not a dump, so it has no addresses", "name a dump before the @")
        found = object_at(guest_of(document.dump), paddr)
    if found.kind not in ("note", "text") or found.candidate is None:
        what = {
            "outside": "the dump does not have that memory",
            "cut": f"the note there takes {found.needed} bytes, and the dump does not have all of them",
            "windows": "there is a Windows dump header, not text",
        }.get(found.kind, "there is neither a note nor a text")
        raise OpenError(f"{name}: {what}", "`vmci find` lists the candidates")
    note = parse_raw(found.candidate.raw) if found.kind == "note" else None
    return DiffInput(name, found.candidate.vmcoreinfo, note)
