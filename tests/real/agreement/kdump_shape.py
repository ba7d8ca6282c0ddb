"""Split a kdump-compressed file into parts that can be damaged one by one, and join them; by the records of tests."""

from __future__ import annotations

import builtins
import random
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from tests.dumps.elf_shape import Note, Segment, Shape, notes_of
from tests.dumps.records import (
    KDUMP_HEADER,
    KDUMP_SUB,
    PAGE_DESCRIPTOR,
    PT_NOTE,
    SINCE,
    UTS,
    UTS_SIZE,
    Bits,
    Order,
    Record,
)

HEADER = tuple(KDUMP_HEADER[64].fields)[1:]
"""Fields after the version and utsname."""
SUB = tuple(SINCE)
Form = Literal["packed", "padded", "wide"]
_WIDE: tuple[Bits, Form] = (64, "wide")
_NARROW: tuple[Bits, Form] = (32, "packed")
ZLIB, LZO, SNAPPY, ZSTD = 1, 2, 4, 0x20
Damage = Callable[[random.Random, bytearray], None]


@dataclass
class Page:
    """A page descriptor and the bytes that it points at."""

    flags: int
    data: bytes
    offset: int | None = None
    size: int | None = None


@dataclass
class KdumpShape:
    """A whole file. Fields in `header` and `sub` are written as given; all others follow from the layout."""

    bits: Bits
    order: Order
    form: Form
    """`packed`, `padded` or `wide`: how the sub-header is laid out."""
    notes: Shape
    """An ELF dump with the file's note areas, so that mutations of notes and texts apply to it."""
    pages: dict[int, Page]
    uts: dict[str, bytes] = field(default_factory=dict)
    header: dict[str, int] = field(default_factory=dict)
    sub: dict[str, int] = field(default_factory=dict)
    version: int = 6
    version_swapped: bool = False
    block: int = 4096
    max_pfn: int = 0
    notes_behind: bool = False
    gap: int = 0
    """Bytes between the sub-header and the notes."""
    memory: set[int] = field(default_factory=set)
    """Pages in the first bitmap that the file does not have."""
    magic: bytes = b"KDUMP   "
    own_pointer: bytes | None = None
    """A separate text for offset_vmcoreinfo, at the end of the file."""
    late: list[Damage] = field(default_factory=list)

    @property
    def sub_record(self) -> Record:
        """Damage may put one beside a header of the other width."""
        return KDUMP_SUB[64, "packed"] if self.form == "wide" else KDUMP_SUB[32, self.form]

    def copy(self) -> KdumpShape:
        return deepcopy(self)

    def bytes(self, rng: random.Random) -> bytes:
        sub_size = self.sub_record.size
        area, text, text_length = self._area()
        behind = self.notes_behind
        blocks = -(-(sub_size + self.gap + (0 if behind else len(area))) // self.block)
        bits = max(self.max_pfn, 1)
        each = -(-bits // (8 * self.block))
        tables = (1 + blocks + 2 * each) * self.block
        out = bytearray(tables)
        numbers = sorted(self.pages)
        at = tables + 24 * len(numbers)
        placed: dict[bytes, int] = {}
        body: list[bytes] = []
        descs = []
        for number in numbers:
            page = self.pages[number]
            if page.data not in placed:
                placed[page.data] = at
                body.append(page.data)
                at += len(page.data)
            offset = placed[page.data] if page.offset is None else page.offset
            size = len(page.data) if page.size is None else page.size
            descs.append(PAGE_DESCRIPTOR.pack(self.order, {"offset": offset, "size": size, "flags": page.flags}))
        out += b"".join(descs) + b"".join(body)
        note_at = self.block + sub_size + self.gap
        if behind:
            note_at = len(out)
            out += area
        else:
            out[note_at : note_at + len(area)] = area
        pointed = (note_at + text, text_length) if text else (0, 0)
        if self.own_pointer is not None:
            pointed = len(out), len(self.own_pointer)
            out += self.own_pointer
        self._bitmaps(out, (1 + blocks) * self.block, each * self.block)
        fields = {
            "version": self.version, "status": 1, "block_size": self.block, "sub_hdr_size": blocks,
            "bitmap_blocks": 2 * each, "max_mapnr": min(self.max_pfn, 0xFFFFFFFF), "nr_cpus": 1,
        } | self.header  # fmt: skip
        sub = {
            "dump_level": 1, "offset_vmcoreinfo": pointed[0], "size_vmcoreinfo": pointed[1],
            "offset_note": note_at if area else 0, "size_note": len(area), "max_mapnr_64": self.max_pfn,
        } | self.sub  # fmt: skip
        record = KDUMP_HEADER[self.bits]
        head = bytearray(record.pack(self.order, fields))
        if self.version_swapped:
            record.put("big" if self.order == "little" else "little", head, "version", self.version)
        head[:8] = self.magic.ljust(8, b"\0")
        for index, name in enumerate(UTS):
            at = 12 + index * UTS_SIZE
            head[at : at + UTS_SIZE] = self.uts.get(name, b"").ljust(UTS_SIZE, b"\0")[:UTS_SIZE]
        raw = self.sub_record.pack(self.order, sub)
        out[: len(head)] = head
        out[self.block : self.block + len(raw)] = raw
        for damage in self.late:
            damage(rng, out)
        return bytes(out)

    def _area(self) -> tuple[builtins.bytes, int, int]:
        """Return the notes, and the offset of the text in them."""
        out, text, length = b"", 0, 0
        for segment in self.notes.areas:
            for note in segment.notes or ():
                if note is self.notes.vmcoreinfo:
                    text, length = len(out) + note.desc_at, len(note.desc)
                out += note.bytes(self.order)
            out += segment.trailing
        return out, text, length

    def _bitmaps(self, out: bytearray, at: int, size: int) -> None:
        for number in self.memory | set(self.pages):
            if number >> 3 < size:
                out[at + (number >> 3)] |= 1 << (number & 7)
        for number in self.pages:
            if number >> 3 < size:
                out[at + size + (number >> 3)] |= 1 << (number & 7)


def from_elf(elf: Shape, block: int, form: Form, notes: list[Note] | None = None) -> KdumpShape:
    """Return the kdump of an ELF dump's memory, as QEMU would write it, each page compressed with zlib."""
    bits: Bits = 64 if form == "wide" else 32
    area = Segment(PT_NOTE, elf.notes if notes is None else notes)
    pages: dict[int, bytearray] = {}
    for segment in elf.memory:
        for at in range(0, len(segment.data), 4096):
            paddr, piece = segment.paddr + at, segment.data[at : at + 4096]
            page = pages.setdefault(paddr // block, bytearray(block))
            start = paddr % block
            piece = piece[: block - start]
            page[start : start + len(piece)] = piece
    shape = KdumpShape(bits, elf.order, form, Shape(bits, elf.order, dict(elf.header), [area]), {}, block=block)
    for number, data in pages.items():
        small = zlib.compress(bytes(data), 1)
        shape.pages[number] = Page(ZLIB, small) if len(small) < block else Page(0, bytes(data))
    shape.max_pfn = max(pages, default=0) + 1
    return shape


def take_apart(data: bytes) -> KdumpShape:
    """A good plain file, little-endian, of 32 bits packed or of 64 bits."""
    wide = KDUMP_HEADER[64].unpack("little", data)["block_size"] in (4096, 65536)
    bits, form = _WIDE if wide else _NARROW
    head = KDUMP_HEADER[bits].unpack("little", data)
    block = head["block_size"]
    sub = KDUMP_SUB[bits, "packed"].unpack("little", data, block)
    area = data[sub["offset_note"] : sub["offset_note"] + sub["size_note"]]
    notes = Shape(bits, "little", {}, [Segment(PT_NOTE, notes_of(area, "little"))])
    shape = KdumpShape(bits, "little", form, notes, {}, block=block, max_pfn=sub["max_mapnr_64"])
    shape.version = head["version"]
    for index, name in enumerate(UTS):
        shape.uts[name] = data[12 + index * UTS_SIZE : 12 + (index + 1) * UTS_SIZE].rstrip(b"\0")
    shape.header = {name: head[name] for name in ("seconds", "microseconds", "status", "nr_cpus")}
    shape.sub = {name: sub[name] for name in ("phys_base", "dump_level")}
    first = (1 + head["sub_hdr_size"]) * block
    size = head["bitmap_blocks"] // 2 * block
    descs = first + 2 * size
    bitmaps = [data[first : first + size], data[first + size : descs]]
    shape.memory = {8 * n + k for n, byte in enumerate(bitmaps[0]) for k in range(8) if byte >> k & 1}
    there = [8 * n + k for n, byte in enumerate(bitmaps[1]) for k in range(8) if byte >> k & 1]
    for index, number in enumerate(there):
        desc = PAGE_DESCRIPTOR.unpack("little", data, descs + PAGE_DESCRIPTOR.size * index)
        shape.pages[number] = Page(desc["flags"], data[desc["offset"] : desc["offset"] + desc["size"]])
    return shape


def text_of(shape: KdumpShape) -> bytes | None:
    """Return the text that the file should have."""
    note = shape.notes.vmcoreinfo
    return None if note is None else note.desc
