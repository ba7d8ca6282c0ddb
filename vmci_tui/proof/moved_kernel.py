"""Searching memory for where the kernel lies, when it does not lie where the text says.

Kernels are moved in steps, so that utsname can only lie at one place in each step: 390 bytes for every
2 MiB (x86-64) or 64 KiB (arm64) are read, not all of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Final

from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource
from vmci_tui.proof.kernel_addresses import KernelMachine
from vmci_tui.proof.witnesses.utsname import LENGTH, MAGIC, uts_of
from vmci_tui.search.patterns import SearchPattern

Told = Callable[[str, int, int], None]
"""Called with what is done, bytes done and bytes in all; it may raise Cancelled."""

HITS: Final = 64
"""More places that look like utsname than any memory has that nobody prepared."""
_CHUNK: Final = 1 << 20
_APART: Final = 64 << 10
"""From this step on each place is read by itself; nearer ones are faster read with all between them.

Of compressed memory places up to this step are decompressed on all processors, each page no further than needed.
"""
_TOLD_EACH: Final = 4 << 20


def quiet(what: str, done: int, total: int) -> None:
    """Told nobody."""


def shifts_that_hold_utsname(guest: Guest, machine: KernelMachine, va: int, told: Told = quiet) -> list[int] | None:
    """The shifts by which a utsname of this machine lies at `va`, ascending by place; None for too many.

    Raises Cancelled where `told` does.
    """
    out: list[int] = []
    with closing(_places(guest, machine.step, va % machine.step, told)) as places:
        for paddr in places:
            raw = guest.read(paddr, LENGTH)
            uts = uts_of(raw) if raw is not None else None
            if uts is not None and machine.facts.says_uname(uts.machine):
                out.append(va - paddr)
                if len(out) > HITS:
                    return None
    return out


def _places(guest: Guest, step: int, phase: int, told: Told) -> Generator[int, None, None]:
    """Every paddr that is `phase` above a multiple of `step` and begins like a utsname, as far as its page goes."""
    if step <= _APART and not isinstance(guest.source, FileSource):
        from vmci_tui.containers.kdump.pages import Pages
        from vmci_tui.search.pages.scheduler import page_places

        if isinstance(guest.source, Pages):
            look = SearchPattern((MAGIC,), step, phase)
            yield from page_places(guest.source, look, lambda _, done, total: told("searching", done, total))
            return
    total, done, last = guest.memory.size, 0, 0
    for item in guest.memory.ranges:
        if item.offset is None:
            continue
        for low, high in guest.source.data_ranges(item.offset, item.offset + item.length):
            start, end = item.paddr + low - item.offset, item.paddr + high - item.offset
            at = start + (phase - start) % step
            while at < end:
                reached = done + at - item.paddr
                if reached - last >= _TOLD_EACH:
                    told("searching", reached, total)
                    last = reached
                span = min(end - at, _CHUNK) if step < _APART else len(MAGIC)
                chunk = guest.source.read(item.offset + at - item.paddr, span)
                for inside in range(0, len(chunk), step):
                    if chunk.startswith(MAGIC, inside):
                        yield at + inside
                at += -(-span // step) * step
        done += item.length
    told("searching", total, total)
