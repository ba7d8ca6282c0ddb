"""The text of vmcoreinfo in the memory of an s390x guest, as libkdumpfile takes it (s390x.c).

Its address is at a fixed place: at 0xe18 by way of os_info, with checksums, or at 0xe0c.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Final

from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, note_header
from vmci_tui.readers.libkdumpfile.memory import Corrupt, DumpMemory, Missing
from vmci_tui.readers.shared.elf_notes import walk

_LC_VMCORE_INFO: Final = 0x0E0C
_LC_OS_INFO: Final = 0x0E18
_MAGIC: Final = 0x4F53494E464F535A
_PAGE: Final = 4096
_AFTER_SUM: Final = 12
"""The checksum of os_info covers the bytes after it."""
_TEXT_LIMIT: Final = 1 << 24


@cache
def _os_info(order: ByteOrder) -> NamedStruct:
    """Return struct os_info (arch/s390/include/asm/os_info.h), up to the entry of vmcoreinfo."""
    return NamedStruct.of(order, ("magic", "csum", "addr", "size", "entry_csum"), ("Q", "I", "20xQ", "Q", "I"))


def text_of(memory: DumpMemory, order: ByteOrder) -> bytes | None:
    """Return the text; None if the note has another name. Raises Missing, Corrupt, Stopped and Killed."""
    try:
        return _by_os_info(memory, order)
    except Missing:
        return _by_note(memory, order)


def _by_os_info(memory: DumpMemory, order: ByteOrder) -> bytes:
    at = int.from_bytes(_read(memory, _LC_OS_INFO, 8, "Cannot read LC_OS_INFO pointer: "), order)
    if not at:
        raise Missing("NULL os_info pointer")
    if at % _PAGE:
        raise Corrupt(f"Invalid os_info pointer: {at:#x}")
    info = _read(memory, at, _PAGE, "Cannot read os_info: ")
    magic, sum_of_info, place, size, sum_of_text = _os_info(order).unpack_from(info)
    if magic != _MAGIC:
        raise Missing(f"Invalid os_info magic: {magic:#x}")
    _check(info[_AFTER_SUM:], sum_of_info, "os_info")
    if not size or not place or size > _TEXT_LIMIT:
        raise Missing("No VMCOREINFO found in os_info")
    text = _read(memory, place, size, "Cannot read VMCOREINFO: ")
    _check(text, sum_of_text, "VMCOREINFO")
    return text


def _by_note(memory: DumpMemory, order: ByteOrder) -> bytes | None:
    at = int.from_bytes(memory.read("physical", _LC_VMCORE_INFO, 8), order)
    if not at:
        raise Missing("NULL VMCOREINFO pointer")
    namesz, descsz, _ = note_header(order).unpack(memory.read("physical", at, HEADER))
    length = HEADER + (namesz + 3 & ~3) + descsz
    if length > _TEXT_LIMIT:
        raise Missing("Page not found")
    note = memory.read("physical", at, length)
    found = walk(at, note, order, 4, padding=False).notes
    return next((place.desc for place in found if place.name in (NAME, NAME[:-1])), None)


def _read(memory: DumpMemory, at: int, length: int, before: str) -> bytes:
    try:
        return memory.read("physical", at, length)
    except Corrupt as failed:
        raise Corrupt(f"{before}{failed}") from None


def _check(data: bytes, wanted: int, what: str) -> None:
    found = checksum(data)
    if found != wanted:
        raise Corrupt(f"Invalid {what} checksum: {found:#x} != {wanted:#x}")


def checksum(data: bytes) -> int:
    """Return the sum of big-endian 32-bit words, with the carry added again (cksum32)."""
    whole = len(data) & ~3
    total: int = sum(struct.unpack(f">{whole // 4}I", data[:whole]))
    total += int.from_bytes(data[whole:], "little") << 8 * (4 - len(data) + whole) if whole < len(data) else 0
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total
