"""makedumpfile 1.7.2, the x86-64 build, extracting the log of a dump: `--dump-dmesg`.

It accepts if it prints the text (`VMCOREINFO   :`) without an error. Rules that do not refuse
report later failures, such as missing memory or keys.
FILE in its words is the file's name, /tmp/vmcoreinfoXXXXXX its temporary file.
"""

from __future__ import annotations

import os

from vmci_tui.common.span import Span
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.readers.makedumpfile import kdump_rules as makedumpfile_kdump
from vmci_tui.readers.makedumpfile.elf_reading import MakedumpfileReading
from vmci_tui.readers.makedumpfile.text import KEYS, TextComplaint, lines
from vmci_tui.readers.makedumpfile.text_rules import LATER
from vmci_tui.readers.rule import Fault as HeaderFault
from vmci_tui.readers.rule import Reader, RuleHit, Rules, why

_Reading = MakedumpfileReading
_ELF = "makedumpfile 1.7.2, elf_info.c "
_MAIN = "makedumpfile 1.7.2, makedumpfile.c "
_NO_LOG = "dump_dmesg: Can't find some symbols for log_buf."
_NO_LOADS = "get_elf_info: Can't get the number of PT_LOAD."
rule: Rules[_Reading] = Rules()


def _on_fault(fault: HeaderFault | None, *kinds: str) -> RuleHit | None:
    return RuleHit(fault.span, fault.words) if fault is not None and fault.kind in kinds else None


def _note_missing(reading: _Reading, kind: str) -> RuleHit | None:
    """Return a hit if it walked the notes but did not find the note, for this reason."""
    walked = not (reading.container or reading.head_fault or reading.walk.fault or reading.found)
    if not walked or reading.missing_note[0] != kind:
        return None
    return RuleHit(reading.missing_note[1], reading.words_without_note)


def _complains(reading: _Reading, complaint: TextComplaint | None, *kinds: str) -> RuleHit | None:
    """Return a hit for a complaint of these kinds; CRLF has its own rule."""
    if complaint is None or complaint.crlf or complaint.kind not in kinds:
        return None
    return RuleHit(reading.line_span(complaint.line), complaint.words)


def _basic(reading: _Reading) -> TextComplaint | None:
    return None if reading.parsed is None else reading.parsed.basic.complaint


def _later(reading: _Reading) -> TextComplaint | None:
    return None if reading.parsed is None else reading.parsed.complaint


@rule("C17", "before", "sadump: invalid magic number", "makedumpfile 1.7.2, sadump_info.c read_sadump_header")
@why("""`sadump` is at the start of the file or at 4,096, where a dump of Fujitsu's sadump has its partition
    header: makedumpfile then takes the file for a damaged sadump, and gives up.""")
def _sadump_signature(reading: _Reading) -> RuleHit | None:
    if reading.container != "sadump" or reading.sadump_is_sound:
        return None
    return RuleHit(reading.sadump_header)


@rule("C17", "before", "", "makedumpfile 1.7.2, sadump_info.c read_sadump_header", observed=False)
@why("The file has a valid sadump header, which these rules do not cover.")
def _sadump(reading: _Reading) -> RuleHit | None:
    return RuleHit(reading.sadump_header) if reading.container == "sadump" and reading.sadump_is_sound else None


@rule("C21", "before", "check_elf_format: Can't get valid ehdr.", _ELF + "check_elf_format")
@why("The file is flattened. makedumpfile writes this format but reads it only with -R: rearrange it first.")
def _flattened(reading: _Reading) -> RuleHit | None:
    return RuleHit(Span(0, len(FLATTENED))) if reading.container == "flattened" else None


@rule("C02", "before", "check_elf_format: Can't read FILE. No such file or directory", _ELF + "check_elf_format")
@why("The file is shorter than an ELF header of 64 bytes, which is also read from a 32-bit file.")
def _too_short(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "short")


@rule("C13", "before", "check_elf_format: Can't get valid ehdr.", _ELF + "check_elf_format")
@why("""EI_CLASS is neither 1 (32 bit) nor 2 (64 bit). makedumpfile checks nothing else in e_ident, not even
    the ELF signature.""")
def _unknown_class(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "class")


@rule("C16", "before", "get_elf64_phnum: Can't read FILE at 0x0. No such file or directory", _ELF + "get_elf64_phnum")
@why("""e_phnum is 0xffff, so section header 0 holds the number of program headers; but there is no such header
    at e_shoff.""")
def _section_0_unreadable(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "section 0")


@rule("C16", "before", "*** stack smashing detected ***: terminated", _ELF + "get_elf64_phnum")
@why("""e_phnum is 0xffff and e_shentsize more than 72: makedumpfile reads that many bytes of section header 0
    into a smaller buffer, and is killed by SIGABRT or, if there are many more, by SIGSEGV.""")
def _section_0_too_long(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "smash")


@rule("C14", "before", _NO_LOADS, _ELF + "check_elf_format")
@why("""The file is big-endian. makedumpfile ignores EI_DATA and reads dumps in the byte order of the machine on
    which it runs, so it reads wrong numbers.""")
def _other_byte_order(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "order")


@rule("C06", "before", _NO_LOADS, _ELF + "get_elf64_phdr")
@why("""The program headers do not directly follow the ELF header, where makedumpfile reads them whatever
    e_phoff says. QEMU 7.2 and later put section headers there.""")
def _headers_elsewhere(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "elsewhere")


@rule("C16", "before", "get_elf64_phdr: Can't read FILE. No such file or directory", _ELF + "get_elf64_phdr")
@why("The program headers, of 56 bytes each (32 bit: 32), reach past the end of the file.")
def _more_headers_than_file(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "table cut")


@rule("C16", "before", _NO_LOADS, _ELF + "get_elf_info")
@why("The file says that it has no program headers (e_phnum, or sh_info of section 0 if that is 0xffff).")
def _no_headers(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "no header")


@rule("M01", "before", _NO_LOADS, _ELF + "get_elf_info")
@why("None of the program headers is a PT_LOAD: there is no guest memory.")
def _no_memory(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "no load")


@rule("C03", "note", "get_elf_info: Can't find PT_NOTE Phdr.", _ELF + "get_elf_info")
@why("There is no PT_NOTE, or the last one, the only one that counts, has offset or size 0.")
def _no_note_header(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.head_fault, "no note")


@rule("N02", "note", "get_pt_note_info: Can't read the dump memory(FILE). No such file or directory",
      _ELF + "get_pt_note_info")  # fmt: skip
@why("""Going from note to note it gets outside the file, or to less than 27 bytes before its end. Either a
    note's sizes are wrong, or PT_NOTE reaches past the end of the file.""")
def _notes_lead_out_of_the_file(reading: _Reading) -> RuleHit | None:
    return None if _cut(reading) else _on_fault(reading.walk.fault, "notes")


@rule("C02", "note", "get_pt_note_info: Can't read the dump memory(FILE). No such file or directory",
      _ELF + "get_pt_note_info")  # fmt: skip
@why("""PT_NOTE reaches past the end of the file, and so do the steps from note to note: the file is cut off,
    or p_offset or p_filesz is wrong.""")
def _notes_cut_off(reading: _Reading) -> RuleHit | None:
    return _on_fault(reading.walk.fault, "notes") if _cut(reading) else None


def _cut(reading: _Reading) -> bool:
    segment = reading.note_segment
    return segment is not None and segment.offset + segment.filesz > reading.view.size


@rule("N16", "note", "init_xen_crash_info: Xen crash info too small (0 bytes).", _MAIN + "init_xen_crash_info")
@why("""A note `Xen` of type 0x1000001 marks a hypervisor's dump, but its descriptor has less than the required
    64 bytes, or is cut off.""")
def _xen_note_broken(reading: _Reading) -> RuleHit | None:
    if not reading.xen_fault or reading.walk.xen is None:
        return None
    return RuleHit(reading.walk.xen.span, reading.xen_fault)


@rule("N16", "note", "", _MAIN + "initial_xen", observed=False)
@why("Notes `Xen` and VMCOREINFO_XEN: it reads the hypervisor's memory first, which these rules do not cover.")
def _xen_text(reading: _Reading) -> RuleHit | None:
    walk = reading.walk
    if walk.fault or walk.xen is None or walk.xen_text is None or not walk.xen_text.descsz:
        return None
    return RuleHit(walk.xen_text.span)


@rule("T10", "note", _NO_LOG, _ELF + "has_vmcoreinfo")
@why("The last VMCOREINFO note is empty, which counts as missing; earlier ones are ignored.")
def _empty_text(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "empty")


@rule("N09", "note", _NO_LOG, _ELF + "get_pt_note_info")
@why("The VMCOREINFO note has a type other than 0, and is ignored.")
def _note_type(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "type")


@rule("N04", "note", _NO_LOG, _ELF + "get_pt_note_info")
@why("The note's name is not VMCOREINFO and a NUL, or its length is 0 or more than 15: the note is ignored.")
def _note_name(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "name")


@rule("C03", "note", _NO_LOG, _ELF + "set_pt_note")
@why("Only the last of several PT_NOTE headers counts; the note is in another one.")
def _note_in_another_area(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "other area")


@rule("N08", "note", _NO_LOG, _ELF + "get_pt_note_info")
@why("The words of the note's header are in the other byte order, so its length is absurd.")
def _note_byte_order(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "order")


@rule("N15", "note", _NO_LOG, _ELF + "get_pt_note_info")
@why("""The steps from note to note, in multiples of 4 bytes, do not reach the VMCOREINFO note: there are zeros or
    uncounted padding before it, or an earlier size is wrong.""")
def _note_out_of_step(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "place")


@rule("N02", "note", _NO_LOG, _ELF + "get_pt_note_info")
@why("The name VMCOREINFO is there, but there is no matching note header before it.")
def _note_header_broken(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "broken")


@rule("N01", "note", _NO_LOG, _MAIN + "initial")
@why("There is no VMCOREINFO note in the area of PT_NOTE. It continues without one until it needs the log.")
def _no_note(reading: _Reading) -> RuleHit | None:
    return _note_missing(reading, "none")


@rule("N06", "note", "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory",
      _MAIN + "copy_vmcoreinfo")  # fmt: skip
@why("The text reaches past the end of the file, or its size is at least 2 GiB.")
def _text_cut_off(reading: _Reading) -> RuleHit | None:
    return RuleHit(reading.note, reading.copy_fault) if reading.copy_fault and reading.kdump is None else None


_READ = _MAIN + "read_vmcoreinfo_basic_info"
_DATA = "read_vmcoreinfo_basic_info: Invalid data in /tmp/vmcoreinfoXXXXXX: "


@rule("T02", "after", _DATA + "PAGESIZE=4096\\x0d", _READ)
@why("A line ends with CR LF, and the CR counts as part of a number, which is then invalid.")
def _carriage_return(reading: _Reading) -> RuleHit | None:
    # A missing required key comes before the later keys.
    complete = reading.parsed is not None and reading.parsed.basic.complete
    complaint = _basic(reading) or (_later(reading) if complete else None)
    if complaint is None or not complaint.crlf:
        return None
    return RuleHit(reading.line_span(complaint.line), complaint.words)


@rule("T20", "after", _DATA + "PAGESIZE=0x1000", _READ)
@why("PAGESIZE is 0, too large or not entirely a decimal number. One such line is fatal even among good ones.")
def _pagesize(reading: _Reading) -> RuleHit | None:
    return _complains(reading, _basic(reading), "pagesize")


@rule("T20", "after", "set_page_size: Invalid page_size: 3" + _DATA + "PAGESIZE=3", _MAIN + "set_page_size")
@why("PAGESIZE is negative or not a power of two.")
def _pagesize_no_power_of_two(reading: _Reading) -> RuleHit | None:
    return _complains(reading, _basic(reading), "not a power of two")


@rule("T21", "after", _DATA + "CRASHTIME=0", _READ)
@why("CRASHTIME is 0, empty, too large or not entirely a decimal number.")
def _crashtime(reading: _Reading) -> RuleHit | None:
    return _complains(reading, _basic(reading), "crashtime")


_FORMAT = "read_vmcoreinfo_basic_info: Invalid format in /tmp/vmcoreinfoXXXXXX"


@rule("T09", "after", _FORMAT, _READ)
@why("The required line that starts with OSRELEASE= is missing.")
def _no_release(reading: _Reading) -> RuleHit | None:
    parsed = reading.parsed
    missing = parsed is not None and parsed.basic.release is None and parsed.basic.complaint is None
    return RuleHit(reading.note) if missing else None


@rule("T15", "after", _FORMAT, _READ)
@why("The required line that starts with PAGESIZE= is missing.")
def _no_pagesize(reading: _Reading) -> RuleHit | None:
    parsed = reading.parsed
    missing = parsed is not None and parsed.basic.page_size is None and parsed.basic.complaint is None
    return RuleHit(reading.note) if missing else None


@rule("T22", "after", "read_vmcoreinfo_symbol: Invalid data in /tmp/vmcoreinfoXXXXXX: SYMBOL(mem_map)=0",
      _MAIN + "read_vmcoreinfo_symbol")  # fmt: skip
@why("A symbol that it reads is 0 (or empty), all ones or more, or not entirely a hexadecimal number.")
def _symbol(reading: _Reading) -> RuleHit | None:
    return _complains(reading, _later(reading), "symbol")


@rule("T07", "after", "read_vmcoreinfo_long: Invalid data in /tmp/vmcoreinfoXXXXXX: SIZE(page)=x",
      _MAIN + "read_vmcoreinfo_long")  # fmt: skip
@why("""A SIZE, OFFSET, LENGTH or NUMBER that it reads is not entirely a decimal or hexadecimal number, or does
    not fit into 63 bits. An empty value is 0.""")
def _number(reading: _Reading) -> RuleHit | None:
    return _complains(reading, _later(reading), "long")


def _accepted(reading: _Reading) -> str:
    release = reading.osrelease or b""
    return "VMCOREINFO   :   OSRELEASE=" + os.fsdecode(release)


READER = Reader(
    name="makedumpfile",
    version="1.7.2",
    command="makedumpfile --message-level 31 --dump-dmesg FILE OUT",
    read=MakedumpfileReading,
    rules=(*makedumpfile_kdump.FIRST, *rule.all, *LATER, *makedumpfile_kdump.LATER),
    accepted=_accepted,
    lines=lines,
    keys=KEYS,
    known=("1.6.8", "1.7.2", "1.7.6", "1.7.8"),
)
