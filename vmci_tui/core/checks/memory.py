"""Findings about guest memory: as the program headers describe it, and held against the note (codes M)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.core.checks.base import Context, Finding, told
from vmci_tui.core.guest import guest_of
from vmci_tui.core.proof import prove


def check(context: Context) -> Iterator[Finding]:
    """Everything about the memory of a dump."""
    if context.dump is None:
        return
    memory = context.dump.memory
    if not any(item.offset is not None for item in memory.ranges):
        yield told("M01", "the dump holds no guest memory")
    if memory.conflict is not None:
        yield told("M02", f"two program headers give different bytes for paddr {memory.conflict:#x}")
    text = context.state.vmcoreinfo
    if text is None:
        return
    proof = prove(text, guest_of(context.dump), search=False)
    if proof.proved is False:
        yield told("M05", f"memory contradicts the note: {proof.why}", context.text_span(0, len(text.text)))
