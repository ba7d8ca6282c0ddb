"""The rules of crash 8.0.2 for the headers of a dump, before it looks for notes.

It checks no p_type: it takes program header 0 as the notes and the others as memory, and the
lowest p_offset of memory as the end of the header area.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import EI_CLASS, EI_DATA, EI_VERSION, ET_CORE, IDENT, MAGIC
from vmci_tui.readers.crash.elf_reading import EM_X86_64, LONGEST_READ, SMALLEST, CrashReading
from vmci_tui.readers.rule import RuleHit, Rules, why

_RESIZE: Final = "crash 8.0.2, netdump.c resize_elf_header"
_UNREADABLE: Final = "FILE: ELF header read: No such file or directory"
_NO_MEMORY: Final = 1 << 35
"""About where realloc fails, and crash prints another message; the exact size depends on the machine."""

rule: Rules[CrashReading] = Rules()


@rule("C02", "before", "FILE: file too small!", "crash 8.0.2, netdump.c is_netdump")
@why("crash needs at least 176 bytes: an ELF header and two program headers.")
def _too_small(r: CrashReading) -> RuleHit | None:
    return RuleHit(Span(0, r.view.size)) if r.view.size < SMALLEST else None


@rule("C13", "before", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("The file must start with 0x7f ELF, class 1 or 2 and version 1; otherwise crash does not know it as a dump.")
def _identification(r: CrashReading) -> RuleHit | None:
    if r.view.size < SMALLEST:
        return None
    if IDENT.part("magic", r.ident) != MAGIC:
        return RuleHit(IDENT.span("magic"))
    if r.ident[EI_CLASS] not in (1, 2):
        return RuleHit(r.form.span("EI_CLASS"))
    return RuleHit(r.form.span("EI_VERSION")) if r.ident[EI_VERSION] != 1 else None


@rule("C04", "before", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("e_type must be ET_CORE (4).")
def _not_core(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_type")) if r.is_elf and r.header.type != ET_CORE else None


@rule("C13", "before", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("e_version must be 1.")
def _version(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_version")) if r.is_elf and r.header.version != 1 else None


@rule("C16", "before", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("crash needs at least two program headers: one for the notes, one for memory.")
def _too_few_headers(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_phnum")) if r.is_elf and r.header.phnum < 2 else None


@rule("C12", "before", "unknown", "crash 8.0.2, tools.c machine_type_mismatch")
@why("crash reads only dumps of the machine that it was built for; this is the x86-64 build: it needs ELF64 of x86-64.")
def _other_machine(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_machine")) if r.is_elf and (r.bits, r.header.machine) != (64, EM_X86_64) else None


@rule("C14", "before", "unknown", "crash 8.0.2, tools.c endian_mismatch")
@why("The dump must have the byte order of the machine that crash runs on.")
def _other_byte_order(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("EI_DATA")) if r.is_elf and r.ident[EI_DATA] != 1 else None


@rule("C06", "before", "WARNING: FILE: PHdr to far into file!", "crash 8.0.2, netdump.c is_netdump")
@why("""The first two program headers must be in the first 304 bytes (in ELF64 e_phoff is at most 192).

    QEMU's two section headers before them just fit; a third would not.
    """)
def _far_headers(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_phoff")) if r.is_elf and not r.first_headers else None


@rule("C10", "before", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("""Program header 1 has a p_align and a page-aligned p_offset: crash takes the file for an old netdump.

    With p_align 0, or a p_offset that is not a multiple of 4096, crash takes the file for a kdump.
    """)
def _netdump(r: CrashReading) -> RuleHit | None:
    old = r.first_headers and r.first_headers[1].align and r.first_headers[1].offset % 4096 == 0
    return RuleHit(r.segment_field(1, "p_align")) if old else None


@rule("C16", "before", "FILE: section header read: No such file or directory", _RESIZE)
@why("e_phnum 0xffff means that section header 0 holds the number of program headers, but the file lacks it.")
def _no_section_0(r: CrashReading) -> RuleHit | None:
    if not r.first_headers or r.xnum is None:
        return None
    if r.header.shoff >= 1 << 63:
        return RuleHit(r.form.span("e_shoff"), "FILE: section header lseek: Invalid argument")
    return RuleHit(r.form.span("e_shoff")) if len(r.xnum) < r.header.shentsize else None


@rule("C16", "before", "killed by SIGSEGV", _RESIZE)
@why("e_phnum is 0xffff, but section header 0 gives 0 as the number of program headers, or is too short.")
def _no_count(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.form.span("e_phnum")) if r.first_headers and r.xnum is not None and r.count == 0 else None


@rule(
    "C16",
    "before",
    "killed by SIGABRT",
    _RESIZE,
)
@why("e_phnum is 0xffff, and crash reads e_shentsize bytes of section header 0 into 64: more overwrite memory.")
def _long_section_0(r: CrashReading) -> RuleHit | None:
    return (
        RuleHit(r.form.span("e_shentsize"))
        if r.first_headers and r.xnum is not None and r.header.shentsize > 73
        else None
    )


@rule("C16", "before", _UNREADABLE, _RESIZE)
@why("The file ends before the last program header: e_phnum is too high, or the file is cut off.")
def _headers_cut_off(r: CrashReading) -> RuleHit | None:
    short = r.first_headers and (r.table_end > r.view.size or r.count == 1)
    words = "cannot realloc interim ELF header buffer" if r.table_end >= _NO_MEMORY else None
    return RuleHit(r.form.span("e_phnum"), words) if short else None


@rule("C18", "before", "realloc: No such file or directory", _RESIZE)
@why("p_offset of program header 1 is 0: crash takes it as the length of the header area, and gives up.")
def _memory_at_0(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.segment_field(1, "p_offset")) if r.head_end == 0 else None


@rule("C18", "before", _UNREADABLE, _RESIZE)
@why("crash reads everything before the lowest p_offset of memory, but the file (or 2 GiB) ends before that.")
def _memory_out_of_reach(r: CrashReading) -> RuleHit | None:
    if r.head_end is None or r.head_end <= min(r.view.size, LONGEST_READ):
        return None
    words = "realloc: Cannot allocate memory" if r.head_end >= _NO_MEMORY else None
    return RuleHit(r.segment_field(1, "p_offset"), words)


@rule(
    "C18",
    "before",
    "crash: Elf64_Phdr pointer: ADDRESS  ELF header end: ADDRESS",
    "crash 8.0.2, netdump.c dump_Elf64_Phdr",
)
@why("All program headers must be before the first byte of memory, that is, before the lowest p_offset.")
def _headers_behind_memory(r: CrashReading) -> RuleHit | None:
    return RuleHit(Span(r.last_header, r.form.segment.size)) if r.head_end and r.last_header > r.head_end else None
