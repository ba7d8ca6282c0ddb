"""Change program headers for the same memory: other virtual addresses (p_vaddr), or one header for each range."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import VirtualRange
from vmci_tui.containers.elf.contents import ElfContents, memory_end
from vmci_tui.formats.elf_records import PT_LOAD, ElfFormat, Segment
from vmci_tui.formats.segment_table import Segments
from vmci_tui.layers.range_table import Ranges


def says_nothing(vaddr: int, paddr: int) -> bool:
    """Return whether p_vaddr is a value that QEMU writes if it knows no address: 0, or p_paddr."""
    return vaddr in (0, paddr)


def pieces(segment: Segment, mapped: tuple[VirtualRange, ...], top: int) -> Iterator[Segment]:
    """Yield a PT_LOAD with the addresses of `mapped`, cut at its edges; `top` is one more than the highest address."""
    size = max(segment.memsz, segment.filesz)
    edges = {edge - segment.paddr for item in mapped for edge in (item.start, item.end)}
    cuts = sorted({0, size, *(edge for edge in edges if 0 < edge < size)})
    if len(cuts) == 1:
        yield segment
    for at, end in pairwise(cuts):
        here = next((item for item in mapped if item.start <= segment.paddr + at < item.end), None)
        if here is None:
            vaddr = segment.vaddr + at if segment.vaddr or not segment.paddr else 0
        else:
            vaddr = 0 if here.shift is None else segment.paddr + at + here.shift
        yield segment._replace(
            offset=segment.offset + min(at, segment.filesz),
            vaddr=vaddr % top,
            paddr=(segment.paddr + at) % top,
            filesz=max(min(segment.filesz, end) - at, 0),
            memsz=max(segment.memsz - at, 0) if end == size else end - at,
        )


def remapped(dump: ElfContents, mapped: tuple[VirtualRange, ...]) -> ElfContents:
    """Return the dump with other virtual addresses in its program headers."""
    if not mapped:
        return dump
    top, segments = dump.format.top, dump.segments
    changed = {n: tuple(pieces(segments[n], mapped, top)) for n in segments.numbers(PT_LOAD)}
    return replace(dump, segments=segments.spliced(changed)) if changed else dump


def merged(dump: ElfContents) -> ElfContents:
    """Return the dump with one program header for each disjoint range of memory.

    A paging=true dump names the same bytes by 65,000 headers: makedumpfile refuses it in every
    layout, and eu-readelf too while it has section headers. Merging loses the virtual addresses,
    which gdb uses. Raises SaveError if two headers give different bytes for one paddr, or if the
    file is cut off.
    """
    memory = dump.memory
    if memory.overlaps:
        raise SaveError(
            f"two program headers name different parts of the file for paddr {memory.overlaps[0].paddr:#x}: "
            "they cannot be merged",
            "leave the headers unchanged",
        )
    if memory_end(dump.segments) > dump.source.size:
        raise SaveError(
            "the file is cut off: merging its headers would hide which memory is lost", "copy the dump again, whole"
        )
    others, loads = dump.segments.without(PT_LOAD), _one_each(dump.format, memory.ranges)
    return replace(dump, segments=Segments(dump.format, others.table + loads.table))


def _one_each(form: ElfFormat, ranges: Ranges) -> Segments:
    """Return one PT_LOAD for each range, without virtual addresses."""
    code, blank = "Q" if form.bits == 64 else "I", Segments(form, bytes(len(ranges) * form.segment.size))
    lengths, offsets = array(code, ranges.lengths), array(code, ranges.offsets)
    return blank.replaced(
        type=array("I", [PT_LOAD]) * len(ranges),
        offset=offsets,
        paddr=array(code, ranges.starts),
        filesz=array(code, ranges.held_lengths),
        memsz=lengths,
    )
