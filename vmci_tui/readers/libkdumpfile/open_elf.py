"""How libkdumpfile opens an ELF dump: headers, sections, notes, the name of the system (elfdump.c, notes.c, open.c)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import NAME
from vmci_tui.formats.elf_records import PN_XNUM, PT_LOAD, PT_NOTE, Section
from vmci_tui.formats.segment_table import Segments
from vmci_tui.machines.facts import Libkdumpfile
from vmci_tui.machines.lookup import machine_of_elf
from vmci_tui.readers.file_view import SEGMENT_LIMIT, View
from vmci_tui.readers.libkdumpfile.elf_pages import ElfMemory, LoadSegments
from vmci_tui.readers.libkdumpfile.file_cache import FD, FILE, OSTYPE, Killed, ReadFailed, Stopped, Windows
from vmci_tui.readers.libkdumpfile.memory import DumpMemory, Missing, Untranslated
from vmci_tui.readers.libkdumpfile.opening import OpeningDump
from vmci_tui.readers.libkdumpfile.releases import Release
from vmci_tui.readers.shared.elf_notes import WalkedNote, walk
from vmci_tui.readers.shared.elf_program import ElfFile

_KNOWN: Final = 1 << 17
"""The most program headers that are remembered for the next judgement."""
_LINUX: Final = b"Linux\0"
_UTS_SEARCHED: Final = 128
_UTS_STRING: Final = 65


class OpeningElf(OpeningDump):
    """An ELF dump that drgn passes on, because it found a VMCOREINFO note in it."""

    first_step = "killed-by-headers"

    def __init__(self, view: View, library: Release) -> None:
        self._core = ElfFile(view)
        super().__init__(view, library)

    def _open(self) -> None:
        machine = _machine_of(self._core)
        self.page_size = machine.page_size if machine.of_drgn else None
        loads = open_guest(self, self._core, self.windows)
        self.step = "killed-by-memory", None
        describe(self, loads, self.windows)


def _machine_of(core: ElfFile) -> Libkdumpfile:
    """Return the machine of e_machine and the file's class (elfdump.c mach2arch)."""
    return machine_of_elf(core.header.machine, core.bits).libkdumpfile


def open_guest(guest: OpeningDump, core: ElfFile, windows: Windows) -> LoadSegments:
    """Read headers and notes through `windows`, as elf_probe does. Raises Stopped, Killed and ReadFailed."""
    guest.order = core.order
    guest.machine = _machine_of(core)
    head = core.header
    if head.version != 1:
        raise Stopped("elf-version", f"{FILE}Unsupported ELF class: {core.bits // 32}", core.form.span("e_version"))
    sections, count = head.shnum, head.phnum
    if head.shoff and (sections == 0 or count == PN_XNUM):
        first = _first_section(core, windows)
        sections = sections or first.size
        if sections and count == PN_XNUM:
            count = first.info
    segments = _program_headers(core, windows, count)
    loads = _loads(segments) if len(segments) <= _KNOWN else LoadSegments(segments.only(PT_LOAD))
    _check_sections(core, windows, sections)
    if not sections and not loads.count:
        raise Stopped("no-content", f"{FILE}No content found")
    notes = tuple(_notes(core, windows, segments))
    for note in notes:
        if note.name in (NAME, NAME[:-1]):
            guest.note = note
            guest.take(note.desc, FD)
    for note in notes:
        guest.check_cpu(note, FD)
    if guest.page_size is None and (usual := guest.machine.page_size):
        guest.page_size, guest.cache = usual, True
    return loads


def _program_headers(core: ElfFile, windows: Windows, count: int) -> Segments:
    """Return the program headers; each is where e_phentsize leads."""
    head, stride, size = core.header, core.header.phentsize, core.form.segment.size
    if stride == size and head.phoff and core.has(head.phoff, count * size):
        return core.view.segments(core.bits, core.order, head.phoff, count)
    # The rest of a header may be after the end of the file: nothing reads it.
    table, touched = bytearray(), core.form.segment.span("p_type", through="p_memsz").length
    for index in range(min(count, SEGMENT_LIMIT)):
        at = (head.phoff + index * stride) % (1 << 64)
        try:
            raw = windows.read(at, touched, stride)
        except ReadFailed as failed:
            words = failed.after(f"{FD}Cannot read ELF program header #{index} at {at}")
            raise Stopped("program-header", words, Span(at, size)) from None
        table += raw[:size].ljust(size, b"\0")
    return Segments(core.form, bytes(table))


@lru_cache(maxsize=4)
def _loads(segments: Segments) -> LoadSegments:
    """Return the PT_LOADs; cached, because an edit of the text does not change 65,000 headers."""
    return LoadSegments(segments.only(PT_LOAD))


def _first_section(core: ElfFile, windows: Windows) -> Section:
    """Return section 0, which has the number of headers if the ELF header cannot hold it."""
    section = _section(core, windows, 0)
    raw = windows.view.read(core.header.shoff, core.form.section.size)
    return section._replace(info=Section(*core.form.section.unpack(raw.ljust(core.form.section.size, b"\0"))).info)


def _section(core: ElfFile, windows: Windows, index: int) -> Section:
    head, record = core.header, core.form.section
    at = (head.shoff + index * head.shentsize) % (1 << 64)
    try:
        raw = windows.read(at, record.span("sh_name", through="sh_size").length, head.shentsize)
        return Section(*record.unpack(raw[: record.size].ljust(record.size, b"\0")))
    except ReadFailed as failed:
        words = f"Cannot read ELF section header #{index} at {at}"
        raise Stopped("section-header", failed.after(FD + words), Span(at, record.size)) from None


def _check_sections(core: ElfFile, windows: Windows, count: int) -> None:
    """Read all section headers, and the section names."""
    try:
        windows.allocate(count * 24)
    except ReadFailed as failed:
        words = f"Cannot allocate section headers ({count * 24} bytes)"
        raise Stopped("section-count", failed.after(FD + words), Span(core.header.shoff, 0)) from None
    if core.header.shentsize == 0 and count:
        raise Killed("SIGSEGV")
    names = core.header.shstrndx
    for index in range(min(count, SEGMENT_LIMIT)):
        section = _section(core, windows, index)
        if index == names and names:
            strings = section
    if 0 < names < count:
        _check_names(windows, strings)


def _check_names(windows: Windows, section: Section) -> None:
    try:
        words = f"Cannot allocate ELF string table ({section.size} bytes)"
        windows.allocate(section.size)
        words = f"Cannot read ELF string table at {section.offset}"
        if section.size:
            windows.touch(section.offset, section.size)
    except ReadFailed as failed:
        raise Stopped("section-names", failed.after(FD + words), Span(section.offset, section.size)) from None


def _notes(core: ElfFile, windows: Windows, segments: Segments) -> Iterator[WalkedNote]:
    """Yield the notes of all PT_NOTEs, padded to 4 whatever p_align says; the last of each may lack its padding."""
    for place in segments.of_type(PT_NOTE):
        try:
            data = windows.read(place.offset, place.filesz)
        except ReadFailed as failed:
            words = failed.after(f"{FD}Cannot read ELF notes at {place.offset}")
            raise Stopped("notes", words, Span(place.offset, place.filesz)) from None
        yield from walk(place.offset, data, core.order, 4, padding=False).notes


def describe(guest: OpeningDump, loads: LoadSegments, windows: Windows) -> None:
    """Set the type of the system to Linux, which reads the name of the system from memory."""
    guest.memory = memory = ElfMemory(loads, windows, guest.page_size or 0, guest.cache)
    if guest.arch is not None:
        guest.kernel(memory)
    if guest.arch == "s390x":
        guest.adopt(memory)
    try:
        at = _name_of_system(guest, memory)
    except (Missing, Untranslated):
        return
    if at is None:
        raise Stopped("no-system-name", f"{OSTYPE}UTS_SYSNAME not found")
    try:
        found = memory.read("virtual", at, 6 * _UTS_STRING)
    except (Missing, Untranslated) as failed:
        raise Stopped("no-system-name", f"{OSTYPE}{failed}") from None
    fields = [found[n : n + _UTS_STRING] for n in range(0, 5 * _UTS_STRING, _UTS_STRING)]
    empty = any(fields[n][:1] == b"\0" for n in (2, 3, 4))
    if any(text[-1] for text in fields) or empty or not fields[0].startswith(_LINUX):
        raise Stopped("wrong-system-name", f"{OSTYPE}Wrong utsname content")


def _name_of_system(guest: OpeningDump, memory: DumpMemory) -> int | None:
    """Return the address of struct new_utsname; None if `Linux` is not where it should be."""
    at = guest.values.get(b"SYMBOL(system_utsname)")
    if at is not None:
        return at
    start = guest.values.get(b"SYMBOL(init_uts_ns)")
    if start is None:
        raise Missing("Symbol value attribute not found")
    found = memory.read("virtual", start, _UTS_SEARCHED + len(_LINUX)).find(_LINUX)
    return None if found < 0 else start + found
