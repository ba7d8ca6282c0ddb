"""Say what the fields of headers mean, by their names in the formats' records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.kdump_records import UTSNAME_FIELDS
from vmci_tui.machines.lookup import machine_name

TEXTS: Final = frozenset(("magic", "signature", *UTSNAME_FIELDS))
"""Fields that hold text, up to a NUL."""
SUMMARY: Final = ("p_type", "p_paddr", "p_filesz", "sh_type", "sh_size", "offset", "size")
"""Fields by which a record is recognised among others."""
_SEGMENTS: Final = {0: "PT_NULL: unused", 1: "PT_LOAD: guest memory", 4: "PT_NOTE: notes"}
_SECTIONS: Final = {
    0: "SHT_NULL: no section",
    1: "SHT_PROGBITS: data",
    3: "SHT_STRTAB: names",
    7: "SHT_NOTE: notes",
    8: "SHT_NOBITS: no bytes in the file",
}
_NUMBERS: Final[Mapping[str, Mapping[int, str]]] = {
    "EI_CLASS": {1: "32 bit", 2: "64 bit"},
    "EI_DATA": {1: "little-endian", 2: "big-endian"},
    "e_type": {0: "ET_NONE", 4: "ET_CORE: a dump"},
    "e_phnum": {0xFFFF: "more than fit: section 0 has the number in sh_info"},
    "p_type": _SEGMENTS,
    "sh_type": _SECTIONS,
    "split": {0: "a whole dump", 1: "a part of a split dump"},
    "flags": {0: "not compressed"},
}
_BITS: Final[Mapping[str, Mapping[int, str]]] = {
    "p_flags": {4: "read", 2: "write", 1: "execute"},
    "status": {1: "zlib", 2: "LZO", 4: "snappy", 8: "incomplete", 16: "without vmemmap", 32: "zstd"},
    "flags": {1: "zlib", 2: "LZO", 4: "snappy", 32: "zstd"},
    "dump_level": {1: "no zero pages", 2: "no cache", 4: "no private cache", 8: "no user pages", 16: "no free pages"},
}
_WORDS: Final[Mapping[str, str]] = {
    "e_phoff": "where the program headers begin",
    "e_shoff": "where the section headers begin; 0 for none",
    "e_phnum": "program headers",
    "e_shnum": "section headers",
    "e_phentsize": "bytes of a program header",
    "e_shentsize": "bytes of a section header",
    "e_shstrndx": "the section with the names of sections",
    "p_offset": "where its bytes begin in the file",
    "p_vaddr": "its kernel virtual address; 0 for unknown",
    "p_paddr": "its guest-physical address",
    "p_filesz": "its bytes in the file",
    "p_memsz": "its bytes in memory",
    "sh_info": "of section 0: the number of program headers that do not fit in e_phnum",
    "sh_offset": "where its bytes begin in the file",
    "sh_size": "its bytes",
    "tv_sec": "when it was dumped, in seconds since 1970",
    "block_size": "bytes of a page",
    "sub_hdr_size": "blocks of the sub-header",
    "bitmap_blocks": "blocks of both bitmaps",
    "max_mapnr": "pages of the machine, cut to 32 bits",
    "max_mapnr_64": "pages of the machine",
    "current_cpu": "the CPU that crashed",
    "nr_cpus": "CPUs",
    "phys_base": "where the kernel's image was loaded, less its link address",
    "start_pfn": "the first page of this part, cut to 32 bits",
    "end_pfn": "one more than its last page, cut to 32 bits",
    "start_pfn_64": "the first page of this part",
    "end_pfn_64": "one more than its last page",
    "offset_vmcoreinfo": "where the vmcoreinfo text is in the plain file",
    "offset_note": "where the notes are in the plain file",
    "offset_eraseinfo": "where the list of erased data is",
    "offset": "where its bytes are in the plain file",
    "size": "its bytes",
    "namesz": "bytes of the name, with its NUL",
    "descsz": "bytes of the descriptor",
}


def meaning_of(name: str, value: int, bits: int) -> Safe:
    """Return what a field of a header means, or its value; empty where the name says all. `bits` are the dump's."""
    if name == "e_machine":
        return visible(machine_name(value, bits) or "a machine that is not known")
    words = _NUMBERS.get(name, {}).get(value)
    if words is None and name in _BITS:
        words = ", ".join(word for bit, word in _BITS[name].items() if value & bit)
    return Safe(words if words is not None else _WORDS.get(name, ""))


def summary_of(fields: Mapping[str, int], bits: int) -> tuple[Safe, Safe]:
    """Return what to say of a record in one line, by the fields of it that are in SUMMARY: its type, and the others."""
    types = [meaning_of(name, value, bits) or f"{value:#x}" for name, value in fields.items() if name.endswith("_type")]
    others = [f"{name} {value:#x}" for name, value in fields.items() if not name.endswith("_type")]
    return Safe(", ".join(types)), Safe(", ".join(others))


def shown_number(value: int, length: int) -> Safe:
    """Return an unsigned number of `length` bytes in hex and, if it is neither long nor a digit, in decimal too."""
    if value < 10:
        return Safe(str(value))
    if value >= 1 << 32:
        negative = value - (1 << 8 * length)
        return Safe(f"{value:#x} = {negative}" if negative > -10 else f"{value:#x}")
    return Safe(f"{value:#x} = {value}")
