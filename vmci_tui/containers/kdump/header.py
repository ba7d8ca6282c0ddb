"""Read the two headers of a kdump-compressed file, and detect their width and byte order.

Nothing in the file names its width: a header is read in all four forms, and the one that makes sense
counts. libkdumpfile does the same (diskdump.c, try_header); crash and makedumpfile assume their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.formats.elf_note import HEADER, ByteOrder, Note, align_up
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.kdump_records import (
    BLOCK_SIZES,
    HEADER_SIZE,
    SUB_HEADER_SIZE,
    DiskDumpHeader,
    KdumpFormat,
    KdumpSubHeader,
)
from vmci_tui.layers.file import HEAD_LIMIT, Source
from vmci_tui.machines.facts import MachineFacts
from vmci_tui.machines.lookup import machine_of_uname
from vmci_tui.machines.table import MACHINES

BITMAP_LIMIT: Final = 512 << 20
"""Bytes of one bitmap that are read: 16 TiB of guest in pages of 4 KiB."""
NEWEST: Final = 6
_NAME_LIMIT: Final = 64
"""The longest note name, in bytes, that counts as a sign that the headers are read correctly."""

_FORMATS: Final = tuple(KdumpFormat(bits, order) for order in ("little", "big") for bits in (64, 32))


class KdumpHeader(NamedTuple):
    """The contents of both headers. Offsets and sizes are in bytes of the plain file."""

    form: KdumpFormat
    header: DiskDumpHeader
    sub: KdumpSubHeader
    doubts: tuple[str, ...] = ()
    """Messages that width, byte order or version are ambiguous."""

    @property
    def version(self) -> int:
        """The header version by which the sub-header is read."""
        return self.header.version if 0 <= self.header.version <= NEWEST else NEWEST

    @property
    def block_size(self) -> int:
        return self.header.block_size

    @property
    def phys_base(self) -> int:
        """The stored value, unsigned."""
        return self.sub.phys_base

    @property
    def max_mapnr(self) -> int:
        """One more than the highest page frame number of the machine."""
        return self.sub.max_mapnr_64 or self.header.max_mapnr

    @property
    def bitmaps(self) -> tuple[int, int]:
        """Offset and length of both bitmaps together."""
        return (1 + self.header.sub_hdr_size) * self.block_size, self.header.bitmap_blocks * self.block_size

    @property
    def bitmap(self) -> tuple[int, int]:
        """Offset and length of the bitmap of the pages that are in the file.

        It is the second of the two; if both together are just long enough for the memory, an old file
        has only one (crash, diskdump.c, dump_is_partial).
        """
        start, length = self.bitmaps
        return (start + length // 2, length // 2) if self.max_mapnr <= length * 4 else (start, length)

    @property
    def descriptors(self) -> int:
        """Offset of the page descriptors."""
        return sum(self.bitmaps)

    @property
    def pfns(self) -> tuple[int, int]:
        """First page frame number of this file, and one more than its last: each file of a split dump has a part."""
        last = min(self.max_mapnr, self.bitmap[1] * 8)
        if not self.sub.split:
            return 0, last
        first, end = self.sub.start_pfn, self.sub.end_pfn
        if self.version >= 6:
            first, end = self.sub.start_pfn_64, self.sub.end_pfn_64
        return min(first, last), min(end, last)

    @property
    def memory(self) -> tuple[object, ...]:
        """The values that locate the pages of memory; no save changes them."""
        return self.pfns, self.bitmap, self.descriptors

    @property
    def notes(self) -> tuple[int, int]:
        """Offset and length of the ELF notes; (0, 0) where the file has none."""
        return (self.sub.offset_note, self.sub.size_note) if self.sub.size_note else (0, 0)

    @property
    def vmcoreinfo(self) -> tuple[int, int]:
        """Offset and length of the vmcoreinfo text; (0, 0) where the header names none."""
        return (self.sub.offset_vmcoreinfo, self.sub.size_vmcoreinfo) if self.sub.size_vmcoreinfo else (0, 0)

    @property
    def eraseinfo(self) -> tuple[int, int]:
        """Offset and length of makedumpfile's list of what it erased; (0, 0) if there is none."""
        return (self.sub.offset_eraseinfo, self.sub.size_eraseinfo) if self.sub.size_eraseinfo else (0, 0)


def read_header(plain: Source) -> KdumpHeader:
    """Read both headers of the plain file. Raises OpenError if no width and byte order make sense of them."""
    head = plain.read(0, HEADER_SIZE)
    if len(head) < HEADER_SIZE:
        raise OpenError(f"this kdump file is cut off: {len(head)} bytes, no whole header", "copy it again")
    form, header, doubts = _detect_form(head)
    if header.bitmap_blocks * header.block_size > 2 * BITMAP_LIMIT:
        raise OpenError(
            f"this kdump file claims {header.bitmap_blocks} blocks of bitmap; the limit is {2 * BITMAP_LIMIT} bytes",
            "its header is damaged: repair bitmap_blocks, or dump again",
        )
    if not 0 <= header.version <= NEWEST:
        doubts.append(f"header_version is {header.version}: the sub-header is read as version {NEWEST} has it")
    version = header.version if 0 <= header.version <= NEWEST else NEWEST
    raw = plain.read(header.block_size, SUB_HEADER_SIZE)
    if len(raw) < form.sub_header_length(version):
        raise OpenError("this kdump file is cut off: its sub-header is not whole", "copy it again")
    if form.bits == 32 and version >= 3:
        form, padding = _detect_padding(plain, form, header, version, raw)
        doubts += padding
    result = KdumpHeader(form, header, form.unpack_sub_header(raw, version))
    doubts += _no_page(result)
    return result._replace(doubts=tuple(doubts))


def _detect_form(head: bytes) -> tuple[KdumpFormat, DiskDumpHeader, list[str]]:
    """Detect width and byte order: block_size and the sizes in blocks must be possible."""
    read = [(form, form.unpack_header(head)) for form in _FORMATS]
    possible = [
        (form, header)
        for form, header in read
        if header.block_size in BLOCK_SIZES and 0 < header.sub_hdr_size * header.block_size <= HEAD_LIMIT
    ]
    if not possible and (bare := [h for _, h in read if h.block_size in BLOCK_SIZES and not h.sub_hdr_size]):
        raise OpenError(
            f"this kdump file has no sub-header (block_size {bare[0].block_size}, sub_hdr_size 0): "
            "no note, no text and no pointer to one can be in it",
            "QEMU and makedumpfile write one of a block at least: dump again",
        )
    if not possible:
        sizes = ", ".join(f"{header.block_size} as {form.bits} bit {form.order}-endian" for form, header in read)
        raise OpenError(
            f"no width and byte order make sense of this kdump file's header: block_size is {sizes}",
            "its header is damaged: block_size is 4096 to 65536, sub_hdr_size 1 or more blocks",
        )
    if len(possible) > 1:
        whole = [(f, h) for f, h in possible if 0 < h.max_mapnr <= h.bitmap_blocks * h.block_size * 8]
        possible = whole or possible
    form, header = possible[0]
    if len(possible) == 1:
        return form, header, []
    machine = uts_machine(header)
    for other, reading in possible:
        if (32 if machine is not None and machine.bits == 32 else 64) == other.bits:
            form, header = other, reading
            break
    others = " or ".join(f"{f.bits} bit {f.order}-endian" for f, _ in possible if f != form)
    words = f"the header makes sense as {others} too; it is read as {form.bits} bit {form.order}-endian"
    return form, header, [f"{words}, for utsname.machine {machine.name}" if machine else words]


def _detect_padding(
    plain: Source, form: KdumpFormat, header: DiskDumpHeader, version: int, raw: bytes
) -> tuple[KdumpFormat, tuple[str, ...]]:
    """Detect packed or padded: offsets must be in the file, and max_mapnr must agree with the header."""
    packed, padded = form, form._replace(padded=True)
    scores = [
        sum(_padding_scores(plain, header, one, one.unpack_sub_header(raw, version), version))
        for one in (packed, padded)
    ]
    if scores[0] == scores[1] and any(raw[20:]):
        if not taken_for_packed(form, raw, (1 + header.sub_hdr_size) * header.block_size, header.block_size):
            return padded, ()
        return packed, ("the sub-header may be packed or padded: it is read as packed, like QEMU's",)
    return (padded if scores[1] > scores[0] else packed), ()


def taken_for_packed(form: KdumpFormat, raw: bytes, payload: int, block: int) -> bool:
    """Return whether libkdumpfile reads a 32-bit sub-header as packed (diskdump.c, read_sub_hdr_32; version 3 on).

    `payload` is the end of its blocks. libkdumpfile reads the pointer to the text in the packed layout.
    """
    sub = form._replace(padded=False).unpack_sub_header(raw, NEWEST)
    offset, size = sub.offset_vmcoreinfo, sub.size_vmcoreinfo
    return (offset, size) == (0, 0) or block < offset <= offset + size <= payload


def _padding_scores(
    plain: Source, header: DiskDumpHeader, form: KdumpFormat, sub: KdumpSubHeader, version: int
) -> Iterator[int]:
    if version >= 6:
        yield 4 * (0 < sub.max_mapnr_64 == header.max_mapnr)
    for offset, size in ((sub.offset_note, sub.size_note), (sub.offset_vmcoreinfo, sub.size_vmcoreinfo)):
        if not offset and not size:
            yield 0
        elif offset and not size:
            yield 0  # a file without a text shows its layout by this
        elif offset < header.block_size or offset + size > plain.size:
            yield -2
        else:
            yield 2
            if offset == sub.offset_note:
                first = Note(plain.read(offset, HEADER), form.order)
                yield 2 * (0 < first.namesz <= _NAME_LIMIT and HEADER + align_up(first.namesz) + first.descsz <= size)


def _no_page(header: KdumpHeader) -> Iterator[str]:
    first, last = header.pfns
    empty_part = header.sub.split and first == last  # a part of a split dump may have none
    if header.bitmaps[1] == 0 or (first >= last and not empty_part):
        yield "the header describes no page: bitmap_blocks, max_mapnr, or the part of a split dump"


def uts_machine(header: DiskDumpHeader) -> MachineFacts | None:
    """Return the machine by utsname, in upper or lower case; None if unknown."""
    return machine_of_uname(header.machine.split(b"\0", 1)[0].lower())


def text_of(notes: tuple[Note, ...], starts: tuple[int, ...]) -> tuple[int, int] | None:
    """Return offset and length of the text that the header is to name.

    It is the text that only the header names, else the last whole VMCOREINFO note's; None if there is none.
    """
    found = None
    for note, start in zip(notes, starts, strict=True):
        if isinstance(note, HeaderText):
            return start, note.descsz
        if note.is_vmcoreinfo and note.whole:
            found = start + note.desc_start, note.descsz
    return found


def machine_of(header: DiskDumpHeader, notes: tuple[Note, ...], order: ByteOrder) -> str | None:
    """Return the machine by utsname, else by the length of the registers' notes: QEMU 10 writes `Unknown`."""
    if (named := uts_machine(header)) is not None:
        return named.name
    lengths = [note.descsz for note in notes[:1] if note.type == 1 and note.name == b"CORE\0" and note.descsz]
    return next((row.name for row in MACHINES.values() if order in row.orders and row.prstatus in lengths), None)
