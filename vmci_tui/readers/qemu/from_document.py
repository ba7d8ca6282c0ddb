"""The entry and the guest memory of what is open, as QEMU would have them before it."""

from __future__ import annotations

from vmci_tui.common.errors import OpenError
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import NOTE_HEADER, SIZE_LIMIT
from vmci_tui.readers.qemu.entry_reading import DumpTarget, RegionBytes


def guest_of(document: Document) -> DumpTarget:
    """The guest, by its dump; without one, a little-endian machine that is not known."""
    dump = document.dump
    if dump is None:
        return DumpTarget(None, 64, "little")
    ranges = dump.memory.ranges
    return DumpTarget(dump.machine, dump.bits, dump.order, ranges[0].paddr if ranges else 0)


def pointed_at(document: Document) -> RegionBytes | None:
    """The bytes that the entry points at; None where nothing tells them.

    A dump holds all RAM, so what it lacks reads as zeros, unless it was made of a window or cut:
    where none of the region is in it, the note that it holds tells what was there.
    """
    history, dump = document.state.entry, document.dump
    if history is None or dump is None:
        return None
    entry = history.entry
    if not NOTE_HEADER <= entry.size <= SIZE_LIMIT:
        return RegionBytes(b"")  # QEMU does not look
    if dump.guest_memory.covered(entry.paddr, NOTE_HEADER):
        part = dump.memory.range_at(entry.paddr)
        whole = part is not None and entry.paddr + entry.size <= part.end
        try:
            data = _read(document, entry.paddr, entry.size)
        except OpenError:
            return None
        return RegionBytes(data, dump.memory.offset_of(entry.paddr) if whole else None)
    if document.opened.note is not None:
        return RegionBytes(document.opened.note.raw)
    if any(note.is_empty for note in document.opened.notes):
        return RegionBytes(b"")
    return None


def _read(document: Document, paddr: int, size: int) -> bytes:
    """Guest memory; QEMU's reads go on at 0 behind the last address."""
    assert document.dump is not None
    memory, source = document.dump.guest_memory, document.dump.guest_source
    first = min(size, (1 << 64) - paddr)
    data = memory.read(source, paddr, first)
    return data + memory.read(source, 0, size - first) if first < size else data
