"""The rules of makedumpfile, in its order; those that do not refuse apply after it has printed the text.

A rule is about the fault of its name that the reading finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from vmci_tui.knowledge.makedumpfile_releases import NEEDS, ReleaseNeed
from vmci_tui.readers.makedumpfile.elf import NO_LOG
from vmci_tui.readers.makedumpfile.reading import MakedumpfileReading, kind_of
from vmci_tui.readers.makedumpfile.text import DEFAULT, KEYS, NO_FORMAT, SINCE, TEMPORARY
from vmci_tui.readers.rule import Rule
from vmci_tui.readers.rule_rows import RuleRows

_BASIC: Final = "makedumpfile.c read_vmcoreinfo_basic_info"
_CHECK: Final = "elf_info.c check_elf_format"
_HEADERS: Final = "makedumpfile.c get_kdump_compressed_header_info"
_INFO: Final = "elf_info.c get_elf_info"
_NOTES: Final = "elf_info.c get_pt_note_info"
_PHNUM: Final = "elf_info.c get_elf64_phnum"
_SYMBOL: Final = "makedumpfile.c read_vmcoreinfo_symbol"
_DATA: Final = f"read_vmcoreinfo_basic_info: Invalid data in {TEMPORARY}: "
_NO_EHDR: Final = "check_elf_format: Can't get valid ehdr."
_NO_LOADS: Final = "get_elf_info: Can't get the number of PT_LOAD."
_NO_TABLE: Final = "vtop4_x86_64: Can't get the symbol of init_level4_pgt/init_top_pgt."
_NOTES_OUTSIDE: Final = "get_pt_note_info: Can't read the dump memory(FILE). No such file or directory"
_SUB_HEADER: Final = "read_kdump_sub_header: Can't read a file(FILE). No such file or directory"
row: Final[RuleRows[MakedumpfileReading]] = RuleRows("makedumpfile 1.7.2, ", fault=MakedumpfileReading.fault_of)


def _newer_kernel(need: ReleaseNeed) -> Rule[MakedumpfileReading]:
    """Return the rule for kernels that need a release of makedumpfile, in older ones."""
    why = (
        f"Linux {need.since} and later need makedumpfile {need.release}: an older one {need.why}. By the release in "
        "memory it says that it does not know the kernel, and continues."
    )
    return row(
        "T24", "after", f"kernel-{need.since}", "makedumpfile.c get_kernel_version",
        "The kernel version is not supported.", why, refuses=False, until=need.until,
    )  # fmt: skip


def _of_keys(cause: str, name: str, function: str, words: str, why: str) -> Iterator[Rule[MakedumpfileReading]]:
    """Yield the rules for bad values: one for the keys of each version, the newest first."""
    mine = [key for key in KEYS if key.startswith(b"SYMBOL") is (name == "symbol")]
    for since in sorted({SINCE.get(key, ()) for key in mine}, reverse=True):
        keys = ", ".join(key.decode() for key in mine if SINCE.get(key) == since)
        reason = f"{why} Newer versions also read {keys}." if since > DEFAULT else why
        where = partial(MakedumpfileReading.fault_of, rule=kind_of(name, since))
        yield row(cause, "after", name, function, words, reason, where=where, since=since or None)


# fmt: off
OF_KDUMP: Final = (
    row("C12", "before", "narrow-header", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "The header is a 32-bit one: makedumpfile reads it as a 64-bit header, like that of the machine that it was "
        "built for, and finds an invalid block size."),
    row("C14", "before", "header-in-other-byte-order", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "The header is big-endian: makedumpfile reads it in the byte order of the machine on which it runs."),
    row("C23", "before", "block-size", "makedumpfile.c read_kdump_sub_header", _SUB_HEADER,
        "block_size, the offset of the sub-header, is negative or outside the file, or the file is cut off."),
    row("C29", "before", "header-version", _HEADERS,
        "get_kdump_compressed_header_info: header does not have dump_level member",
        "header_version is 0 or negative; any larger value is accepted, even 100."),
    row("C12", "note", "no-text-by-narrow-header", _HEADERS, NO_LOG,
        "The header is a 32-bit one: makedumpfile reads it as a 64-bit header, and finds no text."),
    row("C14", "note", "no-text-in-other-byte-order", _HEADERS, NO_LOG,
        "The header is big-endian: makedumpfile reads it as little-endian, and finds no text."),
    row("C29", "note", "old-version", _HEADERS, NO_LOG,
        "header_version is 1 or 2: the header of such a file names no text."),
    row("C20", "note", "note-without-pointer", _HEADERS, NO_LOG,
        "The notes hold a VMCOREINFO note, but offset_vmcoreinfo or size_vmcoreinfo, which makedumpfile follows "
        "instead, is 0."),
    row("N01", "note", "no-pointer", "makedumpfile.c initial", NO_LOG,
        "offset_vmcoreinfo or size_vmcoreinfo is 0: there is no text. It continues without one until it needs the "
        "log."),
    row("C25", "note", "pointer-outside", "makedumpfile.c copy_vmcoreinfo",
        "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory",
        "offset_vmcoreinfo and size_vmcoreinfo point outside the file, or give a size too large for memory."),
)
_OF_ELF: Final = (
    row("C17", "before", "sadump-signature", "sadump_info.c read_sadump_header", "sadump: invalid magic number",
        "`sadump` is at the start of the file or at 4,096, where a dump of Fujitsu's sadump has its partition "
        "header: makedumpfile then mistakes the file for a damaged sadump, and gives up."),
    row("C17", "before", "sadump", "sadump_info.c read_sadump_header", "",
        "The file has a valid sadump header, which these rules do not cover.", observed=False),
    row("C21", "before", "flattened", _CHECK, _NO_EHDR,
        "The file is flattened. makedumpfile writes this format but reads it only with -R: rearrange it first."),
    row("C02", "before", "too-short", _CHECK, "check_elf_format: Can't read FILE. No such file or directory",
        "The file is shorter than an ELF header of 64 bytes, which is also read from a 32-bit file."),
    row("C13", "before", "unknown-class", _CHECK, _NO_EHDR,
        "EI_CLASS is neither 1 (32 bit) nor 2 (64 bit). makedumpfile checks nothing else in e_ident, not even the "
        "ELF signature."),
    row("C16", "before", "section-0-unreadable", _PHNUM,
        "get_elf64_phnum: Can't read FILE at 0x0. No such file or directory",
        "e_phnum is 0xffff, so section header 0 holds the number of program headers; but there is no such header at "
        "e_shoff."),
    row("C16", "before", "section-0-too-long", _PHNUM, "*** stack smashing detected ***: terminated",
        "e_phnum is 0xffff and e_shentsize more than 72: makedumpfile reads that many bytes of section header 0 into "
        "a smaller buffer, and is killed by SIGABRT or, if there are many more, by SIGSEGV."),
    row("C14", "before", "other-byte-order", _CHECK, _NO_LOADS,
        "The file is big-endian. makedumpfile ignores EI_DATA and reads dumps in the byte order of the machine on "
        "which it runs, so it reads wrong numbers."),
    row("C06", "before", "headers-elsewhere", "elf_info.c get_elf64_phdr", _NO_LOADS,
        "The program headers do not directly follow the ELF header, where makedumpfile reads them whatever e_phoff "
        "says. QEMU 7.2 and later put section headers there."),
    row("C16", "before", "more-headers-than-file", "elf_info.c get_elf64_phdr",
        "get_elf64_phdr: Can't read FILE. No such file or directory",
        "The program headers, of 56 bytes each (32 bit: 32), reach past the end of the file."),
    row("C16", "before", "no-headers", _INFO, _NO_LOADS,
        "The file says that it has no program headers (e_phnum, or sh_info of section 0 if that is 0xffff)."),
    row("M01", "before", "no-memory", _INFO, _NO_LOADS,
        "None of the program headers is a PT_LOAD: there is no guest memory."),
    row("C03", "note", "no-note-header", _INFO, "get_elf_info: Can't find PT_NOTE Phdr.",
        "There is no PT_NOTE, or the last one, the only one that counts, has offset or size 0."),
    row("N02", "note", "notes-lead-out-of-the-file", _NOTES, _NOTES_OUTSIDE,
        "Going from note to note it gets outside the file, or to less than 27 bytes before its end. Either a note's "
        "sizes are wrong, or PT_NOTE reaches past the end of the file."),
    row("C02", "note", "notes-cut-off", _NOTES, _NOTES_OUTSIDE,
        "PT_NOTE reaches past the end of the file, and so do the steps from note to note: the file is cut off, or "
        "p_offset or p_filesz is wrong."),
    row("N16", "note", "xen-note-broken", "makedumpfile.c init_xen_crash_info",
        "init_xen_crash_info: Xen crash info too small (0 bytes).",
        "A note `Xen` of type 0x1000001 marks a hypervisor's dump, but its descriptor has less than the required 64 "
        "bytes, or is cut off."),
    row("N16", "note", "xen-text", "makedumpfile.c initial_xen", "",
        "Notes `Xen` and VMCOREINFO_XEN: it reads the hypervisor's memory first, which these rules do not cover.",
        observed=False),
    row("T10", "note", "empty-text", "elf_info.c has_vmcoreinfo", NO_LOG,
        "The last VMCOREINFO note is empty, which counts as missing; earlier ones are ignored."),
    row("N09", "note", "note-type", _NOTES, NO_LOG, "The VMCOREINFO note has a type other than 0, and is ignored."),
    row("N04", "note", "note-name", _NOTES, NO_LOG,
        "The note's name is not VMCOREINFO and a NUL, or its length is 0 or more than 15: the note is ignored."),
    row("C03", "note", "note-in-another-area", "elf_info.c set_pt_note", NO_LOG,
        "Only the last of several PT_NOTE headers counts; the note is in another one."),
    row("N08", "note", "note-byte-order", _NOTES, NO_LOG,
        "The words of the note's header are in the other byte order, so its length is absurd."),
    row("N15", "note", "note-out-of-step", _NOTES, NO_LOG,
        "The steps from note to note, in multiples of 4 bytes, do not reach the VMCOREINFO note: there are zeros or "
        "uncounted padding before it, or an earlier size is wrong."),
    row("N02", "note", "note-header-broken", _NOTES, NO_LOG,
        "The name VMCOREINFO is there, but there is no matching note header before it."),
    row("N01", "note", "no-note", "makedumpfile.c initial", NO_LOG,
        "There is no VMCOREINFO note in the area of PT_NOTE. It continues without one until it needs the log."),
    row("N06", "note", "text-cut-off", "makedumpfile.c copy_vmcoreinfo",
        "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory",
        "The text reaches past the end of the file, or its size is at least 2 GiB."),
)
_OF_TEXT: Final = (
    row("T11", "note", "text-on-the-stack", "makedumpfile.c copy_vmcoreinfo",
        "*** stack smashing detected ***: terminated",
        "makedumpfile before 1.7.0 copies the text into 4,096 bytes of its stack, whatever its length: it is killed by "
        "SIGABRT, or by SIGSEGV if the text is much longer.", until=(1, 7)),
    row("T02", "after", "carriage-return", _BASIC, _DATA + "PAGESIZE=4096\\x0d",
        "A line ends with CR LF, and the CR counts as part of a number, which is then invalid."),
    row("T20", "after", "pagesize", _BASIC, _DATA + "PAGESIZE=0x1000",
        "PAGESIZE is 0, too large or not entirely a decimal number. One such line is fatal even among good ones."),
    row("T20", "after", "pagesize-no-power-of-two", "makedumpfile.c set_page_size",
        "set_page_size: Invalid page_size: 3" + _DATA + "PAGESIZE=3", "PAGESIZE is negative or not a power of two."),
    row("T21", "after", "crashtime", _BASIC, _DATA + "CRASHTIME=0",
        "CRASHTIME is 0, empty, too large or not entirely a decimal number."),
    row("T09", "after", "no-release", _BASIC, NO_FORMAT, "The required line that starts with OSRELEASE= is missing."),
    row("T15", "after", "no-pagesize", _BASIC, NO_FORMAT, "The required line that starts with PAGESIZE= is missing."),
    *_of_keys("T22", "symbol", _SYMBOL,
        "read_vmcoreinfo_symbol: Invalid data in /tmp/vmcoreinfoXXXXXX: SYMBOL(mem_map)=0",
        "A symbol that it reads is 0 (or empty), all ones or more, or not entirely a hexadecimal number."),
    *_of_keys("T07", "number", "makedumpfile.c read_vmcoreinfo_long",
        "read_vmcoreinfo_long: Invalid data in /tmp/vmcoreinfoXXXXXX: SIZE(page)=x",
        "A SIZE, OFFSET, LENGTH or NUMBER that it reads is not entirely a decimal or hexadecimal number, or does not "
        "fit into 63 bits. An empty value is 0."),
    row("T19", "after", "silent-number", "makedumpfile.c read_vmcoreinfo_long", "makedumpfile Failed.",
        "The value is -3, which means bad data inside makedumpfile: it prints the text and gives up silently.",
        refuses=False),
    row("T14", "after", "release-overflows", _BASIC, "killed by SIGSEGV",
        "makedumpfile before 1.7.0 has room for a release of 64 characters. A longer one overwrites what follows: with "
        "177 characters or more it prints the text, and dies at the end.", refuses=False, until=(1, 7)),
    row("T03", "after", "nul", _BASIC, "",
        "A NUL ends its line for makedumpfile; one at the start of a line ends the text.", refuses=False),
    row("T05", "after", "long-line", _BASIC, "",
        "A line of more than 1,499 bytes is read in pieces: each further piece counts as the next line.",
        refuses=False),
    row("T06", "after", "first-counts", _SYMBOL, "",
        "A key that it uses appears twice with different values: the first counts, but of PAGESIZE and CRASHTIME "
        "the last.", refuses=False),
    row("C12", "after", "other-machine", "arch/x86_64.c vtop4_x86_64", _NO_TABLE,
        "The dump is from another machine than the one that this makedumpfile was built for. It prints the text, and "
        "then finds no page tables of its own kind.", refuses=False),
    row("T15", "after", "no-page-tables", "arch/x86_64.c vtop4_x86_64", _NO_TABLE,
        "Neither SYMBOL(init_top_pgt) nor SYMBOL(init_level4_pgt) is there: it prints the text, but cannot translate "
        "addresses.", refuses=False),
    row("T15", "after", "no-utsname", "makedumpfile.c check_release",
        "check_release: Can't get the symbol of system_utsname.",
        "Neither SYMBOL(init_uts_ns) nor SYMBOL(system_utsname) is there: it prints the text, but cannot read the "
        "kernel's version from memory.", refuses=False),
    row("T15", "after", "log-keys-missing", "printk.c dump_lockless_dmesg", "",
        "SYMBOL(prb) is there, but not every key that leads from it to the log: it prints the text, then uses -1 for "
        "missing keys and prints garbage or, without head_id or tail_id of prb_desc_ring, never ends.", refuses=False),
    row("C11", "after", "linear-map-after-the-last-header", "arch/x86_64.c get_page_offset_x86_64",
        "get_mm_sparsemem: Can't get the address of mem_section.",
        "It takes p_vaddr - p_paddr of the last PT_LOAD with a virtual address as the start of the kernel's linear "
        "map. In a dump with paging (some 65,000 headers, one for each range of virtual addresses) that is another "
        "mapping, above mem_section: it prints the text and then finds no memory. Merge the headers to one PT_LOAD "
        "for each range, without virtual addresses, and it can read the dump.", refuses=False),
    *map(_newer_kernel, NEEDS),
    row("T20", "after", "pagesize-below-a-section", "makedumpfile.c get_mm_sparsemem", "killed by SIGFPE",
        "PAGESIZE is smaller than SIZE(mem_section): it prints the text, and later divides by zero.", refuses=False),
)
LAST_OF_KDUMP: Final = (
    row("C20", "after", "other-text", _HEADERS, "",
        "The text that it uses (offset_vmcoreinfo) differs from that of the VMCOREINFO note (offset_note), which "
        "drgn uses.", refuses=False),
    row("M07", "after", "header-phys-base", "makedumpfile.c initial",
        "check_release: Can't get the address of system_utsname.",
        "phys_base of the header is not NUMBER(phys_base) of the text. In a kdump-compressed file makedumpfile uses "
        "the header's: it prints the text, and then translates addresses wrongly.", refuses=False),
    row("C26", "after", "more-pages-than-bits", "makedumpfile.c initialize_bitmap_memory",
        "is_dumpable_file: Can't read the bitmap(FILE). No such file or directory",
        "max_mapnr_64 (before version 6: max_mapnr) is larger than the number of the bitmap's bits in the file. It "
        "prints the text, then looks up every page: it dies, or takes hours.", refuses=False),
)
# fmt: on
RULES: Final = (*OF_KDUMP, *_OF_ELF, *_OF_TEXT, *LAST_OF_KDUMP)
