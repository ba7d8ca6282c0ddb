"""The open entry and guest memory as QEMU would see them."""

from __future__ import annotations

from vmci_tui.common.errors import OpenError
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import NOTE_HEADER, SIZE_LIMIT
from vmci_tui.readers.qemu.entry_reading import DumpTarget, RegionBytes


def guest_of(document: Document) -> DumpTarget:
    """Return the guest by the open dump; without one, an unknown little-endian machine."""
    dump = document.dump
    if dump is None:
        return DumpTarget(None, 64, "little")
    ranges = dump.memory.ranges
    return DumpTarget(dump.machine, dump.bits, dump.order, ranges[0].paddr if ranges else 0)


def pointed_at(document: Document) -> RegionBytes | None:
    """Return the bytes that the entry points at; None if they are not known.

    A dump holds all RAM, so missing bytes are zeros, unless the dump was windowed or cut: if it
    lacks all of the region, the note in the dump shows what was there.
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
    """Read guest memory; after the last address QEMU continues at 0."""
    assert document.dump is not None
    memory, source = document.dump.guest_memory, document.dump.guest_source
    first = min(size, (1 << 64) - paddr)
    data = memory.read(source, paddr, first)
    return data + memory.read(source, 0, size - first) if first < size else data
