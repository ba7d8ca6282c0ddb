"""makedumpfile 1.7.2, the x86-64 build, extracting the log of a dump: `--dump-dmesg`.

It accepts if it prints the text (`VMCOREINFO   :`) without an error. Rules that do not refuse
report later failures, such as missing memory or keys.
FILE in its words is the file's name, /tmp/vmcoreinfoXXXXXX its temporary file.
"""

from __future__ import annotations

import os
from typing import Final

from vmci_tui.readers.makedumpfile import kdump_rules, text_rules
from vmci_tui.readers.makedumpfile.reading import NO_LOG, MakedumpfileReading, row
from vmci_tui.readers.makedumpfile.text import KEYS, lines
from vmci_tui.readers.rule import Reader

_CHECK: Final = "elf_info.c check_elf_format"
_PHNUM: Final = "elf_info.c get_elf64_phnum"
_INFO: Final = "elf_info.c get_elf_info"
_NOTES: Final = "elf_info.c get_pt_note_info"
_NO_EHDR: Final = "check_elf_format: Can't get valid ehdr."
_NO_LOADS: Final = "get_elf_info: Can't get the number of PT_LOAD."
_NOTES_OUTSIDE: Final = "get_pt_note_info: Can't read the dump memory(FILE). No such file or directory"
# fmt: off
_RULES: Final = (
    row("C17", "before", "sadump-signature", "sadump_info.c read_sadump_header", "sadump: invalid magic number",
        "`sadump` is at the start of the file or at 4,096, where a dump of Fujitsu's sadump has its partition "
        "header: makedumpfile then takes the file for a damaged sadump, and gives up."),
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
# fmt: on

READER: Final = Reader(
    name="makedumpfile",
    version="1.7.2",
    command="makedumpfile --message-level 31 --dump-dmesg FILE OUT",
    read=MakedumpfileReading,
    rules=(*kdump_rules.FIRST, *_RULES, *text_rules.TEXT, *text_rules.LATER, *kdump_rules.LATER),
    accepted=lambda r: "VMCOREINFO   :   OSRELEASE=" + os.fsdecode(r.osrelease or b""),
    lines=lines,
    keys=KEYS,
    known=("1.6.8", "1.7.2", "1.7.6", "1.7.8"),
)
