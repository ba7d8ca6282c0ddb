"""Open ELF dumps within bounds: QEMU's section-first files and the classic ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import ClassVar, Final

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.base import Dump, KeptBytes, Layout, LayoutRequest, Stored
from vmci_tui.containers.elf import regions
from vmci_tui.containers.elf.contents import ElfContents, memory_end
from vmci_tui.formats.elf_note import NOTE_LIMIT, ByteOrder, Note, placed_notes
from vmci_tui.formats.elf_records import (
    EI_CLASS,
    EI_DATA,
    IDENT,
    PN_XNUM,
    PT_LOAD,
    PT_NOTE,
    SHT_STRTAB,
    ElfFormat,
    ElfHeader,
    Section,
    format_of,
)
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.file import HEAD_LIMIT, Source
from vmci_tui.layers.memory_map import Memory

SEGMENT_LIMIT: Final = 1 << 20
"""More program headers than any QEMU writes (paging=true: about 65,000)."""
_SECTION_LIMIT: Final = 4096
_PROCESS_NOTES: Final = (6, 0x46494C45, 0x53494749)
"""NT_AUXV, NT_FILE, NT_SIGINFO: only a process's core has them."""
_XEN_PAGES: Final = b"\0.xen_pages\0"
"""The section of the guest's pages in a file of `xl dump-core`, which has no program headers (Xen,
docs/misc/dump-core-format.txt; crash, xendump.c)."""
_NAMES_LIMIT: Final = 4096
"""Bytes of section names that are read; Xen's take 55."""


class ElfDump(ElfContents):
    """An opened ELF dump."""

    kind: ClassVar = "elf"
    flat: ClassVar = None
    stored: ClassVar[Stored] = "plain"
    names_text: ClassVar = False
    extras: ClassVar = ()
    header_fields: ClassVar = None

    @property
    def container(self) -> str:
        return "elf"

    @property
    def named_places(self) -> tuple[int, ...]:
        """Where QEMU itself says that the note is, where the file has QEMU's own state."""
        return ()

    @property
    def runs(self) -> bool:
        """Whether this is a running machine, whose memory is not searched."""
        return False

    @property
    def halted(self) -> frozenset[int]:
        """The CPUs that wait, by their numbers, as far as the container says it."""
        return frozenset()

    @property
    def translate(self) -> Callable[[int], int | None] | None:
        """Return the paddr of a virtual address, None if it is not mapped; a file has only the page tables."""
        return None

    @property
    def doubts(self) -> tuple[str, ...]:
        return ()

    @cached_property
    def missing(self) -> str:
        end, size = memory_end(self.segments), self.source.size
        return f"the file is cut off: its memory ends at {end}, the file at {size} bytes" if end > size else ""

    @property
    def cure(self) -> str:
        """What to do about missing memory; empty if the file is to be copied again."""
        return ""

    @property
    def unplaced(self) -> tuple[str, ...]:
        """Blocks of memory whose addresses only the user can say."""
        return ()

    @property
    def guest_source(self) -> Source:
        return self.source

    @property
    def guest_memory(self) -> Memory:
        return self.memory

    @cached_property
    def current_layout(self) -> Layout:
        return regions.current_layout(self)

    def layout(self, request: LayoutRequest) -> Layout:
        from vmci_tui.containers.elf.layout import arrange

        return arrange(self, request)

    def kept(self, request: LayoutRequest, new: Dump) -> Iterator[KeptBytes]:
        from vmci_tui.containers.elf.same_memory import same_memory

        yield KeptBytes(self.source, new.source, tuple(same_memory(self, new, request)))


def open_elf(source: Source) -> ElfDump:
    """Read the headers and notes of an ELF dump. Raises OpenError with one line that says what the file is instead."""
    head = source.read(0, 64)
    bits = {1: 32, 2: 64}.get(head[EI_CLASS] if len(head) > EI_CLASS else 0)
    order: ByteOrder | None = {1: "little", 2: "big"}.get(head[EI_DATA] if len(head) > EI_DATA else 0)  # type: ignore[assignment]
    if len(head) < 52 or (bits == 64 and len(head) < 64):
        raise OpenError(f"this ELF file is cut off: {len(head)} bytes, no whole header", "copy it again")
    if bits is None or order is None:
        raise OpenError(
            "this ELF file names no class and byte order that exist "
            f"(EI_CLASS {head[EI_CLASS]}, EI_DATA {head[EI_DATA]})",
            "its first bytes are damaged: repair EI_CLASS (1, 2) and EI_DATA (1, 2), or dump again",
        )
    form = format_of(bits, order)
    header = form.unpack_header(head)
    if header.type in (1, 2, 3):
        kind = {1: "an object file", 2: "a program or vmlinux", 3: "a shared library or program"}[header.type]
        raise OpenError(f"this ELF file is {kind}, not a dump", "open a file that dump-guest-memory wrote")
    sections = _read_sections(source, form, header)
    if header.phnum == 0 and _is_xen_core(source, sections, header.shstrndx):
        raise OpenError(
            "this ELF file is a Xen core (`xl dump-core`): its memory is in the section .xen_pages, without headers",
            "leave it unchanged: crash reads it, with the vmlinux of the guest",
        )
    segments = _read_segments(source, form, header, sections)
    notes, offsets = _read_notes(source, form, segments)
    dump = ElfDump(source, form, head[: IDENT.size], header, segments, sections, notes, offsets)
    if _is_process(dump):
        raise OpenError(
            "this is the core of a process, not of a machine",
            "if it is QEMU's own, extract the guest with gdb and dump-guest-memory.py",
        )
    return dump


def _is_process(dump: ElfDump) -> bool:
    """Return whether the notes are a process's, and memory has virtual addresses only.

    No edit makes a dump look like this, whatever its notes: physical addresses are never edited.
    """
    kinds = {note.type for note in dump.notes if note.name == b"CORE\0"}
    if kinds.isdisjoint(_PROCESS_NOTES) or any(note.is_vmcoreinfo for note in dump.notes):
        return False
    loads = dump.segments.only(PT_LOAD)
    return any(loads.column("vaddr")) and not any(loads.column("paddr"))


def _read_sections(source: Source, form: ElfFormat, header: ElfHeader) -> tuple[Section, ...]:
    """Return the section headers that exist: they matter only for being moved or dropped."""
    size = form.section.size
    if header.shoff == 0 or header.shnum > _SECTION_LIMIT:
        return ()
    wanted = max(header.shnum, 1 if header.phnum == PN_XNUM else 0)
    table = source.read(header.shoff, wanted * size)
    records = form.section.iter_unpack(table[: len(table) - len(table) % size])
    return tuple(_unswapped(Section(*record), form) for record in records)


def _unswapped(section: Section, form: ElfFormat) -> Section:
    """QEMU writes the .shstrtab header of big-endian files without swapping its words."""
    if form.order == "little" or section.type != SHT_STRTAB << 24:
        return section
    other = format_of(form.bits, "little").section
    return Section(*other.unpack(form.section.pack(*section)))


def _read_segments(source: Source, form: ElfFormat, header: ElfHeader, sections: tuple[Section, ...]) -> Segments:
    count = header.phnum
    if count == PN_XNUM and sections and sections[0].info >= PN_XNUM - 1:
        count = sections[0].info
    if count > SEGMENT_LIMIT:
        raise OpenError(
            f"this ELF file claims {count} program headers; the limit is {SEGMENT_LIMIT}", "its headers are damaged"
        )
    stride = header.phentsize if header.phentsize >= form.segment.size else form.segment.size
    length = count * stride
    if length > HEAD_LIMIT:
        raise OpenError(
            f"the program headers take {length} bytes; the limit is {HEAD_LIMIT}", "its headers are damaged"
        )
    table = source.read(header.phoff, length)
    if len(table) < length:
        raise OpenError(
            f"this ELF file is cut off: {count} program headers at {header.phoff:#x} end past its {source.size} bytes",
            "copy it again, whole",
        )
    return Segments.read(form, table, stride)


def _read_notes(source: Source, form: ElfFormat, segments: Segments) -> tuple[tuple[Note, ...], tuple[int, ...]]:
    notes: list[Note] = []
    offsets: list[int] = []
    budget = HEAD_LIMIT
    for segment in segments.of_type(PT_NOTE):
        if not segment.filesz:
            continue
        if min(segment.filesz, max(source.size - segment.offset, 0)) > budget:
            raise OpenError(
                f"the notes take {segment.filesz} bytes; the limit is {HEAD_LIMIT} in all", "its headers are damaged"
            )
        area = source.read(segment.offset, segment.filesz)
        budget -= len(area)
        found, places = placed_notes(area, segment.offset, segment.filesz, form.order, segment.align)
        notes += found
        offsets += places
        if len(notes) > NOTE_LIMIT:
            raise OpenError(f"this ELF file has more than {NOTE_LIMIT} notes", "its headers are damaged")
    return tuple(notes), tuple(offsets)


def _is_xen_core(source: Source, sections: tuple[Section, ...], names: int) -> bool:
    """Return whether one of the sections is Xen's; `names` is the index of the one with their names (e_shstrndx)."""
    if not 0 < names < len(sections):
        return False
    table = sections[names]
    return _XEN_PAGES in source.read(table.offset, min(table.size, _NAMES_LIMIT))
