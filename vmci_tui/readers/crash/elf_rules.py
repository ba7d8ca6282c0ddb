"""The rules of crash 8.0.2 for an ELF dump, in its order: its headers, its notes, its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, WINDOWS_HEADERS
from vmci_tui.formats.elf_records import EI_CLASS, EI_DATA, EI_VERSION, ET_CORE, IDENT, MAGIC, PT_NOTE
from vmci_tui.readers.crash.deaths import NO_MEMORY, SECTION_ROOM, SEGV, killed_by_offset
from vmci_tui.readers.crash.elf import LONGEST_READ, SMALLEST, CrashElf
from vmci_tui.readers.crash.text import KEYS, htol
from vmci_tui.readers.crash.text_rules import CRASH, UNKNOWN, carriage_returns, release_rules
from vmci_tui.readers.rule import Rule, RuleHit
from vmci_tui.readers.rule_rows import RuleRows

_NETDUMP: Final = "netdump.c is_netdump"
_RESIZE: Final = "netdump.c resize_elf_header"
_WALK: Final = "netdump.c dump_Elf64_Nhdr"
_READ: Final = "netdump.c vmcoreinfo_read_string"
_UNREADABLE: Final = "FILE: ELF header read: No such file or directory"
_NO_SECTION: Final = "FILE: section header read: No such file or directory"
_SHORT: Final = "crash needs at least 176 bytes: an ELF header and two program headers."
_EM_X86_64: Final = 62
_USUAL_STEXT: Final = 0xFFFFFFFF81000000
"""_stext of an x86-64 vmlinux with the usual CONFIG_PHYSICAL_START."""
# For a text with a newline put in front: four times as fast as ^ over many lines.
_OFFSET: Final = re.compile(rb"\nKERNELOFFSET=([^\n\0]*)")
_STEXT: Final = re.compile(rb"\nSYMBOL\(_stext\)=([^\n\0]*)")
_USED: Final = re.compile(rb"\n(?:" + b"|".join(map(re.escape, KEYS)) + rb")(?==)")


def _segment(index: int, name: str) -> Callable[[CrashElf], Span]:
    """Return what finds the field of a program header."""
    return lambda r: r.segment_field(index, name)


def _odd_identification(r: CrashElf) -> Span | None:
    """Return the first field of the file's first bytes that crash does not accept."""
    if r.magic != MAGIC:
        return IDENT.span("magic")
    if r.view.head[EI_CLASS] not in (1, 2):
        return r.form.span("EI_CLASS")
    return r.form.span("EI_VERSION") if r.view.head[EI_VERSION] != 1 else None


def _is_old_netdump(r: CrashElf) -> bool:
    return bool(r.first_headers) and r.first_headers[1].align > 0 and r.first_headers[1].offset % 4096 == 0


def _cut_section_0(r: CrashElf) -> bool:
    """Whether crash fails to read section header 0, which has the number of program headers."""
    return r.section_0 is not None and (r.header.shoff >= 1 << 63 or len(r.section_0) < r.header.shentsize)


def _one_header(r: CrashElf) -> bool:
    return bool(r.first_headers) and r.has_table and r.phnum == 1


def _swapped(r: CrashElf) -> RuleHit | None:
    """Return a hit if the walk ends at a VMCOREINFO note whose header is in the other byte order."""
    if r.ended is None or r.ended.span is None:
        return None
    header = r.view.read(r.ended.span.offset, HEADER + 10)
    namesz = int.from_bytes(header[:4], "big" if r.order == "little" else "little")
    return r.ended if header[HEADER:] == b"VMCOREINFO" and 10 <= namesz < 256 else None


def _other_pt_note(r: CrashElf) -> Span | None:
    other = next(filter(None, r.table.numbers(PT_NOTE)), None) if r.missed else None
    size = r.form.segment.size
    return None if other is None else Span(r.phoff + other * size, size)


def _ended_words(r: CrashElf) -> str:
    return UNKNOWN if r.ended is None else r.ended.words or UNKNOWN


def _one_byte_too_many(r: CrashElf) -> Span | None:
    """Return the byte after the text, if crash reads it as part of the last line's value."""
    if not r.text or r.desc is None or r.text_and_next.endswith(b"\0"):
        return None
    used = r.text.rpartition(b"\n")[2].partition(b"=")[0] in KEYS
    return Span(r.desc.offset + r.desc.length, 1) if used else None


def _offset_by_stext(r: CrashElf) -> Span | None:
    """Return the line of KERNELOFFSET, if SYMBOL(_stext) says another offset for the usual vmlinux."""
    text = b"\n" + (r.text or b"")
    found, stext = _OFFSET.search(text), _STEXT.search(text)
    if r.desc is None or found is None or stext is None or r.header.machine != _EM_X86_64:
        return None
    claimed, real = htol(found[1]), htol(stext[1])
    if not (claimed.digits and real.digits) or real.value - claimed.value == _USUAL_STEXT:
        return None
    return Span(r.desc.offset + found.start(), len(found[0]) - 1)


row: Final[RuleRows[CrashElf]] = RuleRows(CRASH, lambda r, name: r.form.span(name), CrashElf.hit)
# fmt: off
_HEAD: Final = (
    row("C02", "before", "too-small", _NETDUMP, "FILE: file too small!", _SHORT,
        holds=lambda r: not r.has(0, SMALLEST), where=lambda r: Span(0, r.view.size), since=(7, 3)),
    row("C02", "before", "too-small-before-7-3", _NETDUMP, _UNREADABLE, _SHORT,
        holds=lambda r: not r.has(0, SMALLEST), where=lambda r: Span(0, r.view.size), until=(7, 3)),
    row("C13", "before", "identification", _NETDUMP, UNKNOWN,
        "The file must start with 0x7f ELF, class 1 or 2 and version 1; otherwise crash does not know it as a dump.",
        where=lambda r: _odd_identification(r) if r.has(0, SMALLEST) else None),
    row("C04", "before", "not-core", _NETDUMP, UNKNOWN,
        "e_type must be ET_CORE (4).",
        holds=lambda r: r.is_elf and r.header.type != ET_CORE, where="e_type"),
    row("C13", "before", "version", _NETDUMP, UNKNOWN,
        "e_version must be 1.",
        holds=lambda r: r.is_elf and r.header.version != 1, where="e_version"),
    row("C16", "before", "too-few-headers", _NETDUMP, UNKNOWN,
        "crash needs at least two program headers: one for the notes, one for memory.",
        holds=lambda r: r.is_elf and r.header.phnum < 2, where="e_phnum"),
    row("C12", "before", "other-machine", "tools.c machine_type_mismatch", UNKNOWN,
        "crash reads only dumps of the machine that it was built for; this is the x86-64 build: it needs ELF64 of "
        "x86-64.",
        holds=lambda r: r.is_elf and (r.bits, r.header.machine) != (64, _EM_X86_64), where="e_machine"),
    row("C14", "before", "other-byte-order", "tools.c endian_mismatch", UNKNOWN,
        "The dump must have the byte order of the machine that crash runs on.",
        holds=lambda r: r.is_elf and r.view.head[EI_DATA] != 1, where="EI_DATA"),
    row("C06", "before", "far-headers", _NETDUMP, "WARNING: FILE: PHdr to far into file!",
        "The first two program headers must be in the first 304 bytes (in ELF64 e_phoff is at most 192). QEMU's two "
        "section headers before them just fit; a third would not.",
        holds=lambda r: r.is_elf and not r.first_headers, where="e_phoff"),
    row("C10", "before", "netdump", _NETDUMP, UNKNOWN,
        "Program header 1 has a p_align and a page-aligned p_offset: crash mistakes the file for an old netdump. With "
        "p_align 0, or a p_offset that is not a multiple of 4096, crash reads the file as a kdump.",
        holds=_is_old_netdump, where=_segment(1, "p_align")),
    row("C16", "before", "no-section-0", _RESIZE, _NO_SECTION,
        "e_phnum 0xffff means that section header 0 holds the number of program headers, but the file lacks it.",
        holds=_cut_section_0, where="e_shoff",
        says=lambda r: "FILE: section header lseek: Invalid argument" if r.header.shoff >> 63 else _NO_SECTION),
    row("C16", "before", "no-count", _RESIZE, SEGV,
        "e_phnum is 0xffff, but section header 0 gives 0 as the number of program headers, or is too short.",
        holds=lambda r: r.section_0 is not None and r.phnum == 0, where="e_phnum"),
    row("C16", "before", "long-section-0", _RESIZE, "killed by SIGABRT",
        "e_phnum is 0xffff, and crash reads e_shentsize bytes of section header 0 into 64: more overwrite memory.",
        holds=lambda r: r.section_0 is not None and r.header.shentsize > SECTION_ROOM, where="e_shentsize"),
    row("C16", "before", "headers-cut-off", _RESIZE, _UNREADABLE,
        "The file ends before the last program header: e_phnum is too high, or the file is cut off.",
        holds=lambda r: bool(r.first_headers) and not r.has_table, where="e_phnum",
        says=lambda r: "cannot realloc interim ELF header buffer" if r.table_end >= NO_MEMORY else _UNREADABLE),
    row("C16", "before", "one-header", _RESIZE, _UNREADABLE,
        "e_phnum is 0xffff, but section header 0 gives 1 as the number of program headers: there is none of memory.",
        holds=_one_header, where="e_phnum", until=(9,)),
    row("C16", "before", "one-header-since-9", _RESIZE, "",
        "Section header 0 gives 1 as the number of program headers: crash then uses uninitialized memory, so the "
        "outcome differs from build to build.",
        holds=_one_header, where="e_phnum", observed=False, since=(9,)),
    row("C18", "before", "memory-at-0", _RESIZE, "realloc: No such file or directory",
        "p_offset of program header 1 is 0: crash takes it as the length of the header area, and gives up.",
        holds=lambda r: r.head_end == 0, where=_segment(1, "p_offset")),
    row("C18", "before", "memory-out-of-reach", _RESIZE, _UNREADABLE,
        "crash reads everything before the lowest p_offset of memory, but the file (or 2 GiB) ends before that.",
        holds=lambda r: (r.head_end or 0) > min(r.view.size, LONGEST_READ), where=_segment(1, "p_offset"),
        says=lambda r: "realloc: Cannot allocate memory" if (r.head_end or 0) >= NO_MEMORY else _UNREADABLE),
    row("C18", "before", "headers-behind-memory", "netdump.c dump_Elf64_Phdr",
        "crash: Elf64_Phdr pointer: ADDRESS  ELF header end: ADDRESS",
        "All program headers must be before the first byte of memory, that is, before the lowest p_offset.",
        holds=lambda r: bool(r.head_end) and r.last_header > (r.head_end or 0),
        where=lambda r: Span(r.last_header, r.form.segment.size)),
)
_NOTES: Final = (
    row("C18", "note", "notes-before-file", _NETDUMP, SEGV,
        "p_offset of program header 0 is nearly 2^64: crash reads its own memory before the buffer of the headers.",
        holds=lambda r: r.walk is not None and killed_by_offset(r.first_headers[0].offset),
        where=_segment(0, "p_offset")),
    row("N16", "note", "killed", _WALK, "",
        "A note kills crash: its name is longer than crash's buffer of 1,512 bytes, or it is an empty Xen note."),
    row("C08", "note", "notes-not-first", _NETDUMP, UNKNOWN,
        "crash takes program header 0 as the notes, whatever its type; here it is not a PT_NOTE.",
        holds=lambda r: r.missed and r.first_headers[0].type != PT_NOTE, where=_segment(0, "p_type"),
        says=_ended_words),
    row("C09", "note", "notes-behind-memory", _WALK, "",
        "The notes must be before the first byte of memory: crash reads only up to the lowest p_offset.",
        holds=lambda r: r.ended is not None and r.first_headers[0].offset + HEADER > (r.head_end or 0),
        where=_segment(0, "p_offset"), says=_ended_words),
    row("N08", "note", "header-in-other-byte-order", _WALK, "",
        "The note's three header words are not in the byte order of the file: crash reads nonsense as sizes.",
        where=_swapped),
    row("N15", "note", "lost-in-zeros", _WALK, "",
        "crash goes from note to note; zero bytes whose number is not a multiple of 12 make it lose its way.",
        where=lambda r: r.hit("lost") if r.missed else None),
    row("N02", "note", "broken-note", _WALK, "",
        "A note's sizes do not fit before the first byte of memory: crash ignores this note and all after it.",
        where=lambda r: r.ended),
    row("N09", "note", "type-of-its-own", _WALK, UNKNOWN,
        "The note named VMCOREINFO has a type with another meaning to crash (1 is the registers of a CPU).",
        where=lambda r: r.hit("type") if r.missed else None),
    row("N04", "note", "xen", _WALK, UNKNOWN,
        "crash accepts any name that starts with VMCOREINFO, except VMCOREINFO_XEN, which is the hypervisor's.",
        where=lambda r: r.hit("xen") if r.missed else None),
    row("N06", "note", "too-many", _WALK, "",
        "There are more notes before this one than vmci follows.", observed=False),
    row("C03", "note", "other-pt-note", _NETDUMP, UNKNOWN,
        "crash reads only the notes of program header 0; it treats the other PT_NOTE as memory.",
        where=_other_pt_note),
    row("N01", "note", "no-note", _WALK, UNKNOWN,
        "None of the notes has a name that starts with VMCOREINFO.",
        holds=lambda r: r.missed),
)
_TEXT: Final[tuple[Rule[CrashElf], ...]] = (
    row("N09", "after", "snap", _READ, UNKNOWN,
        "A note SNAP of type 4 marks a dump that crash's extension snap.so made; crash reads no vmcoreinfo there."),
    row("T10", "after", "empty-text", _READ, UNKNOWN,
        "The note has no text; crash uses the last of several notes.",
        holds=lambda r: r.text == b"", where=lambda r: r.note),
    row("N13", "after", "windows", _READ, UNKNOWN,
        "The note holds a Windows dump header, in which crash finds no OSRELEASE.",
        holds=lambda r: r.osrelease is None and (r.text or b"").startswith(WINDOWS_HEADERS), where=lambda r: r.desc),
    row("T09", "after", "no-release", _READ, UNKNOWN,
        "No line starts with OSRELEASE=; it need not be the first line, and crash needs no other key here.",
        holds=lambda r: r.text is not None and r.osrelease is None, where=lambda r: r.desc),
    *release_rules("netdump.c kdump_get_osrelease"),
    row("N07", "note", "complains", _WALK, "",
        "crash complains about a note, and continues with the next: it takes twelve zero bytes as a note.",
        refuses=False),
    row("N05", "note", "several", _WALK, "",
        "crash uses the last of several VMCOREINFO notes.",
        holds=lambda r: len(r.events("taken")) > 1, where=lambda r: r.note, refuses=False),
    row("T06", "after", "duplicates", _READ, "",
        "A key that crash uses is in several lines: the first counts.",
        holds=lambda r: len(used := _USED.findall(b"\n" + (r.text or b""))) > len(set(used)),
        where=lambda r: r.desc, refuses=False),
    carriage_returns(_READ),
    row("T04", "after", "one-byte-too-many", _READ, "",
        "The last line has no newline, and no NUL follows: crash reads the byte after the text as part of the value.",
        where=_one_byte_too_many, refuses=False),
    row("T17", "after", "offset-by-stext", "symbols.c derive_kaslr_offset", "",
        "crash only checks that KERNELOFFSET is there; it computes the offset as SYMBOL(_stext) - _stext of vmlinux. "
        "Here the two differ (for a vmlinux with the usual CONFIG_PHYSICAL_START).",
        where=_offset_by_stext, refuses=False, observed=False),
)
# fmt: on
RULES: Final = (*_HEAD, *_NOTES, *_TEXT)
