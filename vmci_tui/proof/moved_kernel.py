"""Search memory for the kernel when it is not where the text says.

Kernels are moved in steps, so each step has one place where utsname can be: 390 bytes are read for every
2 MiB (x86-64) or 64 KiB (arm64), not all of memory.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Final

from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.layers.file import FileSource
from vmci_tui.proof.kernel_addresses import KernelMachine
from vmci_tui.proof.witnesses.utsname import LENGTH, MAGIC, uts_of
from vmci_tui.search.patterns import SearchPattern

HITS: Final = 64
"""The most places that may look like a utsname; only prepared memory has more."""
_CHUNK: Final = 1 << 20
"""Bytes that are read at once."""
_APART: Final = 64 << 10
"""Bytes. From this step on each place is read by itself; for smaller steps reading all bytes between is faster.

In compressed memory, places up to this step are decompressed on all processors, each page only up to the place.
"""
_REPORT_EACH: Final = 4 << 20


def shifts_of_utsname(guest: Guest, machine: KernelMachine, va: int, progress: Progress) -> list[int] | None:
    """Return the shifts with which `va` is the address of a utsname of this machine, in the order of paddr.

    None if there are more than `HITS`. Raises what `progress` raises.
    """
    out: list[int] = []
    with closing(_places(guest, machine.step, va % machine.step, progress)) as places:
        for paddr in places:
            raw = guest.read(paddr, LENGTH)
            uts = uts_of(raw) if raw is not None else None
            if uts is not None and machine.facts.says_uname(uts.machine):
                out.append(va - paddr)
                if len(out) > HITS:
                    return None
    return out


def _places(guest: Guest, step: int, phase: int, progress: Progress) -> Generator[int, None, None]:
    """Yield each paddr that is `phase` above a multiple of `step` and begins like a utsname, up to its page's end."""
    if step <= _APART and not isinstance(guest.source, FileSource):
        from vmci_tui.containers.kdump.pages import Pages
        from vmci_tui.search.pages.scheduler import page_places

        if isinstance(guest.source, Pages):
            look = SearchPattern((MAGIC,), step, phase)
            yield from page_places(guest.source, look, lambda _, done, total: progress("searching", done, total))
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
                if reached - last >= _REPORT_EACH:
                    progress("searching", reached, total)
                    last = reached
                span = min(end - at, _CHUNK) if step < _APART else len(MAGIC)
                chunk = guest.source.read(item.offset + at - item.paddr, span)
                for inside in range(0, len(chunk), step):
                    if chunk.startswith(MAGIC, inside):
                        yield at + inside
                at += -(-span // step) * step
        done += item.length
    progress("searching", total, total)
