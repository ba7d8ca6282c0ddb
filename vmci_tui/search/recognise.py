"""Recognise what is at an address: a note, a text alone, or neither; and what is wrong with it.

The kernel's own note and text are on page starts and whole: key=value lines from OSRELEASE to the last newline,
in one page or in several that the kernel allocated for them. Everything else is a copy, a part, or similar.
"""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, align_up
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.memory_blocks import PAGE

FIRST_KEY: Final = b"OSRELEASE="
"""How every text of Linux begins."""
TEXT_AT: Final = align_up(HEADER + len(NAME))
"""Offset of the text in a note."""
TEXT_LIMIT: Final = 1 << 16
"""Bytes of the largest page of all machines; a kernel that allocates several smaller ones needs no more."""

_TEXT = re.compile(rb"[ -~\n]*")
_RELEASE = re.compile(rb"OSRELEASE=([!-$&-~]{1,200})\n")
"""Without %: the kernel's format string is not a release. Linux has room for 64 characters."""
_FIRST_LINE: Final = 256
"""Bytes that are read first, so that many false matches cost little."""


def candidate_at(guest: Guest, paddr: int) -> Candidate | None:
    """Return the note or the text that begins at `paddr`; None if there is neither."""
    head = guest.read(paddr, TEXT_AT)
    if head is None:
        return None
    if (order := header_order(head)) is not None:
        return _note_at(guest, paddr, head, order)
    return _text_at(guest, paddr) if head.startswith(FIRST_KEY) else None


def header_order(head: bytes) -> ByteOrder | None:
    """Return the byte order of the VMCOREINFO note that begins with these 24 bytes; None if it is not one."""
    if head[HEADER : HEADER + len(NAME)] != NAME:
        return None
    if head[:4] == len(NAME).to_bytes(4, "little"):
        return "little"
    return "big" if head[:4] == len(NAME).to_bytes(4, "big") else None


def release_of(text: bytes) -> bytes:
    """Return the release in the first line, where every text of Linux has it; empty if it is not there."""
    match = _RELEASE.match(text)
    return match[1] if match else b""


def _note_at(guest: Guest, paddr: int, head: bytes, order: ByteOrder) -> Candidate | None:
    claimed = int.from_bytes(head[4:8], order)
    if not _RELEASE.match(_held(guest, paddr + TEXT_AT, min(claimed, _FIRST_LINE))):
        return None
    data = _held(guest, paddr + TEXT_AT, min(claimed, TEXT_LIMIT))
    run = _run(data)
    if claimed > TEXT_LIMIT:
        damage = f"claims {claimed} bytes, more than any page holds"
    elif len(data) < claimed:
        damage = f"claims {claimed} bytes, {len(data)} are in the dump"
    elif run < claimed:
        damage = f"claims {claimed} bytes, {run} are text"
    else:
        damage = ""
    text = data[:run]
    end = TEXT_AT + run
    padding = b"" if damage else guest.read(paddr + end, align_up(end) - end) or b""
    faults = (damage, _misplaced(paddr)) if damage else _faults(paddr, text)
    return Candidate(paddr, guest.offset_of(paddr), "note", head + text + padding, order, *faults)


def _text_at(guest: Guest, paddr: int) -> Candidate | None:
    if not _RELEASE.match(_held(guest, paddr, _FIRST_LINE)):
        return None
    data = _held(guest, paddr, TEXT_LIMIT)
    run = _run(data)
    text = data[: data.rfind(b"\n", 0, run) + 1]
    if len(text) < run:
        damage = "the last line is cut"
    elif run == len(data):
        damage = "nothing in the dump ends it"
    else:
        damage = "other bytes follow it" if data[run] else ""
    faults = (damage, _misplaced(paddr)) if damage else _faults(paddr, text)
    return Candidate(paddr, guest.offset_of(paddr), "text", text, None, *faults)


def _faults(paddr: int, text: bytes) -> tuple[str, bool]:
    """Return what is wrong with the lines of a complete text, and whether its address is not on a page."""
    info = Vmcoreinfo(text)
    page = info.page_size
    broken = next((line.number for line in info.lines if not line.key), None)
    if not text.endswith(b"\n"):
        damage = "the last line is cut"
    elif broken is not None:
        damage = f"line {broken} is not key=value"
    else:
        damage = "it has no PAGESIZE, which every kernel writes" if page is None else ""
    return damage, _misplaced(paddr, page or PAGE)


def _misplaced(paddr: int, page: int = PAGE) -> bool:
    return paddr % min(max(page, PAGE), TEXT_LIMIT) != 0


def _held(guest: Guest, paddr: int, limit: int) -> bytes:
    """Read up to `limit` bytes from `paddr`, as many as the file has without a gap."""
    at = paddr
    while at < paddr + limit:
        item = guest.memory.range_at(at)
        if item is None or item.offset is None:
            break
        at = item.end
    return guest.memory.read(guest.source, paddr, min(at - paddr, limit))


def _run(data: bytes) -> int:
    """Return how many bytes from the start on are text."""
    match = _TEXT.match(data)
    return match.end() if match else 0
