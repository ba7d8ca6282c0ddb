"""Findings about guest memory: as the program headers describe it, and held against the note (codes M)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.core.checks.base import Context, Finding, told
from vmci_tui.core.proved import proof_of


def check(context: Context) -> Iterator[Finding]:
    """Everything about the memory of a dump."""
    if context.dump is None:
        return
    memory = context.dump.memory
    held = context.dump.guest_memory
    if not any(item.offset is not None for item in held.ranges):
        yield told("M01", "the dump holds no guest memory")
    if memory.conflict is not None:
        yield told("M02", f"two program headers give different bytes for paddr {memory.conflict:#x}")
    proof, index = proof_of(context.state, context.dump), context.state.index
    if proof is None or index is None or proof.proved:
        return
    span = context.note_span(index)
    if proof.proved is False:
        yield told("M05", f"memory contradicts the note: {proof.why}", span)
    elif held.size:
        yield told("M06", f"memory cannot confirm the note: {proof.why}", span)
