"""Findings about guest memory: how the program headers describe it, and whether it confirms the note (codes M)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.safe_text import visible
from vmci_tui.common.span import Span
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit, several
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.elf_records import PT_LOAD
from vmci_tui.proof.running_kernel import roots_of, runs
from vmci_tui.search.candidate import Proof


def check(context: Context) -> Iterator[Finding]:
    """Check the memory of a dump."""
    if context.dump is None:
        return
    memory = context.dump.guest_memory
    if not any(item.offset is not None for item in memory.ranges):
        yield new_finding("M01", "the dump holds no guest memory")
    proof, index = context.proof, context.state.index
    if proof is None or index is None:
        return
    span = context.note_span(index)
    if proof.proved:
        yield from _running(context, span)
    elif proof.proved is False:
        yield new_finding("M05", f"memory contradicts the note: {proof.why}", span, _correct(proof))
    elif memory.size:
        lost = f" ({context.dump.missing})" if context.dump.missing else ""
        yield new_finding("M06", f"memory cannot confirm the note: {proof.why}{lost}", span)


def check_overlaps(context: Context) -> Iterator[Finding]:
    """Check for memory that the program headers of an ELF dump name twice."""
    if isinstance(context.dump, ElfDump) and context.dump.memory.overlaps:
        yield _twice(context.dump)


def _twice(dump: ElfDump) -> Finding:
    """Report memory that several program headers give at different places of the file."""
    if not any(load.paddr for load in dump.segments.of_type(PT_LOAD)):
        return new_finding("M11", f"all {dump.segments.count_of(PT_LOAD)} program headers of memory have p_paddr 0")
    if dump.conflict is not None:
        return new_finding("M02", f"two program headers give different bytes for paddr {dump.conflict:#x}")
    return new_finding("M10", f"two program headers name paddr {dump.memory.overlaps[0].paddr:#x}, with the same bytes")


def _running(context: Context, span: Span) -> Iterator[Finding]:
    """Check whether the note is from the running kernel: after kexec or a crash memory holds two kernels."""
    text, dump = context.state.vmcoreinfo, context.dump
    if dump is None or text is None or runs(text, guest_of(dump), roots_of(dump.notes)) is not False:
        return
    crashed = bool(text.all(b"CRASHTIME"))
    words = "the note is from a kernel in memory, but the processors run another one"
    yield new_finding("M08", words + (": it crashed" if crashed else ""), span, severity="info" if crashed else None)


def _correct(proof: Proof) -> Edit | None:
    if not proof.corrections:
        return None
    values = ", ".join(f"{visible(item.key)} to {visible(item.value)}" for item in proof.corrections)
    every = tuple(Edit.of(edit_text.set_key, item.key, item.value) for item in proof.corrections)
    return Edit.of(several, every).named(f"set {values}")
