"""A dump as parts that can be damaged one by one, and its bytes; with struct alone.

`take_apart` reads a good dump into a `Shape`, `Shape.bytes` writes one: what no mutation
touched comes out as it was.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

PT_LOAD, PT_NOTE, SHT_NOTE, PN_XNUM = 1, 4, 7, 0xFFFF
NAME = b"VMCOREINFO\0"
_FIELDS = ("type", "machine", "version", "entry", "phoff", "shoff", "flags", "ehsize", "phentsize", "phnum",
           "shentsize", "shnum", "shstrndx")  # fmt: skip


@dataclass
class Note:
    """One note; sizes, padding and byte order may lie. `zeros` stand in front of it."""

    name: bytes
    desc: bytes
    kind: int = 0
    namesz: int | None = None
    descsz: int | None = None
    swapped: bool = False
    pad: bytes = b"\0"
    align: int = 4
    ends_padded: bool = True
    zeros: int = 0

    def bytes(self, mark: str) -> bytes:
        if self.swapped:
            mark = ">" if mark == "<" else "<"
        sizes = (
            len(self.name) if self.namesz is None else self.namesz,
            len(self.desc) if self.descsz is None else self.descsz,
        )
        out = _packed(mark + "III", [*sizes, self.kind]) + self.name
        out += self.pad * (-len(out) % self.align) + self.desc
        if self.ends_padded:
            out += self.pad * (-len(out) % self.align)
        return bytes(self.zeros) + out


@dataclass
class Segment:
    """A program header and what it points at: notes, or memory. A field that is None follows from the layout."""

    type: int
    notes: list[Note] | None = None
    data: bytes = b""
    flags: int = 0
    vaddr: int = 0
    paddr: int = 0
    align: int = 0
    offset: int | None = None
    filesz: int | None = None
    memsz: int | None = None
    behind: bytes = b""
    """Bytes of the note area behind its last note."""
    over: Segment | None = None
    """Points at the bytes of this one instead of its own."""

    def content(self, mark: str) -> bytes:
        if self.over is not None:
            return b""
        if self.notes is None:
            return self.data
        return b"".join(note.bytes(mark) for note in self.notes) + self.behind


@dataclass
class Section:
    """A section header; `over` makes it cover that segment instead of its own data."""

    kind: int = 0
    data: bytes = b""
    align: int = 0
    name: int = 0
    info: int = 0
    offset: int | None = None
    size: int | None = None
    swapped: bool = False
    over: Segment | None = None


class Places(NamedTuple):
    """Where the parts lie in the bytes, for damage that knows no parts."""

    head: int
    """Bytes of all headers."""
    notes: int
    """Where the first note area starts."""
    text: int
    """Where the VMCOREINFO text starts; 0 where there is none."""
    text_length: int


Late = Callable[[random.Random, bytearray, Places], None]


@dataclass
class Shape:
    """A whole dump."""

    bits: int
    order: str
    header: dict[str, int]
    """The e_* fields; the counts and offsets are there only where they shall lie."""
    segments: list[Segment]
    sections: list[Section] = field(default_factory=list)
    sections_first: bool = False
    notes_behind: bool = False
    gap: int = 0
    memory_align: int = 1
    notes_align: int = 1
    ident: dict[int, int] = field(default_factory=dict)
    late: list[Late] = field(default_factory=list)
    """Damage of the bytes, in this order."""

    @property
    def mark(self) -> str:
        return "<" if self.order == "little" else ">"

    @property
    def areas(self) -> list[Segment]:
        """The segments that hold notes."""
        return [s for s in self.segments if s.notes is not None]

    @property
    def memory(self) -> list[Segment]:
        return [s for s in self.segments if s.notes is None]

    @property
    def notes(self) -> list[Note]:
        return [note for area in self.areas for note in area.notes or ()]

    @property
    def vmcoreinfo(self) -> Note | None:
        """The last note that holds a text of the name."""
        return next((n for n in reversed(self.notes) if n.name[:10].upper() == b"VMCOREINFO"), None)

    def copy(self) -> Shape:
        return deepcopy(self)

    def bytes(self, rng: random.Random) -> bytes:
        e_size, p_size, s_size = (64, 56, 64) if self.bits == 64 else (52, 32, 40)
        count = len(self.segments)
        sections = self.sections
        if count >= PN_XNUM and not sections:
            sections = [Section(info=count)]
        shoff = (e_size if self.sections_first else e_size + count * p_size) if sections else 0
        phoff = e_size + (len(sections) * s_size if self.sections_first else 0)
        at = head = e_size + count * p_size + len(sections) * s_size
        body, placed = [], {}
        groups = [self.memory, self.areas] if self.notes_behind else [self.areas, self.memory]
        for group in groups:
            for number, segment in enumerate(group):
                align = self.notes_align if segment.notes is not None else self.memory_align
                space = -at % align + (self.gap if group is groups[1] and number == 0 else 0)
                content = segment.content(self.mark)
                body.append(bytes(space) + content)
                placed[id(segment)] = (at + space, len(content))
                at += space + len(content)
        for section in sections:
            if section.data:
                body.append(section.data)
                placed[id(section)] = (at, len(section.data))
                at += len(section.data)
        fields = {
            "type": 4, "machine": 62, "version": 1, "entry": 0, "phoff": phoff, "shoff": shoff, "flags": 0,
            "ehsize": e_size, "phentsize": p_size, "phnum": min(count, PN_XNUM),
            "shentsize": s_size if sections else 0, "shnum": len(sections),
            "shstrndx": next((n for n, s in enumerate(sections) if s.kind == 3), 0),
        } | self.header  # fmt: skip
        ident = bytearray(b"\x7fELF" + bytes((self.bits // 32, 1 if self.mark == "<" else 2, 1)) + bytes(9))
        for index, value in self.ident.items():
            ident[index] = value
        wide = "Q" if self.bits == 64 else "I"
        start = bytes(ident) + _packed(self.mark + f"HHI3{wide}I6H", [fields[name] for name in _FIELDS])
        p_table = b"".join(self._segment(s, placed) for s in self.segments)
        s_table = b"".join(self._section(s, placed) for s in sections)
        tables = s_table + p_table if self.sections_first else p_table + s_table
        out = bytearray(start + tables + b"".join(body))
        places = self._places(head, placed)
        for damage in self.late:
            damage(rng, out, places)
        return bytes(out)

    def _segment(self, segment: Segment, placed: dict[int, tuple[int, int]]) -> bytes:
        at, length = placed[id(segment.over or segment)]
        offset = at if segment.offset is None else segment.offset
        filesz = length if segment.filesz is None else segment.filesz
        memsz = filesz if segment.memsz is None else segment.memsz
        rest = [offset, segment.vaddr, segment.paddr, filesz, memsz]
        if self.bits == 64:
            return _packed(self.mark + "II6Q", [segment.type, segment.flags, *rest, segment.align])
        return _packed(self.mark + "8I", [segment.type, *rest, segment.flags, segment.align])

    def _section(self, section: Section, placed: dict[int, tuple[int, int]]) -> bytes:
        at, length = placed.get(id(section.over or section), (0, 0))
        offset = at if section.offset is None else section.offset
        size = length if section.size is None else section.size
        mark = self.mark if not section.swapped else "<"
        wide = "Q" if self.bits == 64 else "I"
        values = [section.name, section.kind, 0, 0, offset, size, 0, section.info, section.align, 0]
        return _packed(mark + f"II4{wide}II2{wide}", values)

    def _places(self, head: int, placed: dict[int, tuple[int, int]]) -> Places:
        notes = min((placed[id(area)][0] for area in self.areas), default=head)
        for area in reversed(self.areas):
            at = placed[id(area)][0]
            for note in area.notes or ():
                whole = note.bytes(self.mark)
                if note is self.vmcoreinfo:
                    start = note.zeros + 12 + len(note.name)
                    start += -(start - note.zeros) % note.align
                    return Places(head, notes, at + start, len(note.desc))
                at += len(whole)
        return Places(head, notes, 0, 0)


def _packed(form: str, values: list[int]) -> bytes:
    """As struct does, with values that are too large cut to their field."""
    sizes = {"H": 16, "I": 32, "Q": 64}
    kinds: list[str] = []
    number = ""
    for letter in form[1:]:
        if letter.isdigit():
            number += letter
        else:
            kinds += [letter] * int(number or 1)
            number = ""
    return struct.pack(form, *(v & ((1 << sizes[k]) - 1) for v, k in zip(values, kinds, strict=True)))


def take_apart(data: bytes) -> Shape:
    """A good dump; what lies between its parts is not kept."""
    mark, wide = "<" if data[5] == 1 else ">", data[4] == 2
    e_form = mark + ("HHI3QI6H" if wide else "HHI3II6H")
    e = dict(zip(_FIELDS, struct.unpack_from(e_form, data, 16), strict=True))
    shape = Shape(64 if wide else 32, "little" if mark == "<" else "big", {}, [])
    shape.header = {name: e[name] for name in ("machine", "flags", "ehsize")}
    for n in range(e["phnum"]):
        row = struct.unpack_from(mark + ("II6Q" if wide else "8I"), data, e["phoff"] + n * e["phentsize"])
        kind, flags, offset, vaddr, paddr, filesz, memsz, align = row if wide else (row[0], row[6], *row[1:6], row[7])
        content = data[offset : offset + filesz]
        notes = _notes(content, mark) if kind == PT_NOTE else None
        segment = Segment(kind, notes, b"" if notes is not None else content, flags, vaddr, paddr, align)
        segment.memsz = memsz if memsz != filesz else None
        shape.segments.append(segment)
    for n in range(e["shnum"]):
        at = e["shoff"] + n * e["shentsize"]
        # QEMU does not swap the words of .shstrtab.
        swapped = mark == ">" and struct.unpack_from("<I", data, at + 4)[0] == 3
        row = struct.unpack_from(("<" if swapped else mark) + ("II4QII2Q" if wide else "10I"), data, at)
        section = Section(row[1], data[row[4] : row[4] + row[5]], row[8], row[0], row[7], swapped=swapped)
        shape.sections.append(section)
    shape.sections_first = bool(shape.sections) and e["shoff"] < e["phoff"]
    return shape


def _notes(area: bytes, mark: str) -> list[Note]:
    out, at = [], 0
    while at + 12 <= len(area):
        namesz, descsz, kind = struct.unpack_from(mark + "III", area, at)
        desc_at = at + 12 + namesz + -namesz % 4
        out.append(Note(area[at + 12 : at + 12 + namesz], area[desc_at : desc_at + descsz], kind))
        at = desc_at + descsz + -descsz % 4
    return out
