"""The memory region that the entry points at, compared with the dump's own note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, Literal, NamedTuple

from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import HEADER, NAME, Note, align_up, parse_raw
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT, Entry
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.text_diff import TextDiff, compare, difference_text, header_remarks
from vmci_tui.search.candidate import Candidate

ObjectKind = Literal["outside", "cut", "note", "windows", "text", "zeros", "other"]
"""`cut`: a note whose end is not in the dump; `text`: key=value lines without a note header."""

_HEAD: Final = HEADER + len(NAME)
_LINE: Final = re.compile(rb"[A-Za-z][\x21-\x3c\x3e-\x7e]*=[\x20-\x7e]*\n")
_LARGEST_PAGE: Final = 1 << 16
"""Bytes; no kernel writes more text than a page."""
_NAMES: Final = ("the region", "the dump")


class MemoryObject(NamedTuple):
    """What is at a guest-physical address."""

    kind: ObjectKind
    bytes_in_file: int
    """How many of the bytes that were asked for the file has, from the address on without a gap."""
    head: bytes
    """The first of these bytes."""
    candidate: Candidate | None = None
    """The note, whole or cut, or the text."""
    needed: int = 0
    """Bytes of the note with its padding; 0 if there is no note."""


class RegionView(NamedTuple):
    """The entry's region, and how it compares with the dump's note."""

    entry: Entry
    found: MemoryObject
    same: bool | None
    """Whether it equals the dump's note, byte order of the header aside; None if one of the two does not exist."""
    first: int | None
    """The first byte that differs, counted from the start of the note, or of the text."""
    bytes_differ: int
    difference: TextDiff | None
    """The difference by key, if both are text."""
    remarks: tuple[str, ...]
    """What differs between the notes' headers."""
    why: str
    """One line, safe to show."""


def region_of(document: Document) -> RegionView | None:
    """Return the region of the open entry; None without an entry or without a dump. Raises OpenError."""
    history = document.state.entry
    if document.dump is None or history is None or history.never_written:
        return None
    return view(history.entry, guest_of(document.dump), document.state)


def view(entry: Entry, guest: Guest, state: State) -> RegionView:
    """Read the memory at the entry's `paddr` and compare it with the note. Raises OpenError if it cannot be read."""
    found = object_at(guest, entry.paddr, entry.size)
    note = state.note
    if found.candidate is None or note is None:
        return RegionView(entry, found, None, None, 0, None, (), _why(entry, found, None, note))
    mine, its = _content(found.candidate, note)
    there = parse_raw(found.candidate.raw) if found.kind in ("note", "windows") else None
    if found.kind == "cut":
        its = its[: len(mine)]
    differ = [] if mine == its else [at for at, (a, b) in enumerate(zip_longest(mine, its)) if a != b]
    remarks = header_remarks(there, note, _NAMES)
    same = not differ and (there is None or (there.name, there.type) == (note.name, note.type))
    difference = None
    if found.kind in ("note", "text") and not note.is_windows:
        difference = compare(found.candidate.vmcoreinfo, state.vmcoreinfo or Vmcoreinfo(note.desc), _NAMES)
    # Offsets in a text count from its start, offsets in a note from its header.
    start = 0 if found.kind == "text" else HEADER
    first = start + differ[0] if differ else None
    result = RegionView(entry, found, same, first, len(differ), difference, remarks, "")
    return result._replace(why=_why(entry, found, result, note))


def object_at(guest: Guest, paddr: int, size: int = _LARGEST_PAGE) -> MemoryObject:
    """Return what is at `paddr`: a note of any length, or a text of up to `size` bytes. Raises OpenError."""
    wanted = min(max(size, _HEAD), SIZE_LIMIT)
    head = _read(guest, paddr, _HEAD)
    needed = _needed(head)
    data = _read(guest, paddr, max(wanted, needed))
    if not data:
        return MemoryObject("outside", 0, b"")
    in_file = min(len(data), wanted)
    if needed:
        note = parse_raw(data)
        if note is None:
            candidate = Candidate(paddr, _offset(guest, paddr), "note", data, None)
            return MemoryObject("cut", in_file, head, candidate, needed)
        candidate = Candidate(paddr, _offset(guest, paddr), "note", note.raw, note.order)
        return MemoryObject("windows" if note.is_windows else "note", in_file, head, candidate, needed)
    if not any(data):
        return MemoryObject("zeros", in_file, head)
    if _LINE.match(data):
        text = data.partition(b"\0")[0]
        text = text[: text.rfind(b"\n") + 1]
        return MemoryObject("text", in_file, head, Candidate(paddr, _offset(guest, paddr), "text", text, None))
    return MemoryObject("other", in_file, head)


def region_lines(seen: RegionView) -> Iterator[str]:
    """Yield lines about the region: what it is, then the differences, with the region as a and the dump's note as b."""
    yield seen.why
    yield from seen.remarks
    if seen.difference is not None and not seen.difference.same:
        yield from difference_text(seen.difference)


def _read(guest: Guest, paddr: int, length: int) -> bytes:
    """Read up to `length` bytes, as many as the file has without a gap."""
    at = paddr
    while at < paddr + length:
        item = guest.memory.range_at(at)
        if item is None or item.offset is None:
            break
        at = item.end
    return guest.read(paddr, min(at - paddr, length)) or b""


def _needed(head: bytes) -> int:
    """Return the bytes that the note beginning with `head` takes, in either byte order; 0 if it is not a note."""
    if len(head) < _HEAD or head[HEADER:_HEAD] != NAME:
        return 0
    for order in ("little", "big"):
        namesz, descsz = (int.from_bytes(head[at : at + 4], order) for at in (0, 4))
        if namesz == len(NAME) and descsz <= SIZE_LIMIT:
            return HEADER + align_up(namesz) + align_up(descsz)
    return 0


def _offset(guest: Guest, paddr: int) -> int | None:
    return guest.offset_of(paddr)


def _content(there: Candidate, note: Note) -> tuple[bytes, bytes]:
    """Return the bytes to compare: name and descriptor without padding, or the text alone."""
    if there.kind == "text":
        return there.raw, note.desc
    whole = parse_raw(there.raw)
    return there.raw[HEADER:] if whole is None else _unpadded(whole), _unpadded(note)


def _unpadded(note: Note) -> bytes:
    return note.name.ljust(align_up(len(note.name), note.align), b"\0") + note.desc


def _why(entry: Entry, found: MemoryObject, compared: RegionView | None, note: Note | None) -> str:
    at = f"paddr {entry.paddr:#x}"
    if found.kind == "outside":
        return (
            f"the dump has no memory at {at}. QEMU reads zeros where the guest has no RAM; "
            "the memory may also be missing because the dump is partial or cut"
        )
    if found.kind == "zeros":
        return f"the memory at {at} is zeros: QEMU reads it as a note of 12 zero bytes"
    if found.kind == "other":
        return f"there is no VMCOREINFO note at {at}: the memory begins with {found.head[:HEADER].hex(' ')}"
    what = {
        "cut": f"the note at {at} takes {found.needed} bytes, but only {_there(found)} of them are in the dump",
        "windows": f"a Windows dump header is at {at}",
        "text": f"text without a note header is at {at}, as in the kernel's page vmcoreinfo_data",
        "note": f"a note is at {at}",
    }[found.kind]
    tail = ""
    if found.kind in ("note", "windows") and found.bytes_in_file < entry.size <= SIZE_LIMIT:
        tail = f"; the region's last {entry.size - found.bytes_in_file} bytes are not in the dump"
    if compared is None:
        return f"{what}; the dump has no VMCOREINFO note{tail}"
    return f"{what}: {_verdict(compared, note)}{tail}"


def _there(found: MemoryObject) -> int:
    return len(found.candidate.raw) if found.candidate is not None else 0


def _verdict(compared: RegionView, note: Note | None) -> str:
    """Return how it compares with the dump's note, and what that means."""
    if compared.found.kind == "cut":
        if compared.first is None:
            return "the part that is in the dump matches the dump's note"
        return f"it differs from the dump's note from byte {compared.first} on"
    if compared.same:
        kind = "text" if compared.found.kind == "text" else "note"
        there = compared.found.candidate
        if note is not None and there is not None and there.order not in (None, note.order):
            return f"it matches the dump's {kind}, except for the byte order of the header"
        return f"it matches the dump's {kind} exactly"
    if compared.first is None:
        return "its text matches the dump's, its name or type does not"
    where = f"{compared.bytes_differ} bytes differ, the first at {compared.first}"
    if compared.difference is None:
        return f"it differs from the dump's note: {where}"
    return f"{_MEANT[compared.difference.kind]} ({where})"


_MEANT: Final = {
    "kernel": "it is from another kernel than the dump's note: one of the two is stale, as an entry is after kexec",
    "boot": "it is from another boot of the same kernel: one of the two is edited, or stale as an entry is after kexec",
    "crash": "CRASHTIME differs: the guest panicked after one and before the other",
    "values": "it is from the same kernel, with other values: the note was edited, or memory has changed",
    "form": "it has the same keys and values in another form: the note was edited",
    "same": "the same text",
}
