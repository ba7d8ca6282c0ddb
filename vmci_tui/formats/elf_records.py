"""Declare the records of an ELF file, 32 and 64 bit, in both byte orders; nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from vmci_tui.common.named_struct import Field, NamedStruct
from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import ByteOrder

MAGIC: Final = b"\x7fELF"
PT_LOAD: Final = 1
PT_NOTE: Final = 4
ET_CORE: Final = 4
EV_CURRENT: Final = 1
PN_XNUM: Final = 0xFFFF
"""e_phnum of a file with more headers than the field can hold; section 0 then has the number."""
SHT_NULL: Final = 0
SHT_STRTAB: Final = 3
SHT_NOTE: Final = 7
SHT_NOBITS: Final = 8


class ElfHeader(NamedTuple):
    """The ELF header after e_ident."""

    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


class Segment(NamedTuple):
    """A program header, its fields in the order of the 64-bit file."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


class Section(NamedTuple):
    """A section header."""

    name: int
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    addralign: int
    entsize: int


IDENT: Final = NamedStruct.of(
    "little",
    ("magic", "EI_CLASS", "EI_DATA", "EI_VERSION", "EI_OSABI", "EI_ABIVERSION", "EI_PAD"),
    ("4s", "B", "B", "B", "B", "B", "7s"),
)
"""e_ident, the first bytes of the ELF header."""
EI_CLASS, EI_DATA, EI_VERSION = (IDENT.span(name).offset for name in ("EI_CLASS", "EI_DATA", "EI_VERSION"))


class ElfFormat(NamedTuple):
    """The records of one class and byte order."""

    bits: int
    order: ByteOrder
    header: NamedStruct
    """The ELF header after e_ident; offsets of its fields count from the start of the file."""
    segment: NamedStruct
    section: NamedStruct

    def unpack_header(self, data: bytes) -> ElfHeader:
        """Read the header from the first bytes of a file, at least `header_size`."""
        return ElfHeader(*self.header.unpack_from(data, IDENT.size))

    def pack_segment(self, s: Segment) -> bytes:
        if self.bits == 64:
            return self.segment.pack(*s)
        return self.segment.pack(s.type, s.offset, s.vaddr, s.paddr, s.filesz, s.memsz, s.flags, s.align)

    @property
    def header_size(self) -> int:
        return IDENT.size + self.header.size

    @property
    def top(self) -> int:
        """One more than the highest address that a field can hold."""
        return 1 << self.bits

    def span(self, field: str) -> Span:
        """Return the span of a field of the ELF header; e_ident's have names like `EI_CLASS`. Raises KeyError."""
        return (IDENT if field.startswith("EI_") else self.header).span(field)

    @property
    def header_fields(self) -> tuple[Field, ...]:
        """The fields of the ELF header, e_ident's first."""
        return IDENT.fields + self.header.fields


@cache
def format_of(bits: int, order: ByteOrder) -> ElfFormat:
    """Return the records of a class and byte order; cached, since `struct.Struct` compares by identity."""
    segment = Segment._fields
    if bits == 64:
        codes = "HHIQQQIHHHHHH", "IIQQQQQQ", "IIQQQQIIQQ"
    else:
        codes = "HHIIIIIHHHHHH", "IIIIIIII", "IIIIIIIIII"
        segment = ("type", "offset", "vaddr", "paddr", "filesz", "memsz", "flags", "align")
    return ElfFormat(
        bits,
        order,
        NamedStruct.of(order, _named("e_", ElfHeader._fields), codes[0], IDENT.size),
        NamedStruct.of(order, _named("p_", segment), codes[1]),
        NamedStruct.of(order, _named("sh_", Section._fields), codes[2]),
    )


def _named(prefix: str, fields: Iterable[str]) -> Iterator[str]:
    return (prefix + field for field in fields)
