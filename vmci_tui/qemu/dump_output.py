"""Read the dumps that QEMU wrote: the guest, the notes, the phys_base."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.elf_records import format_of
from vmci_tui.formats.segment_table import Segments
from vmci_tui.machines.lookup import machine_name
from vmci_tui.qemu import QemuError
from vmci_tui.readers.qemu.entry_reading import DumpTarget

_PT_NOTE: Final = 4
_FLAT_HEADER: Final = 4096
_FLAT_RECORD: Final = struct.Struct(">QQ")
_FLAT_MARK: Final = b"makedumpfile"


class ElfDumpHead(NamedTuple):
    """What the headers of an ELF dump say."""

    guest: DumpTarget
    notes: bytes
    """All that PT_NOTE holds: the notes of the CPUs, then what was appended."""


def read_elf(data: bytes, ram_base: int) -> ElfDumpHead:
    """Read the headers of an ELF dump. Raises QemuError if it is not one with notes."""
    if len(data) < 64 or data[:4] != b"\x7fELF":
        raise QemuError("QEMU wrote no ELF dump")
    bits, order = 64 if data[4] == 2 else 32, _order(data[5] == 2)
    form = format_of(bits, order)
    header = form.unpack_header(data[: form.header_size])
    table = data[header.phoff : header.phoff + header.phnum * form.segment.size]
    table = table[: len(table) // form.segment.size * form.segment.size]
    for item in Segments.read(form, table, form.segment.size).of_type(_PT_NOTE):
        notes = data[item.offset : item.offset + item.filesz]
        return ElfDumpHead(DumpTarget(machine_name(header.machine, bits), bits, order, ram_base), notes)
    raise QemuError("QEMU wrote a dump without notes")


def read_phys_base(head: bytes, guest: DumpTarget) -> int:
    """Return phys_base of a flattened kdump's second header (dump.h, KdumpSubHeader64 and 32). Raises QemuError."""
    if head.startswith(_FLAT_MARK):
        _, length = _FLAT_RECORD.unpack_from(head, _FLAT_HEADER)
        at = _FLAT_HEADER + _FLAT_RECORD.size + length + _FLAT_RECORD.size
        wide = guest.bits // 8
        if at + wide <= len(head):
            return int.from_bytes(head[at : at + wide], guest.order)
    raise QemuError("QEMU wrote no kdump")


def _order(big: bool) -> ByteOrder:
    return "big" if big else "little"
