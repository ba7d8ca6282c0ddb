"""Split a dump into parts that can be damaged one by one, and join them; by the records of tests alone.

`take_apart` reads a good dump into a `Shape`, `Shape.bytes` writes one: what no mutation
touched comes out as it was.
"""

from __future__ import annotations

import builtins
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.dumps.records import (
    ELF_HEADER,
    NOTE,
    PN_XNUM,
    PT_NOTE,
    SECTION,
    SEGMENT,
    SHT_STRTAB,
    Bits,
    Order,
    form_of,
    identification,
    note,
)

_OTHER: dict[Order, Order] = {"little": "big", "big": "little"}


@dataclass
class Note:
    """One note; sizes, padding and byte order may be false. `zeros` precede it."""

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

    def bytes(self, order: Order) -> bytes:
        order = _OTHER[order] if self.swapped else order
        out = note(order, self.name, self.desc, self.kind, self.namesz, self.descsz, self.align, self.pad)
        end = len(out) if self.ends_padded else self.desc_at - self.zeros + len(self.desc)
        return bytes(self.zeros) + out[:end]

    @property
    def desc_at(self) -> int:
        """The offset of the descriptor from the first of the zeros."""
        start = NOTE.size + len(self.name)
        return self.zeros + start + -start % self.align


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
    trailing: bytes = b""
    """Bytes of the note area after its last note."""
    over: Segment | None = None
    """The segment whose bytes it names instead of its own."""

    def content(self, order: Order) -> bytes:
        if self.over is not None:
            return b""
        if self.notes is None:
            return self.data
        return b"".join(each.bytes(order) for each in self.notes) + self.trailing


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
    """The offsets of the parts, for damage of plain bytes."""

    head: int
    """Bytes of all headers."""
    notes: int
    """Where the first note area starts."""
    text: int
    """The offset of the VMCOREINFO text; 0 if there is no text."""
    text_length: int


Late = Callable[[random.Random, bytearray, Places], None]


@dataclass
class Shape:
    """A whole dump."""

    bits: Bits
    order: Order
    header: dict[str, int]
    """The e_* fields; counts and offsets are given only to make them wrong."""
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
    def areas(self) -> list[Segment]:
        """Return the segments with notes."""
        return [s for s in self.segments if s.notes is not None]

    @property
    def memory(self) -> list[Segment]:
        return [s for s in self.segments if s.notes is None]

    @property
    def notes(self) -> list[Note]:
        return [each for area in self.areas for each in area.notes or ()]

    @property
    def vmcoreinfo(self) -> Note | None:
        """Return the last note of the name with a text."""
        return next((n for n in reversed(self.notes) if n.name[:10].upper() == b"VMCOREINFO"), None)

    def copy(self) -> Shape:
        return deepcopy(self)

    def bytes(self, rng: random.Random) -> bytes:
        e_size, p_size, s_size = (table[self.bits].size for table in (ELF_HEADER, SEGMENT, SECTION))
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
                content = segment.content(self.order)
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
            "shstrndx": next((n for n, s in enumerate(sections) if s.kind == SHT_STRTAB), 0),
        } | self.header  # fmt: skip
        start = bytearray(ELF_HEADER[self.bits].pack(self.order, fields))
        start[:16] = identification(self.bits, self.order)
        for index, value in self.ident.items():
            start[index] = value
        p_table = b"".join(self._segment(s, placed) for s in self.segments)
        s_table = b"".join(self._section(s, placed) for s in sections)
        tables = s_table + p_table if self.sections_first else p_table + s_table
        out = bytearray(start + tables + b"".join(body))
        places = self._places(head, placed)
        for damage in self.late:
            damage(rng, out, places)
        return bytes(out)

    def _segment(self, segment: Segment, placed: dict[int, tuple[int, int]]) -> builtins.bytes:
        at, length = placed[id(segment.over or segment)]
        offset = at if segment.offset is None else segment.offset
        filesz = length if segment.filesz is None else segment.filesz
        memsz = filesz if segment.memsz is None else segment.memsz
        row = {
            "type": segment.type, "flags": segment.flags, "offset": offset, "vaddr": segment.vaddr,
            "paddr": segment.paddr, "filesz": filesz, "memsz": memsz, "align": segment.align,
        }  # fmt: skip
        return SEGMENT[self.bits].pack(self.order, row)

    def _section(self, section: Section, placed: dict[int, tuple[int, int]]) -> builtins.bytes:
        at, length = placed.get(id(section.over or section), (0, 0))
        offset = at if section.offset is None else section.offset
        size = length if section.size is None else section.size
        row = {
            "name": section.name, "type": section.kind, "offset": offset, "size": size, "info": section.info,
            "addralign": section.align,
        }  # fmt: skip
        return SECTION[self.bits].pack("little" if section.swapped else self.order, row)

    def _places(self, head: int, placed: dict[int, tuple[int, int]]) -> Places:
        notes = min((placed[id(area)][0] for area in self.areas), default=head)
        for area in reversed(self.areas):
            at = placed[id(area)][0]
            for each in area.notes or ():
                if each is self.vmcoreinfo:
                    return Places(head, notes, at + each.desc_at, len(each.desc))
                at += len(each.bytes(self.order))
        return Places(head, notes, 0, 0)


def take_apart(data: bytes) -> Shape:
    """Split a good dump; bytes between its parts are not kept."""
    bits, order = form_of(data)
    e = ELF_HEADER[bits].unpack(order, data)
    shape = Shape(bits, order, {name: e[name] for name in ("machine", "flags", "ehsize")}, [])
    for n in range(e["phnum"]):
        row = SEGMENT[bits].unpack(order, data, e["phoff"] + n * e["phentsize"])
        content = data[row["offset"] : row["offset"] + row["filesz"]]
        notes = notes_of(content, order) if row["type"] == PT_NOTE else None
        own = b"" if notes is not None else content
        segment = Segment(row["type"], notes, own, row["flags"], row["vaddr"], row["paddr"], row["align"])
        segment.memsz = row["memsz"] if row["memsz"] != row["filesz"] else None
        shape.segments.append(segment)
    for n in range(e["shnum"]):
        at = e["shoff"] + n * e["shentsize"]
        # QEMU does not swap the words of .shstrtab.
        swapped = order == "big" and SECTION[bits].unpack("little", data, at)["type"] == SHT_STRTAB
        row = SECTION[bits].unpack("little" if swapped else order, data, at)
        content = data[row["offset"] : row["offset"] + row["size"]]
        section = Section(row["type"], content, row["addralign"], row["name"], row["info"], swapped=swapped)
        shape.sections.append(section)
    shape.sections_first = bool(shape.sections) and e["shoff"] < e["phoff"]
    return shape


def notes_of(area: bytes, order: Order) -> list[Note]:
    """Return the notes of an undamaged area."""
    out, at = [], 0
    while at + NOTE.size <= len(area):
        head = NOTE.unpack(order, area, at)
        name_at = at + NOTE.size
        desc_at = name_at + head["namesz"] + -head["namesz"] % 4
        name, desc = area[name_at : name_at + head["namesz"]], area[desc_at : desc_at + head["descsz"]]
        out.append(Note(name, desc, head["type"]))
        at = desc_at + head["descsz"] + -head["descsz"] % 4
    return out
