"""Say where the variables of the kernel that runs are, in a running machine that translates virtual addresses.

By the head of its image, if it still is in memory: from the start of .bss on. Else from the end of the image backwards:
.bss is the last part of it, except some pages of tables (vmlinux.lds.S of each machine).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.linux_image import HEAD, HEADED, linux_image
from vmci_tui.kernel.cpus.cpu import Cpu
from vmci_tui.search.memory_blocks import PAGE

_STEP: Final = 2 << 20
"""Images begin at a multiple of this in memory."""
_PROBES: Final = 16
"""Starts that are looked at, 32 MiB: the code of Debian's kernels has 9 to 20 MiB."""
_CPUS: Final = 4
"""CPUs that are followed."""
_KERNELS: Final = 1 << 63
"""Virtual addresses from here on are the kernel's."""
_SEGMENT: Final = 64 << 10
"""Images of arm64 end at a multiple of this."""
_SHORTEST: Final = 1 << 20
"""Bytes of an image after its code; a module is shorter."""
_IMAGE: Final = 128 << 20
"""Bytes of an image that are looked at."""
_HOLE: Final = 16 << 20
"""Bytes of code that runs once, and is not mapped then."""
_LONGEST: Final = 2 << 20
"""Bytes of .bss that are read."""
PART: Final = 32 << 10
"""Bytes that a running machine is asked for at a time."""


class _Code(NamedTuple):
    """Where a CPU is in the kernel's code."""

    address: int
    paddr: int
    translate: Callable[[int], int | None]

    def maps(self, paddr: int) -> bool:
        """Return whether the image is at a paddr too: it is mapped as it is in memory, all of it as far apart."""
        return self.translate(self.address - self.paddr + paddr) == paddr


def parts_of_bss(guest: Guest, cpus: tuple[Cpu, ...]) -> tuple[range, ...]:
    """Return paddrs of parts of .bss, each beside the one before; none if no CPU leads to an image.

    Raises OpenError.
    """
    if guest.translate is None:
        return ()
    windows = (
        _by_head(guest, _starts(code), code.paddr) or _by_mapping(code) for code in _codes(guest.translate, cpus)
    )
    return next(filter(None, windows), ()) or _by_head(guest, _loaded(guest), None)


def _codes(translate: Callable[[int], int | None], cpus: tuple[Cpu, ...]) -> Iterator[_Code]:
    for pc in (cpu.role("pc") or 0 for cpu in cpus[:_CPUS]):
        if pc >= _KERNELS and (paddr := translate(pc)) is not None:
            yield _Code(pc, paddr, translate)


def _by_head(guest: Guest, starts: Iterable[int], inside: int | None) -> tuple[range, ...]:
    """Return the parts of the image that begins at one of `starts`, and holds the paddr `inside`."""
    for at in starts:
        image = linux_image(guest.read(at, HEAD) or b"")
        if image is not None and (inside is None or at <= inside < at + image.size):
            return _backwards(at + image.size) if image.bss is None else _forwards(at + image.bss, at + image.size)
    return ()


def _starts(code: _Code) -> Iterator[int]:
    """Yield where the image with some code may begin: the head is not mapped by all kernels."""
    at = code.paddr // _STEP * _STEP
    for _ in range(_PROBES):
        if not code.maps(at):
            break
        at -= _STEP
    yield from (at + _STEP, at)


def _loaded(guest: Guest) -> Iterator[int]:
    """Yield where bootloaders put images, for a kernel whose CPUs all run other programs."""
    for item in islice(guest.memory.ranges, _PROBES) if guest.machine in HEADED else ():
        yield from islice(range(-(-item.paddr // _STEP) * _STEP, item.end, _STEP), _PROBES)


def _by_mapping(code: _Code) -> tuple[range, ...]:
    """Return the last parts of the image: after it an address is not mapped, or to somewhere else.

    So is code that runs once, within it. There are none if all memory is mapped so, as that of ppc64.
    """
    last = first = code.paddr // _SEGMENT * _SEGMENT
    for at in range(first, first + _IMAGE, _STEP):
        if at > last + _HOLE:
            break
        last = at if code.maps(at) else last
    end = last + _STEP
    while end - last > _SEGMENT:
        middle = (last + end) // 2 // _SEGMENT * _SEGMENT
        last, end = (middle, end) if code.maps(middle) else (last, middle)
    return _backwards(end) if _SHORTEST < end - first < _IMAGE else ()


def _forwards(start: int, end: int) -> tuple[range, ...]:
    start -= start % PAGE
    return tuple(range(at, min(at + PART, end)) for at in range(start, min(end, start + _LONGEST), PART))


def _backwards(end: int) -> tuple[range, ...]:
    return tuple(range(at - PART, at) for at in range(end, max(end - _LONGEST, PART), -PART))
