"""Make a dump of only those pages of another one that matter."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from vmci_tui.common.errors import UsageError
from vmci_tui.common.progress import Progress
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers import VirtualRange
from vmci_tui.containers.base import Dump
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.containers.guest import guest_of
from vmci_tui.cutting.masked import MaskedSource, masked_note
from vmci_tui.cutting.recorder import Part
from vmci_tui.cutting.wanted import Recorded, record
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.elf_records import PT_LOAD
from vmci_tui.images.as_dump import dump_of
from vmci_tui.images.guest_image import GuestImage
from vmci_tui.images.of_dump import as_elf
from vmci_tui.layers.file import FileSource, Source, files_of
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges, joined
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import ChosenReaders

_PAGE: Final = 4096
_ROUNDS: Final = 4
"""No dump was seen that takes more than one."""
_TEXT: Final = re.compile(rb"[\t\x20-\x7e]{8,}")
"""What `strings -n 8` prints."""
_PIECE: Final = 1 << 20
_LISTED: Final = 100_000
"""The most different texts that are listed."""


class CutChoice(NamedTuple):
    """What the user wants in a cut."""

    kinds: frozenset[str]
    """Names of wanted.KINDS."""
    programs: frozenset[str] = frozenset()
    """Programs of which the reads are kept that the rules of readers do not make."""
    masked: bool = False
    """Whether bytes that nothing read are zeros."""


class Cut(NamedTuple):
    """A document whose `saved_layout` is the cut, and what is in it."""

    document: Document
    pages: dict[str, int]
    """Pages by what they are kept for; a page may be kept for several things."""
    kept_text: tuple[Safe, ...]
    """Every text of eight characters or more in its memory and its notes of CPUs and others.

    The lines of its VMCOREINFO note and the kernel's own tables are left out.
    """
    remarks: tuple[str, ...]

    @property
    def page_count(self) -> int:
        """All pages of which it has a byte."""
        return sum(end - start for start, end in _aligned((item.paddr, item.end) for item in self.memory)) // _PAGE

    @property
    def memory(self) -> Ranges:
        assert self.document.dump is not None
        return self.document.dump.memory.ranges


def cut(document: Document, choice: CutChoice, progress: Progress, readers: ChosenReaders) -> Cut:
    """Return the cut of a dump, and of which a cut is the same. Nothing is written.

    Readers read some pages only because the whole has them, so the cut is cut again until nothing is left out. Raises
    OpenError, UsageError if nothing would be kept, and what `progress` raises.
    """
    made = _once(document, choice, progress, readers)
    for _ in range(_ROUNDS):
        smaller = _once(made.document, choice, progress, readers)
        if smaller.page_count == made.page_count:
            break
        made = smaller._replace(remarks=made.remarks)
    note = document.state.note
    if not made.page_count and (note is None or note.is_windows):
        raise UsageError(
            f"nothing of the memory of {visible(document.name)} would be kept: no kernel was found in it",
            "`vmci convert` makes a dump of all of it",
        )
    return made


def _once(document: Document, choice: CutChoice, progress: Progress, readers: ChosenReaders) -> Cut:
    elf = as_elf(document)
    whole = elf.dump
    assert whole is not None

    def as_cut(source: Source) -> View:
        made = _laid_out(elf, whole, source, whole.guest_memory, elf.state.notes)
        return View(made.source, made.saved_layout.image)

    recorded = record(elf.state, guest_of(whole), choice.kinds, readers, choice.programs, as_cut, progress)
    source = MaskedSource(recorded.source, recorded.parts) if choice.masked else recorded.source
    notes = tuple(map(masked_note, elf.state.notes)) if choice.masked else elf.state.notes
    memory = Memory(_pages(recorded, whole.guest_memory))
    made = _laid_out(elf, whole, source, memory, notes, files_of(document.source))
    pages = {kind: sum(end - start for start, end in _aligned(parts)) // _PAGE for kind, parts in recorded.by.items()}
    return Cut(made, pages, tuple(_texts(made, recorded)), recorded.remarks)


def _laid_out(
    elf: Document,
    whole: Dump,
    source: Source,
    memory: Memory,
    notes: tuple[Note, ...],
    files: tuple[FileSource, ...] = (),
) -> Document:
    """Return a dump of this memory and these notes, with the virtual addresses of the whole one."""
    image = GuestImage(whole.container, whole.machine, whole.bits, whole.order, source, memory, notes)
    dump = dump_of(image, files)
    state = State(notes=dump.notes, mapped=tuple(_mapped(elf, memory.ranges)))
    return Document(elf.name, dump.source, dump, state)


def _aligned(parts: Iterable[Part]) -> Iterator[Part]:
    return joined((start // _PAGE * _PAGE, -(-end // _PAGE) * _PAGE) for start, end in parts)


def _outside(parts: Iterable[Part], others: Iterable[Part]) -> Iterator[Part]:
    """Yield what is in `parts` and not in `others`; both are sorted, and disjoint in themselves."""
    others = tuple(others)
    for start, end in parts:
        for first, last in others:
            if start < first < end:
                yield start, first
            if first < end and start < last:
                start = max(start, last)
        if start < end:
            yield start, end


def _pages(recorded: Recorded, memory: Memory) -> Ranges:
    """Return all pages of which a byte was read, as far as memory has them."""
    out = Ranges()
    for start, end in _aligned(sorted(part for parts in recorded.by.values() for part in parts)):
        while start < end:
            item = memory.range_at(start)
            if item is None:  # a page of which memory has a part only
                index = bisect_right(memory.ranges.starts, start)
                start = memory.ranges[index].paddr if index < len(memory.ranges) else end
                continue
            stop = min(end, item.end)
            if item.offset is not None:
                out.add(start, stop, item.offset + start - item.paddr)
            start = stop
    return out


def _mapped(elf: Document, kept: Iterable[Range]) -> Iterator[VirtualRange]:
    """Yield the virtual addresses of the kept ranges, where the dump has others than the physical ones."""
    known = sorted(elf.state.mapped or _in_headers(elf.dump), key=attrgetter("start"))
    starts = [item.start for item in known]
    for item in kept:
        index = bisect_right(starts, item.paddr) - 1
        if index >= 0 and item.paddr < known[index].end:
            yield VirtualRange(item.paddr, item.end, known[index].shift)


def _in_headers(dump: Dump | None) -> Iterator[VirtualRange]:
    if not isinstance(dump, ElfDump):
        return
    for segment in dump.segments:
        if segment.type == PT_LOAD and segment.vaddr != segment.paddr:
            shift = segment.vaddr - segment.paddr if segment.vaddr else None
            yield VirtualRange(segment.paddr, segment.paddr + segment.filesz, shift)


def _texts(made: Document, recorded: Recorded) -> Iterator[Safe]:
    """Yield each text in the notes and the memory of the cut once, as `strings -n 8` finds it.

    The lines of the VMCOREINFO note are left out, and the tables of symbols and types, which every such kernel has.
    """
    dump, note = made.dump, made.state.vmcoreinfo
    assert dump is not None
    seen = set(_TEXT.findall(note.text)) if note is not None else set()
    for data in chain((each.desc for each in made.state.notes), _kept(dump, recorded)):
        for text in _TEXT.findall(data):
            if text in seen:
                continue
            if len(seen) >= _LISTED:
                return
            seen.add(text)
            yield visible(text)


def _kept(dump: Dump, recorded: Recorded) -> Iterator[bytes]:
    """Yield the pages of the cut without the kernel's tables, a piece at a time."""
    memory = dump.guest_memory
    pages = _aligned(sorted(part for parts in recorded.by.values() for part in parts))
    for first, end in _outside(pages, sorted(recorded.tables)):
        for start in range(first, end, _PIECE):
            yield memory.read(dump.guest_source, start, min(_PIECE, end - start))
