"""Findings about the virtual addresses in program headers (p_vaddr), held against the kernel that memory proves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.containers.base import VirtualRange
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.containers.elf.program_headers import pieces, says_nothing
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_headers
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.elf_records import PT_LOAD, Segment
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.proof.cross_checks import proved_kernel
from vmci_tui.proof.direct_map import linear_map, mapped_elsewhere, virtual_of
from vmci_tui.proof.kernel_addresses import PlacedKernel

_LOOKED_AT: Final = 256
"""Headers that are held against the kernel; paging=true gives 65,000, made of the page tables themselves."""


class _NumberedSegment(NamedTuple):
    """A PT_LOAD and its number among all program headers."""

    number: int
    segment: Segment


def check(context: Context) -> Iterator[Finding]:
    """Check p_vaddr against the kernel's own map; yield nothing if memory does not prove that map."""
    dump, text = context.dump, context.state.vmcoreinfo
    if not isinstance(dump, ElfDump) or text is None or context.state.choice.merged:
        return
    facts = machine_facts(dump.machine)
    silent = [*islice(_loads(dump, says_nothing), _LOOKED_AT)] if facts.drgn.by_vaddr else []
    claims = [*islice(_loads(dump, _claims_also_low if facts.low_addresses else _claims), _LOOKED_AT)]
    kernel = proved_kernel(text, guest_of(dump)) if silent or claims else None
    if kernel is None:
        return
    mapped = linear_map(kernel) if silent else ()
    done = context.state.mapped
    bare = [item for item in silent if _changes(item.segment, mapped, dump) and not _covered(item.segment, done)]
    if bare:
        words = "the program headers give no kernel address for memory that the kernel maps"
        yield new_finding("C35", words, _span(context, dump, bare[0]), Edit.of(edit_headers.map_headers, mapped))
    wrong = [item for item in claims if not _covered(item.segment, done) and _contradicts(kernel, item.segment)]
    if wrong:
        yield _wrong_addresses(context, dump, kernel, wrong)


def _loads(dump: ElfDump, wanted: Callable[[int, int], bool]) -> Iterator[_NumberedSegment]:
    """Yield the PT_LOADs that hold memory, and whose p_vaddr and p_paddr match `wanted`."""
    segments = dump.segments
    each = zip(*map(segments.column, ("type", "memsz", "vaddr", "paddr")), strict=True)
    for number, (kind, size, vaddr, paddr) in enumerate(each):
        if kind == PT_LOAD and size and wanted(vaddr, paddr):
            yield _NumberedSegment(number, segments[number])


def _claims(vaddr: int, paddr: int) -> bool:
    return not says_nothing(vaddr, paddr)


def _claims_also_low(vaddr: int, paddr: int) -> bool:
    return _claims(vaddr, paddr) or (vaddr == 0 and paddr != 0)


def _changes(segment: Segment, mapped: tuple[VirtualRange, ...], dump: ElfDump) -> bool:
    """Whether the kernel maps a part of the segment at an address that its header does not give."""
    after = tuple(pieces(segment, mapped, dump.format.top))
    return after != (segment,) and any(piece.vaddr for piece in after)


def _covered(segment: Segment, mapped: tuple[VirtualRange, ...]) -> bool:
    """Whether an edit changes the addresses of this segment."""
    return any(item.start < segment.paddr + max(segment.memsz, 1) and segment.paddr < item.end for item in mapped)


def _contradicts(kernel: PlacedKernel, segment: Segment) -> bool:
    size = max(segment.memsz, segment.filesz)
    return mapped_elsewhere(kernel, segment.vaddr, size, segment.paddr) is not None


def _wrong_addresses(
    context: Context, dump: ElfDump, kernel: PlacedKernel, wrong: Sequence[_NumberedSegment]
) -> Finding:
    first = wrong[0].segment
    there = mapped_elsewhere(kernel, first.vaddr, max(first.memsz, first.filesz), first.paddr)
    assert there is not None
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    words = (
        f"program header {wrong[0].number} puts address {first.vaddr:#x} at paddr {first.paddr:#x}, "
        f"but the kernel maps it to {there.paddr:#x}{more}"
    )
    right = tuple(_right(kernel, item.segment) for item in wrong)
    fix = Edit.of(edit_headers.map_headers, (*context.state.mapped, *right)).named("write the right addresses")
    return new_finding("C36", words, _span(context, dump, wrong[0]), fix)


def _right(kernel: PlacedKernel, segment: Segment) -> VirtualRange:
    end = segment.paddr + max(segment.memsz, segment.filesz)
    return VirtualRange(segment.paddr, end, virtual_of(kernel, segment.paddr))


def _span(context: Context, dump: ElfDump, item: _NumberedSegment) -> Span | None:
    """Return the place of p_vaddr in the file on disk; None for another layout, whose headers are elsewhere."""
    if context.arranged:
        return None
    return dump.format.segment.span("p_vaddr", dump.header.phoff + item.number * dump.stride)
