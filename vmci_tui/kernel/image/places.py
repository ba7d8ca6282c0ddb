"""Find where kernels may be in guest memory: by the page tables of a CPU (x86-64), or by the kernel's banner.

Linux 6.1 init/version.c: linux_banner begins with "Linux version " and is among the first bytes of .rodata, which
begins at a page. Other banners (in the log, and the format of /proc/version) have no symbol table after them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.kernel.cpus.cpu_memory import paddr_by_tables, tables_of
from vmci_tui.layers.range_table import Range
from vmci_tui.proof.paging.walk import Paging, walk

_PAGE: Final = 4096
BANNER: Final = b"Linux version "
NEAR: Final = 0x600
"""Bytes of .rodata within which the banner begins: at 0xc0 to 0x508 in kernels of seven machines."""
_CHUNK: Final = 1 << 20
SEARCHED: Final = 4 << 30
"""Bytes of memory that are searched for banners, from paddr 0 on: bootloaders put kernels low."""
_MAP, _MAP_END, _STEP = 0xFFFFFFFF80000000, 0xFFFFFFFFC0000000, 2 << 20
"""The virtual addresses of x86-64 kernels; image and .rodata begin at multiples of 2 MiB (vmlinux.lds.S)."""
_IMAGE: Final = 128 << 20
"""Bytes of an image that are looked at: Debian's have 54 MiB, with all debugging options on about twice that."""
_ALIGNED: Final = {"x86_64": _STEP, "riscv64": _STEP, "arm": 1 << 20, "aarch64": 1 << 16}
"""What the paddr of .rodata is a multiple of where the kernel's pages are protected (vmlinux.lds.S of Linux 6.1)."""
_IN_VM: Final = 24 << 20
"""Bytes after the first code of a running machine that are read on other machines: code has 10 to 20 MiB."""
_BANNER_LENGTH: Final = 512
_TABLES: Final = 128 << 16
"""Bytes of reading that take as much time as the walks through the page tables of a CPU."""


class Place(NamedTuple):
    """Where the read-only data of a kernel begins in physical memory."""

    paddr: int
    """The first byte; a multiple of the page size."""
    banner: bytes
    """The kernel's own words about its version, without the end of the line."""
    shift: int | None
    """Virtual less physical addresses of the image; None if that is not known yet."""


def places(
    guest: Guest,
    cpus: Iterable[Cpu],
    near: Iterable[int],
    budget: Budget,
    progress: Progress,
    within: int = SEARCHED,
) -> Iterator[Place]:
    """Yield where kernels may be: those that the CPUs' page tables map, then those after the paddrs of `near`.

    Then those in the first `within` bytes of memory, unless that of a running machine, which is not searched. Raises
    Spent, and what `progress` raises.
    """
    seen: set[int] = set()
    for cpu in cpus:
        if cpu.machine != "x86_64":
            continue
        budget.spend(_TABLES)
        found = _mapped(guest, cpu)
        if found is not None and found.paddr not in seen:
            seen.add(found.paddr)
            yield found
    for start in near:
        for at, length in _near(guest, start):
            for one in _banners_in(guest, at, length, budget):
                if one.paddr not in seen:
                    seen.add(one.paddr)
                    yield one
    if not guest.runs:
        yield from (one for one in _banners(guest, budget, progress, within) if one.paddr not in seen)


def _near(guest: Guest, start: int) -> Iterator[tuple[int, int]]:
    """Yield addresses and lengths of the parts that may have the banner of the kernel whose code begins at `start`.

    Of a running machine few pages are read: those where .rodata may begin, if that is known.
    """
    step = _ALIGNED.get(guest.machine or "") if guest.runs else None
    if step is not None:
        yield from ((at, NEAR + _BANNER_LENGTH) for at in range(start - start % step, start + _IMAGE, step))
    else:
        yield from ((at, _CHUNK) for at in range(start, start + (_IN_VM if guest.runs else _IMAGE), _CHUNK))


def _mapped(guest: Guest, cpu: Cpu) -> Place | None:
    """Return the kernel that a CPU's page tables map; None if they map none, or the dump lacks them."""
    tables = [(paging, root) for paging, root in tables_of(cpu) if _may_map(guest, paging, root)]
    if not tables:
        return None
    start = next(
        (va for va in range(_MAP, _MAP_END, _STEP) if paddr_by_tables(guest, tables, va) is not None), _MAP_END
    )
    for va in range(start, min(start + _IMAGE, _MAP_END), _STEP):
        at = paddr_by_tables(guest, tables, va)
        data = None if at is None else guest.read(at, NEAR + _BANNER_LENGTH)
        if at is not None and data is not None and (found := data.find(BANNER, 0, NEAR)) >= 0:
            return Place(at, _line(data[found:]), va - at)
    return None


def _may_map(guest: Guest, paging: Paging, root: int) -> bool:
    """Return whether tables may map an address of a kernel: not if all walks end at one entry above the last levels."""
    first = walk(guest, paging, root, _MAP)
    return first.state == "mapped" or first != walk(guest, paging, root, _MAP_END - _STEP)


def _banners(guest: Guest, budget: Budget, progress: Progress, within: int) -> Iterator[Place]:
    left, total = within, min(within, guest.memory.size)
    for item in guest.memory.ranges:
        for at in range(item.paddr, item.paddr + _held(guest, item), _CHUNK):
            if left <= 0:
                return
            progress("searching kernels", total - left, total)
            length = min(_CHUNK, item.end - at)
            left -= length
            yield from _banners_in(guest, at, length, budget)
    progress("searching kernels", total, total)


def _banners_in(guest: Guest, at: int, length: int, budget: Budget) -> Iterator[Place]:
    data = read_with_holes(guest, at, length)
    found = data.find(BANNER)
    while found >= 0:
        budget.spend()
        inside = (at + found) % _PAGE
        if inside < NEAR:
            yield Place(at + found - inside, _line(data[found : found + _BANNER_LENGTH]), None)
        found = data.find(BANNER, found + 1)


def _line(data: bytes) -> bytes:
    return data.partition(b"\n")[0].partition(b"\0")[0]


def read_with_holes(guest: Guest, paddr: int, length: int) -> bytes:
    """Return `length` bytes from `paddr` on, or fewer where memory ends; pages that the dump lacks are zeros.

    The caller bounds `length`.
    """
    return b"".join(_pieces(guest, paddr, paddr + length))


def _pieces(guest: Guest, at: int, end: int) -> Iterator[bytes]:
    ranges = guest.memory.ranges
    for number in range(max(0, bisect_right(ranges.starts, at) - 1), len(ranges)):
        item = ranges[number]
        if item.paddr >= end:
            yield bytes(end - at)
            return
        if item.paddr > at:
            yield bytes(item.paddr - at)
            at = item.paddr
        while at < min(item.end, end):
            part = min(_CHUNK, min(item.end, end) - at)
            held = at < item.paddr + _held(guest, item)
            raw = guest.read(at, part) if held else bytes(part)
            if raw is not None:
                yield raw
            else:  # a page of the part is missing, or damaged
                yield from _pages(guest, at, at + part)
            at += part


def _held(guest: Guest, item: Range) -> int:
    """Return how many bytes of a range the file can hold: a header may claim far more."""
    return 0 if item.offset is None else max(0, min(item.length, guest.source.size - item.offset))


def _pages(guest: Guest, at: int, end: int) -> Iterator[bytes]:
    while at < end:
        part = min(end - at, _PAGE - at % _PAGE)
        raw = guest.read(at, part)
        yield bytes(part) if raw is None else raw
        at += part
