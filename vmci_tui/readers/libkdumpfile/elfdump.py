"""How libkdumpfile opens an ELF dump: headers, sections, notes (elfdump.c, notes.c)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import PN_XNUM, PT_LOAD, PT_NOTE, Section, Segment
from vmci_tui.formats.segment_table import Segments
from vmci_tui.readers.file_view import SEGMENT_LIMIT
from vmci_tui.readers.libkdumpfile.elf_pages import LoadSegments
from vmci_tui.readers.libkdumpfile.file_cache import FD, Killed, ReadFailed, Stopped, Windows
from vmci_tui.readers.shared.elf_notes import WalkedNote, walk
from vmci_tui.readers.shared.elf_program import ElfFile

_KNOWN: Final = 1 << 17
"""The most program headers that are remembered for the next judgement."""


class OpenedElf(NamedTuple):
    """The headers of a dump."""

    loads: LoadSegments
    notes: tuple[tuple[WalkedNote, ...], ...]
    """The notes of each PT_NOTE."""


def open_elf(core: ElfFile, windows: Windows) -> OpenedElf:
    """Read the headers as elf_probe does. Raises Stopped and Killed."""
    head = core.header
    if head.version != 1:
        raise Stopped("elf-version", f"file #0: Unsupported ELF class: {core.bits // 32}", core.form.span("e_version"))
    sections, segments = head.shnum, head.phnum
    if head.shoff and (sections == 0 or segments == PN_XNUM):
        first = _first_section(core, windows)
        sections = sections or first.size
        if sections and segments == PN_XNUM:
            segments = first.info
    loads, areas = _program_headers(core, windows, segments)
    _check_sections(core, windows, sections)
    if not sections and not loads.count:
        raise Stopped("no-content", "file #0: No content found")
    return OpenedElf(loads, tuple(_notes(core, windows, segment) for segment in areas))


def _program_headers(core: ElfFile, windows: Windows, count: int) -> tuple[LoadSegments, tuple[Segment, ...]]:
    """Return the PT_LOADs and the PT_NOTEs."""
    head, stride, size = core.header, core.header.phentsize, core.form.segment.size
    if stride == size and head.phoff and core.has(head.phoff, count * size):
        segments = core.view.segments(core.bits, core.order, head.phoff, count)
        return _loads(segments), tuple(segments.of_type(PT_NOTE))
    # The rest of a header may be after the end of the file: nothing reads it.
    table, touched = bytearray(), core.form.segment.span("p_type", through="p_memsz").length
    for index in range(min(count, SEGMENT_LIMIT)):
        at = (head.phoff + index * stride) % (1 << 64)
        try:
            raw = windows.read(at, touched, stride)
        except ReadFailed as failed:
            words = f"Cannot read ELF program header #{index} at {at}"
            raise Stopped("program-header", failed.after(FD + words), Span(at, size)) from None
        table += raw[:size].ljust(size, b"\0")
    segments = Segments(core.form, bytes(table))
    return _loads(segments), tuple(segments.of_type(PT_NOTE))


def _loads(segments: Segments) -> LoadSegments:
    return _known_loads(segments) if len(segments) <= _KNOWN else LoadSegments(segments.only(PT_LOAD))


@lru_cache(maxsize=4)
def _known_loads(segments: Segments) -> LoadSegments:
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


def _notes(core: ElfFile, windows: Windows, segment: Segment) -> tuple[WalkedNote, ...]:
    """Return the notes of a PT_NOTE, padded to 4 whatever p_align says; the last one may lack its padding."""
    try:
        data = windows.read(segment.offset, segment.filesz)
    except ReadFailed as failed:
        words = f"Cannot read ELF notes at {segment.offset}"
        raise Stopped("notes", failed.after(FD + words), Span(segment.offset, segment.filesz)) from None
    return walk(segment.offset, data, core.order, 4, padding=False).notes
