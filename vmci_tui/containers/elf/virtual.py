"""The virtual addresses in the program headers of an ELF dump (p_vaddr), and writing other ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from vmci_tui.containers.base import Mapped
from vmci_tui.formats.elf_records import PT_LOAD, Segment
from vmci_tui.formats.segment_table import Segments


def says_nothing(segment: Segment) -> bool:
    """Whether p_vaddr is what QEMU writes where it knows none: 0, or p_paddr."""
    return segment.vaddr in (0, segment.paddr)


def with_virtual(segments: Segments, mapped: tuple[Mapped, ...]) -> Segments:
    """The headers with the addresses of `mapped`; one that crosses an edge of it becomes several."""
    top = segments.form.top
    changed = {n: tuple(pieces(segments[n], mapped, top)) for n in segments.numbers(PT_LOAD)} if mapped else {}
    return segments.spliced(changed) if changed else segments


def pieces(segment: Segment, mapped: tuple[Mapped, ...], top: int) -> Iterator[Segment]:
    """A PT_LOAD with the addresses of `mapped`, cut at its edges; `top` is one more than the highest address."""
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
