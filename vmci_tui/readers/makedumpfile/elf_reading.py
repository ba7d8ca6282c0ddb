"""A file as makedumpfile 1.7.2 (x86-64) reads it: the headers, the notes, the text.

After elf_info.c (check_elf_format, get_elf_info, get_pt_note_info) and makedumpfile.c
(initial, copy_vmcoreinfo). In the headers it looks only at EI_CLASS, e_phnum and the
program headers directly after the ELF header, all as little-endian.

What it prints while it looks for other containers (`read_device: Can't read a file`, for
files of less than 8 KiB) decides nothing and is not part of the words here. FILE is the
file's name. `No such file or directory` is the last value of errno, from the check that
the output file does not exist.
"""

from __future__ import annotations

import re
import struct
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, note_header
from vmci_tui.formats.elf_records import EI_CLASS, PN_XNUM, PT_LOAD, PT_NOTE, Segment, format_of
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.formats.segment_table import Segments
from vmci_tui.readers.file_view import SEGMENT_LIMIT, View
from vmci_tui.readers.makedumpfile.kdump_reading import MEMORY, MakedumpfileKdump
from vmci_tui.readers.makedumpfile.text import MakedumpfileText
from vmci_tui.readers.rule import Fault as HeaderFault

_EM_X86_64: Final = 62
_EHDR64: Final = format_of(64, "little").header_size
"""Bytes that it reads first, also from a 32-bit file."""
_BLOCK: Final = 4096
_SADUMP_MAGIC_AT, _SADUMP_MAGIC = 168, struct.Struct("<982I")
"""The magic numbers fill a partition header of sadump up to the end of its block."""
_SEEK_LIMIT: Final = 0xFFFFFFFF000
"""The last offset to which ext4 seeks; beyond it lseek fails, not read."""
_SECTION_BUFFER: Final = 72
"""Its room for section header 0, in bytes: an Elf64_Shdr and the 8 bytes before the stack's guard."""
_NAME: Final = 15
"""Bytes of a name that it compares; it ignores a note with a longer name."""
_STEPS: Final = 1 << 16
"""Notes that are read at most."""
_AREA_LIMIT: Final = 1 << 20
_TOP: Final = (1 << 64) - 1
NO_PADDR: Final = _TOP
"""p_paddr of a range of virtual addresses that is not in memory."""
_CUT: Final = "No such file or directory"


_NAMED = re.compile(rb"VMCOREINFO(?!_XEN)(.?)", re.DOTALL)


class NotePlace(NamedTuple):
    """A note that it uses, or ignores because of its type or the length of its name."""

    offset: int
    desc: int
    """File offset of the descriptor."""
    descsz: int

    @property
    def span(self) -> Span:
        return Span(self.offset, self.desc - self.offset + self.descsz)


class MakedumpfileWalk(NamedTuple):
    """The notes that it finds in the area of the last PT_NOTE."""

    found: NotePlace | None = None
    """The last note that is named VMCOREINFO and has type 0."""
    other_type: NotePlace | None = None
    wrong_length: NotePlace | None = None
    """Its name is VMCOREINFO, but with a length of 0 or of more than 15."""
    xen: NotePlace | None = None
    """Xen's crash information: makedumpfile then takes the file for a hypervisor's dump."""
    xen_text: NotePlace | None = None
    fault: HeaderFault | None = None


def _area(segment: Segment) -> Span:
    return Span(segment.offset, segment.filesz)


class MakedumpfileReading:
    """A file as makedumpfile reads it. Properties are independent: None if the file lacks what they need."""

    def __init__(self, view: View) -> None:
        self.view = view
        head = view.head
        self.container = ""
        """The container that the first bytes mean to it, if it is not ELF."""
        if MakedumpfileKdump.recognises(view):
            self.container = "kdump"
        elif view.size >= _EHDR64 and head.startswith(FLATTENED):
            self.container = "flattened"
        elif self._sadump_at is not None:
            self.container = "sadump"
        self.kdump = MakedumpfileKdump(view) if self.container == "kdump" else None
        kinds = {1: 32, 2: 64}
        long_enough = view.size >= _EHDR64 and not self.container
        self.bits = kinds.get(head[EI_CLASS], 0) if long_enough and len(head) >= _EHDR64 else 0
        """The width by EI_CLASS; 0 if unknown."""
        self.form = format_of(32 if self.bits == 32 else 64, "little")

    @cached_property
    def _sadump_at(self) -> int | None:
        """Offset of a partition header of sadump: 0, or after a media header of one block."""
        signature = b"sadump\0\0"
        if self.view.size >= _BLOCK and self.view.head.startswith(signature):
            return 0
        if self.view.size >= 2 * _BLOCK and self.view.read(_BLOCK, 8) == signature:
            return _BLOCK
        return None

    @property
    def sadump_header(self) -> Span | None:
        return None if self._sadump_at is None else Span(self._sadump_at, 8)

    @cached_property
    def sadump_is_sound(self) -> bool:
        """Whether its magic numbers are right: each follows from the one before (sadump_info.c verify_magic_number)."""
        at = self._sadump_at
        if at is None:
            return False
        words = _SADUMP_MAGIC.unpack(self.view.read(at + _SADUMP_MAGIC_AT, _SADUMP_MAGIC.size))
        return all(b == (a + 7) * 11 & 0xFFFFFFFF for a, b in pairwise(words))

    @cached_property
    def _count(self) -> int | HeaderFault:
        """The number of program headers, or the fault that hides it (get_elf64_phnum)."""
        header = self.view.header(self.bits, "little")
        if header.phnum != PN_XNUM or self.bits == 32:
            return header.phnum
        at, length, span = header.shoff, header.shentsize, self.form.span("e_shoff")
        if at > _SEEK_LIMIT:
            words = f"get_elf64_phnum: Can't seek FILE at {at:#x}. Invalid argument"
            return HeaderFault("section 0", words, span)
        section = self.view.read(at, length)
        if len(section) > _SECTION_BUFFER + 1 or section[_SECTION_BUFFER:].strip(b"\0"):
            # The guard's own first byte is 0.
            return HeaderFault("smash", "*** stack smashing detected ***: terminated", self.form.span("e_shentsize"))
        if len(section) < length:
            return HeaderFault("section 0", f"get_elf64_phnum: Can't read FILE at {at:#x}. {_CUT}", span)
        # Bytes that it did not read are zeros on its stack (observed); sh_info goes into an int.
        count = int.from_bytes(self.form.section.part("sh_info", section), "little", signed=True)
        return max(count, 0)

    @cached_property
    def table(self) -> Segments:
        """The program headers that are whole in the file; it reads them directly after the ELF header."""
        if not self.bits or isinstance(self._count, HeaderFault):
            return Segments(self.form, b"")
        return self.view.segments(self.bits, "little", self.form.header_size, self._count)

    @cached_property
    def note_segment(self) -> Segment | None:
        """The last PT_NOTE: each one replaces the one before."""
        last = self.table.last_of(PT_NOTE)
        return None if last is None else self.table[last]

    @cached_property
    def head_fault(self) -> HeaderFault | None:
        """The fault that keeps it from the notes."""
        if self.container:
            return None
        if self.view.size < _EHDR64:
            return HeaderFault("short", f"check_elf_format: Can't read FILE. {_CUT}", Span(0, self.view.size))
        if not self.bits:
            return HeaderFault("class", "check_elf_format: Can't get valid ehdr.", self.form.span("EI_CLASS"))
        if isinstance(self._count, HeaderFault):
            return self._count
        return self._table_fault(self._count)

    @property
    def machine_is_x86_64(self) -> bool:
        if self.kdump is not None:
            return self.kdump.is_x86_64
        return self.view.header(64, "little").machine == _EM_X86_64

    @property
    def machine_span(self) -> Span:
        return self.form.span("e_machine") if self.kdump is None else self.kdump.field("utsname.machine")

    def _table_fault(self, count: int) -> HeaderFault | None:
        form = self.form
        table = Span(form.header_size, max(min(count * form.segment.size, self.view.size - form.header_size), 0))
        phnum = form.span("e_phnum")
        if len(self.table) < min(count, SEGMENT_LIMIT):
            words = f"get_elf{self.bits}_phdr: Can't read FILE. {_CUT}"
            fault = HeaderFault("table cut", words, phnum)
        elif not self.table.count_of(PT_LOAD):
            words = "get_elf_info: Can't get the number of PT_LOAD."
            fault = HeaderFault("no load" if count else "no header", words, table if count else phnum)
        elif not (self.note_segment and self.note_segment.offset and self.note_segment.filesz):
            return HeaderFault("no note", "get_elf_info: Can't find PT_NOTE Phdr.", table)
        else:
            return None
        if self.view.head[5] == 2:
            return HeaderFault("order", fault.words, self.form.span("EI_DATA"))
        if self._headers_elsewhere:
            return HeaderFault("elsewhere", fault.words, form.span("e_phoff"))
        return fault

    @cached_property
    def _headers_elsewhere(self) -> bool:
        """Whether there is a PT_NOTE or PT_LOAD at e_phoff, which is not where it reads."""
        phoff = self.view.header(self.bits, "little").phoff
        if phoff == self.form.header_size:
            return False
        return any(item.type in (PT_LOAD, PT_NOTE) for item in self.view.segments(self.bits, "little", phoff, 1))

    @cached_property
    def walk(self) -> MakedumpfileWalk:
        """The notes, from one header to the next (get_pt_note_info)."""
        if self.head_fault is not None or self.note_segment is None:
            return MakedumpfileWalk()
        return self._walk(self.note_segment)

    def _walk(self, segment: Segment) -> MakedumpfileWalk:
        walk, at = MakedumpfileWalk(), segment.offset
        end = at + segment.filesz & _TOP
        for _ in range(_STEPS):
            if at >= end:
                break
            if at > _SEEK_LIMIT:
                words = "get_pt_note_info: Can't seek the dump memory(FILE). Invalid argument"
                return walk._replace(fault=HeaderFault("notes", words, Span(at, 0)))
            head = self.view.read(at, HEADER + _NAME)
            namesz, descsz, kind = note_header("little").unpack(head[:HEADER].ljust(HEADER, b"\0"))
            if len(head) < HEADER or (0 < namesz <= _NAME and len(head) < HEADER + _NAME):
                words = f"get_pt_note_info: Can't read the dump memory(FILE). {_CUT}"
                return walk._replace(fault=HeaderFault("notes", words, Span(at, len(head))))
            if not namesz and not descsz:
                at += self._zeros(at)
                continue
            name, body = head[HEADER:], at + HEADER + _up(namesz)
            note = NotePlace(at, body, descsz)
            if 0 < namesz <= _NAME:
                walk = _met(walk, name, kind, note)
            elif name.startswith(b"VMCOREINFO\0"):
                walk = walk._replace(wrong_length=note)
            at = body + _up(descsz)
        return walk

    def _zeros(self, at: int) -> int:
        """Return the bytes that steps of one empty header skip in zeros, at least 12."""
        chunk = self.view.read(at, HEADER * 4096)
        return max((len(chunk) - len(chunk.lstrip(b"\0"))) // HEADER * HEADER, HEADER)

    @cached_property
    def found(self) -> NotePlace | None:
        """The note whose text it copies; None if empty. In a kdump-compressed file only the text."""
        if self.kdump is not None:
            text_place = self.kdump.text_place
            return None if text_place is None else NotePlace(text_place[0], *text_place)
        note = self.walk.found
        return note if note is not None and note.descsz and self.walk.fault is None else None

    @cached_property
    def missing_note(self) -> tuple[str, Span | None]:
        """The reason why it found no note, if it could walk the notes; and the bytes concerned."""
        walk, segment = self.walk, self.note_segment
        if walk.found is not None:
            return "empty", walk.found.span
        if walk.other_type is not None:
            return "type", walk.other_type.span
        if walk.wrong_length is not None:
            kind = "order" if self._is_swapped(walk.wrong_length.offset) else "name"
            return kind, Span(walk.wrong_length.offset, HEADER)
        if segment is None:
            return "none", None
        others = [s for s in self.table[:64].of_type(PT_NOTE) if s != segment]
        for other in others:
            if (note := self._walk(other).found) is not None:
                return "other area", note.span
        area = self.view.read(segment.offset, min(segment.filesz, _AREA_LIMIT))
        hit = _NAMED.search(area)
        if hit is None or hit.start() < HEADER:
            return "none", _area(segment)
        at = hit.start() - HEADER
        span = Span(segment.offset + at, HEADER)
        if hit[1] != b"\0":
            return "name", span
        if self._is_swapped(span.offset):
            return "order", span
        return ("place" if note_header("little").unpack_from(area, at)[0] in (10, 11) else "broken"), span

    def _is_swapped(self, at: int) -> bool:
        """Whether a big-endian header with the right name length is at this offset."""
        return int.from_bytes(self.view.read(at, 4), "big") in (10, 11)

    @cached_property
    def words_without_note(self) -> str:
        """Its message without a text: it continues, and fails when it needs the log."""
        top = 0
        for kind, _, _, _, paddr, _, memsz, _ in self.table.rows():
            if kind == PT_LOAD and paddr != NO_PADDR:
                top = max(top, paddr + memsz & _TOP)
        if not (top + 4095 & _TOP) >> 12:
            return "calculate_cyclic_buffer_size: Invalid max_mapnr(0)."
        return "dump_dmesg: Can't find some symbols for log_buf."

    @cached_property
    def xen_fault(self) -> str:
        """Its message if it gives up a dump of a Xen hypervisor; else empty (init_xen_crash_info)."""
        note = self.walk.xen
        if note is None or not note.descsz or self.walk.fault is not None:
            return ""
        if note.descsz < 64:
            return f"init_xen_crash_info: Xen crash info too small ({note.descsz} bytes)."
        if note.desc + note.descsz > self.view.size:
            return f"init_xen_crash_info: Can't read the dump memory(FILE). {_CUT}"
        return ""

    @cached_property
    def copy_fault(self) -> str:
        """Its message if it cannot copy the text into its temporary file; else empty (copy_vmcoreinfo)."""
        note = self.found
        if note is None:
            return ""
        if note.descsz >= (1 << 31 if self.kdump is None else MEMORY):
            return "copy_vmcoreinfo: Can't allocate buffer for vmcoreinfo. Cannot allocate memory"
        if note.desc < 0:
            return "copy_vmcoreinfo: Can't seek the dump memory(FILE). Invalid argument"
        if note.desc + note.descsz > self.view.size:
            return f"copy_vmcoreinfo: Can't read the dump memory(FILE). {_CUT}"
        return ""

    @cached_property
    def note(self) -> Span | None:
        return None if self.found is None else self.found.span

    @cached_property
    def text(self) -> bytes | None:
        if self.found is None or self.copy_fault or self.xen_fault:
            return None
        return self.view.read(self.found.desc, self.found.descsz)

    @cached_property
    def parsed(self) -> MakedumpfileText | None:
        return None if self.text is None else MakedumpfileText(self.text)

    @property
    def osrelease(self) -> bytes | None:
        return None if self.parsed is None else self.parsed.basic.release

    def line_span(self, line: bytes) -> Span | None:
        """Return the span of a line of the text in the file."""
        if self.found is None or self.text is None:
            return None
        at = 0 if self.text.startswith(line) else self.text.find(b"\n" + line) + 1
        return Span(self.found.desc + at, len(line))


def _up(number: int) -> int:
    """Round up to a multiple of 4, in 32 bits as the program does."""
    return (number + 3 & 0xFFFFFFFF) // 4 * 4


def _met(walk: MakedumpfileWalk, name: bytes, kind: int, note: NotePlace) -> MakedumpfileWalk:
    """Add a note with a short enough name; the program compares 15 bytes of it, whatever its length."""
    if name.startswith(b"VMCOREINFO\0"):
        return walk._replace(found=note) if kind == 0 else walk._replace(other_type=note)
    if name == b"VMCOREINFO_XEN\0" and kind == 0:
        return walk._replace(xen_text=note)
    if name.startswith(b"Xen\0") and kind == 0x1000001:
        return walk._replace(xen=note)
    return walk
