"""Findings about guest memory as the program headers describe it (codes M)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.core.checks.base import Context, Finding, told


def check(context: Context) -> Iterator[Finding]:
    """Everything about the memory of a dump."""
    if context.dump is None:
        return
    memory = context.dump.memory
    if not any(item.offset is not None for item in memory.ranges):
        yield told("M01", "the dump holds no guest memory")
    if memory.conflict is not None:
        yield told("M02", f"two program headers give different bytes for paddr {memory.conflict:#x}")
