"""Declare the records of ELF and kdump files, from the C structures, for tests that build or read dumps.

They share nothing with `vmci_tui`, so that a bug of its records cannot hide in its own tests.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Order = Literal["little", "big"]
Bits = Literal[32, 64]
Padding = Literal["packed", "padded"]
PT_LOAD, PT_NOTE, SHT_STRTAB, SHT_NOTE, PN_XNUM = 1, 4, 3, 7, 0xFFFF
NOTE_NAME = b"VMCOREINFO\0"
_MARKS: Final = {"little": "<", "big": ">"}
_SIZES: Final = {"H": 2, "I": 4, "Q": 8}


class Field(NamedTuple):
    """A whole number: its offset in the record, and its code in `struct`."""

    at: int
    code: str

    @property
    def size(self) -> int:
        return _SIZES[self.code]


class Record:
    """A C structure of whole numbers."""

    def __init__(self, *groups: str) -> None:
        """Declare fields by groups: a `struct` code and the names of its fields, or `4x` for bytes between fields."""
        self.fields: dict[str, Field] = {}
        self.size = 0
        form = ""
        for code, *names in map(str.split, groups):
            for name in names:
                self.fields[name] = Field(self.size, code)
                self.size += _SIZES[code]
            self.size += 0 if names else int(code[:-1])
            form += code * max(len(names), 1)
        self._forms = {order: struct.Struct(mark + form) for order, mark in _MARKS.items()}
        self._limits = [(name, (1 << 8 * field.size) - 1) for name, field in self.fields.items()]

    def pack(self, order: Order, values: Mapping[str, int]) -> bytes:
        """Return the record; a missing value is 0, a value that is too large is truncated to its field."""
        return self._forms[order].pack(*(values.get(name, 0) & limit for name, limit in self._limits))

    def unpack(self, order: Order, data: bytes | bytearray, at: int = 0) -> dict[str, int]:
        """Return the fields of the record at an offset."""
        return dict(zip(self.fields, self._forms[order].unpack_from(data, at), strict=True))

    def put(self, order: Order, out: bytearray, name: str, value: int, at: int = 0) -> None:
        """Write one field of the record at an offset."""
        field = self.fields[name]
        limit = (1 << 8 * field.size) - 1
        out[at + field.at : at + field.at + field.size] = (value & limit).to_bytes(field.size, order)


def _elf_header(word: str) -> Record:
    return Record(
        "16x", "H type machine", "I version", f"{word} entry phoff shoff", "I flags",
        "H ehsize phentsize phnum shentsize shnum shstrndx",
    )  # fmt: skip


def _section(word: str) -> Record:
    return Record("I name type", f"{word} flags addr offset size", "I link info", f"{word} addralign entsize")


ELF_HEADER: Final[dict[Bits, Record]] = {64: _elf_header("Q"), 32: _elf_header("I")}
SEGMENT: Final[dict[Bits, Record]] = {
    64: Record("I type flags", "Q offset vaddr paddr filesz memsz align"),
    32: Record("I type offset vaddr paddr filesz memsz flags align"),
}
SECTION: Final[dict[Bits, Record]] = {64: _section("Q"), 32: _section("I")}
NOTE: Final = Record("I namesz descsz type")

_HEAD: Final = "I status block_size sub_hdr_size bitmap_blocks max_mapnr total_ram_blocks device_blocks written_blocks \
current_cpu nr_cpus"
UTS: Final = ("sysname", "nodename", "release", "version", "machine", "domainname")
UTS_SIZE: Final = 65
KDUMP_HEADER: Final[dict[Bits, Record]] = {
    64: Record("8x", "I version", "390x", "6x", "Q seconds microseconds", _HEAD),
    32: Record("8x", "I version", "390x", "2x", "I seconds microseconds", _HEAD),
}
"""`KDUMP   ` comes first; the 390 bytes are utsname."""
_ENDS: Final = "start_pfn_64 end_pfn_64 max_mapnr_64"
KDUMP_SUB: Final[dict[tuple[Bits, Padding], Record]] = {
    (64, "packed"): Record(
        "Q phys_base", "I dump_level split",
        "Q start_pfn end_pfn offset_vmcoreinfo size_vmcoreinfo offset_note size_note offset_eraseinfo size_eraseinfo",
        f"Q {_ENDS}",
    ),
    (32, "packed"): Record(
        "I phys_base dump_level split start_pfn end_pfn", "Q offset_vmcoreinfo", "I size_vmcoreinfo",
        "Q offset_note", "I size_note", "Q offset_eraseinfo", "I size_eraseinfo", f"Q {_ENDS}",
    ),
    (32, "padded"): Record(
        "I phys_base dump_level split start_pfn end_pfn", "4x", "Q offset_vmcoreinfo", "I size_vmcoreinfo", "4x",
        "Q offset_note", "I size_note", "4x", "Q offset_eraseinfo", "I size_eraseinfo", "4x", f"Q {_ENDS}",
    ),
}  # fmt: skip
SINCE: Final = {
    "phys_base": 0, "dump_level": 1, "split": 2, "start_pfn": 2, "end_pfn": 2, "offset_vmcoreinfo": 3,
    "size_vmcoreinfo": 3, "offset_note": 4, "size_note": 4, "offset_eraseinfo": 5, "size_eraseinfo": 5,
    "start_pfn_64": 6, "end_pfn_64": 6, "max_mapnr_64": 6,
}  # fmt: skip
"""The kdump header version that added each field of the sub-header."""
PAGE_DESCRIPTOR: Final = Record("Q offset", "I size flags", "Q page_flags")


def note(
    order: Order,
    name: bytes,
    desc: bytes,
    kind: int = 0,
    namesz: int | None = None,
    descsz: int | None = None,
    align: int = 4,
    pad: bytes = b"\0",
) -> bytes:
    """Return one note; `namesz` and `descsz` may be false, `pad` fills unused bytes."""
    sizes = len(name) if namesz is None else namesz, len(desc) if descsz is None else descsz
    out = NOTE.pack(order, dict(zip(NOTE.fields, (*sizes, kind), strict=True))) + name
    out += pad * (-len(out) % align) + desc
    return out + pad * (-len(out) % align)


def identification(bits: Bits, order: Order) -> bytes:
    """Return the first 16 bytes of an ELF file."""
    return b"\x7fELF" + bytes((bits // 32, 1 if order == "little" else 2, 1)) + bytes(9)


def form_of(data: bytes) -> tuple[Bits, Order]:
    """Return the width and the byte order that an ELF file names."""
    return 64 if data[4] == 2 else 32, "little" if data[5] == 1 else "big"
