"""The rules of crash 8.0.2 for the notes of a dump, and for the text in the note that it uses."""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, WINDOWS_HEADERS, note_header
from vmci_tui.formats.elf_records import PT_NOTE
from vmci_tui.readers.crash.elf_reading import BEFORE_FILE, EM_X86_64, CrashReading, NoteComplaint
from vmci_tui.readers.crash.text import KEYS, htol
from vmci_tui.readers.rule import RuleHit, Rules, why

_WALK: Final = "crash 8.0.2, netdump.c dump_Elf64_Nhdr"
_READ: Final = "crash 8.0.2, netdump.c vmcoreinfo_read_string"
_USUAL_STEXT: Final = 0xFFFFFFFF81000000
"""_stext of an x86-64 vmlinux with the usual CONFIG_PHYSICAL_START."""
# For a text with a newline put in front: four times as fast as ^ over many lines.
_OFFSET: Final = re.compile(rb"\nKERNELOFFSET=([^\n\0]*)")
_STEXT: Final = re.compile(rb"\nSYMBOL\(_stext\)=([^\n\0]*)")
_USED: Final = re.compile(rb"\n(?:" + b"|".join(map(re.escape, KEYS)) + rb")(?==)")

rule: Rules[CrashReading] = Rules()


def _at(complaint: NoteComplaint) -> RuleHit:
    return RuleHit(Span(complaint.at, HEADER), complaint.words)


def _note_missing(r: CrashReading) -> bool:
    """Whether crash walks the notes and does not find the note."""
    return r.walk is not None and r.walk.dies is None and not r.walk.taken


@rule("C18", "note", "killed by SIGSEGV", "crash 8.0.2, netdump.c is_netdump")
@why("p_offset of program header 0 is nearly 2^64: crash reads its own memory before the buffer of the headers.")
def _notes_before_file(r: CrashReading) -> RuleHit | None:
    near = 1 << 17  # about as much as it has allocated: there it reads nonsense, without a signal
    far = r.walk is not None and BEFORE_FILE <= r.first_headers[0].offset < (1 << 64) - near
    return RuleHit(r.segment_field(0, "p_offset")) if far else None


@rule("N16", "note", "", _WALK)
@why("A note kills crash: its name is longer than crash's buffer of 1,512 bytes, or it is an empty Xen note.")
def _killed(r: CrashReading) -> RuleHit | None:
    return _at(r.walk.dies) if r.walk and r.walk.dies else None


@rule("C08", "note", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("crash takes program header 0 as the notes, whatever its type; here it is not a PT_NOTE.")
def _notes_not_first(r: CrashReading) -> RuleHit | None:
    if not _note_missing(r) or r.first_headers[0].type == PT_NOTE:
        return None
    return RuleHit(r.segment_field(0, "p_type"), r.walk.ended.words if r.walk and r.walk.ended else None)


@rule("C09", "note", "", _WALK)
@why("The notes must be before the first byte of memory: crash reads only up to the lowest p_offset.")
def _notes_behind_memory(r: CrashReading) -> RuleHit | None:
    if r.walk is None or r.walk.ended is None or not _note_missing(r):
        return None
    behind = r.head_end is not None and r.first_headers[0].offset + HEADER > r.head_end
    return RuleHit(r.segment_field(0, "p_offset"), r.walk.ended.words) if behind else None


@rule("N08", "note", "", _WALK)
@why("The note's three header words are not in the byte order of the file: crash reads nonsense as sizes.")
def _header_in_other_byte_order(r: CrashReading) -> RuleHit | None:
    if r.walk is None or r.walk.ended is None or not _note_missing(r):
        return None
    header = r.view.read(r.walk.ended.at, HEADER + 10)
    swapped = int.from_bytes(header[:4], "big" if r.order == "little" else "little")
    return _at(r.walk.ended) if header[HEADER:] == b"VMCOREINFO" and 10 <= swapped < 256 else None


@rule("N15", "note", "", _WALK)
@why("crash goes from note to note; zero bytes whose number is not a multiple of 12 make it lose its way.")
def _lost_in_zeros(r: CrashReading) -> RuleHit | None:
    ended = r.walk.ended if r.walk else None
    return _at(ended) if ended and _note_missing(r) and ended.namesz == 0 else None


@rule("N02", "note", "", _WALK)
@why("A note's sizes do not fit before the first byte of memory: crash ignores this note and all after it.")
def _broken_note(r: CrashReading) -> RuleHit | None:
    return _at(r.walk.ended) if r.walk and r.walk.ended and _note_missing(r) else None


@rule("N09", "note", "unknown", _WALK)
@why("The note named VMCOREINFO has a type with another meaning to crash (1 is the registers of a CPU).")
def _type_of_its_own(r: CrashReading) -> RuleHit | None:
    if not _note_missing(r) or r.walk is None or r.walk.other_type is None:
        return None
    return RuleHit(note_header(r.order).span("type", r.walk.other_type[0]))


@rule("N04", "note", "unknown", _WALK)
@why("crash accepts any name that starts with VMCOREINFO, except VMCOREINFO_XEN, which is the hypervisor's.")
def _xen(r: CrashReading) -> RuleHit | None:
    if not _note_missing(r) or r.walk is None or r.walk.xen is None:
        return None
    return RuleHit(Span(r.walk.xen + HEADER, 15))


@rule("N06", "note", "", _WALK, observed=False)
@why("There are more notes before this one than vmci follows.")
def _too_many(r: CrashReading) -> RuleHit | None:
    return RuleHit(Span(r.walk.cut, HEADER)) if r.walk and r.walk.cut is not None else None


@rule("C03", "note", "unknown", "crash 8.0.2, netdump.c is_netdump")
@why("crash reads only the notes of program header 0; it takes the other PT_NOTE for memory.")
def _other_pt_note(r: CrashReading) -> RuleHit | None:
    if not _note_missing(r):
        return None
    table = r.view.segments(r.bits, r.order, r.header.phoff, r.count)
    other = next(filter(None, table.numbers(PT_NOTE)), None)
    return None if other is None else RuleHit(Span(r.header.phoff + other * r.form.segment.size, r.form.segment.size))


@rule("N01", "note", "unknown", _WALK)
@why("None of the notes has a name that starts with VMCOREINFO.")
def _no_note(r: CrashReading) -> RuleHit | None:
    return RuleHit() if _note_missing(r) else None


@rule("N09", "after", "unknown", _READ)
@why("A note SNAP of type 4 marks a dump that crash's extension snap.so made; crash reads no vmcoreinfo there.")
def _snap(r: CrashReading) -> RuleHit | None:
    return RuleHit(Span(r.walk.snap, HEADER)) if r.walk and r.walk.snap is not None else None


@rule("T10", "after", "unknown", _READ)
@why("The note has no text; crash uses the last of several notes.")
def _empty_text(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.note) if r.text == b"" else None


@rule("N13", "after", "unknown", _READ)
@why("The note holds a Windows dump header, in which crash finds no OSRELEASE.")
def _windows(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.desc) if r.text is not None and r.text.startswith(WINDOWS_HEADERS) and r.release is None else None


@rule("T09", "after", "unknown", _READ)
@why("No line starts with OSRELEASE=; it need not be the first line, and crash needs no other key here.")
def _no_release(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.desc) if r.text is not None and r.release is None else None


@rule("T09", "after", "", "crash 8.0.2, netdump.c kdump_get_osrelease")
@why("OSRELEASE has no value, so crash prints only an empty line.")
def _empty_release(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.release_line) if r.release is not None and not r.release.strip() else None


@rule("T14", "after", "unknown", "crash 8.0.2, netdump.c kdump_get_osrelease")
@why("OSRELEASE is the word that crash prints if it finds no release.")
def _release_unknown(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.release_line) if r.release is not None and r.release == b"unknown" else None


@rule("N07", "note", "", _WALK, refuses=False)
@why("crash complains about a note, and continues with the next: it takes twelve zero bytes as a note.")
def _complains(r: CrashReading) -> RuleHit | None:
    return _at(r.walk.complaints[0]) if r.walk and r.walk.complaints else None


@rule("N05", "note", "", _WALK, refuses=False)
@why("crash uses the last of several VMCOREINFO notes.")
def _several(r: CrashReading) -> RuleHit | None:
    return RuleHit(r.note) if r.walk and len(r.walk.taken) > 1 else None


@rule("T06", "after", "", _READ, refuses=False)
@why("A key that crash uses is in several lines: the first counts.")
def _duplicates(r: CrashReading) -> RuleHit | None:
    if r.text is None:
        return None
    keys = _USED.findall(b"\n" + r.text)
    return RuleHit(r.desc) if len(set(keys)) < len(keys) else None


@rule("T02", "after", "", _READ, refuses=False)
@why("The carriage return at the end of a line stays in the value and makes numbers invalid.")
def _carriage_returns(r: CrashReading) -> RuleHit | None:
    at = r.text.find(b"\r\n") if r.text else -1
    return RuleHit(Span(r.desc.offset + at, 2)) if r.desc and at >= 0 else None


@rule("T04", "after", "", _READ, refuses=False)
@why("The last line has no newline, and no NUL follows: crash reads the byte after the text as part of the value.")
def _one_byte_too_many(r: CrashReading) -> RuleHit | None:
    if not r.text or r.desc is None or r.text_and_next.endswith(b"\0"):
        return None
    if r.text.rpartition(b"\n")[2].partition(b"=")[0] not in KEYS:
        return None
    return RuleHit(Span(r.desc.offset + r.desc.length, 1))


@rule("T17", "after", "", "crash 8.0.2, symbols.c derive_kaslr_offset", refuses=False, observed=False)
@why("""crash only checks that KERNELOFFSET is there; it computes the offset as SYMBOL(_stext) - _stext of vmlinux.

    Here the two differ (for a vmlinux with the usual CONFIG_PHYSICAL_START).
    """)
def _offset_by_stext(r: CrashReading) -> RuleHit | None:
    text = b"\n" + (r.text or b"")
    found, stext = _OFFSET.search(text), _STEXT.search(text)
    if r.desc is None or found is None or stext is None or r.header.machine != EM_X86_64:
        return None
    claimed, real = htol(found[1]), htol(stext[1])
    if claimed is None or real is None or real - claimed == _USUAL_STEXT:
        return None
    return RuleHit(Span(r.desc.offset + found.start(), len(found[0]) - 1))
