"""Guest memory of a running VM, a page at a time, each read once."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from threading import Lock
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.waiting import refuse_to_wait
from vmci_tui.live.commands import PAGE, PAGES, TRANSLATE, Command
from vmci_tui.live.flat_view import BlockRange
from vmci_tui.live.vm import RunningVm

PAGE_SIZE: Final = 4096
"""Bytes of a request: 512 words of 8 bytes."""
_MANY: Final = 8
"""Pages of a request where many are read at once: their answer comes as fast as that of two."""
MOST_PAGES: Final = 1 << 14
"""Pages that are read of a running VM, 64 MiB: more than the tables of a kernel have, less than a search reads."""
_LINE: Final = re.compile(r"([0-9a-f]{8,16}):((?: 0x[0-9a-f]{16}){1,8})\s*")
_PADDR: Final = re.compile(r"gpa: 0x([0-9a-f]{1,16})\s*")


class VmFacts(NamedTuple):
    """What QEMU said of the VM when it was opened."""

    running: bool
    state: Safe
    """QEMU's word for the run state: running, paused, guest-panicked and the like (qapi/run-state.json)."""
    device: bool
    """Whether it has a vmcoreinfo device."""
    ranges: tuple[BlockRange, ...]


class LiveMemory:
    """Memory of a VM as a Source; an offset is a guest-physical address. It is of the guest as it runs.

    A page is read once, so that two looks at it agree; `forget` drops all.
    """

    def __init__(self, vm: RunningVm, memory: Memory, order: ByteOrder, facts: VmFacts) -> None:
        self.vm, self.facts, self._memory, self._order = vm, facts, memory, order
        self._pages: dict[int, bytes] = {}
        self._lock = Lock()
        """The screen and work in the background ask for the same page at the same time."""

    @property
    def size(self) -> int:
        ranges = self._memory.ranges
        return ranges[-1].end if len(ranges) else 0

    @property
    def pages_read(self) -> int:
        """How many pages were read of the VM."""
        return len(self._pages)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of memory; fewer at the end of its range, none outside. Raises OpenError."""
        item = self._memory.range_at(offset) if offset >= 0 else None
        if item is None or length <= 0:
            return b""
        out = bytearray()
        end = min(offset + length, item.end)
        while (at := offset + len(out)) < end:
            start = at - at % PAGE_SIZE
            if not item.paddr <= start <= start + PAGE_SIZE <= item.end:
                break  # half a page of RAM: the other half may be a device
            self._read_ahead(start, end)
            out += self._page(start)[at - start : end - start]
        return bytes(out)

    def data_ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield what was read: a search of all memory of a running VM would take minutes and disturb it."""
        for page in sorted(self._pages):
            first, last = max(start, page), min(end, page + PAGE_SIZE)
            if first < last:
                yield first, last

    def forget(self) -> None:
        """Drop all pages: the next reads show the guest as it is then."""
        self._pages = {}

    def translate(self, address: int) -> int | None:
        """Return the paddr of a virtual address by the page tables of the first CPU; None if they do not map it.

        Raises OpenError.
        """
        refuse_to_wait(self.vm.name)
        said = self.vm.ask(TRANSLATE, address)
        found = _PADDR.fullmatch(said) if isinstance(said, str) else None
        return None if found is None else int(found[1], 16)

    def _read_ahead(self, start: int, end: int) -> None:
        """Read many pages from `start` on by one request, if all are wanted and none was read."""
        wanted = range(start, start + _MANY * PAGE_SIZE, PAGE_SIZE)
        if wanted.stop > end or any(at in self._pages for at in wanted):
            return
        refuse_to_wait(self.vm.name)
        with self._lock:
            if len(self._pages) + _MANY <= MOST_PAGES:
                data = self._ask(PAGES, start, _MANY)
                self._pages |= {at: data[at - start : at - start + PAGE_SIZE] for at in wanted}

    def _page(self, paddr: int) -> bytes:
        kept = self._pages.get(paddr)
        if kept is not None:  # also while another thread waits for the VM
            return kept
        refuse_to_wait(self.vm.name)
        with self._lock:
            kept = self._pages.get(paddr)
            if kept is None:
                kept = self._pages[paddr] = self._ask(PAGE, paddr, 1)
            return kept

    def _ask(self, command: Command, paddr: int, pages: int) -> bytes:
        if len(self._pages) + pages > MOST_PAGES:
            words = f"{self.vm.name}: more than {MOST_PAGES * PAGE_SIZE >> 20} MiB of a running VM would be read"
            raise OpenError(words, "vmci convert makes a dump of it")
        data = memory_in(self.vm.ask(command, paddr), paddr, pages * PAGE_SIZE, self._order)
        if data is None:
            raise OpenError(f"{self.vm.name}: QEMU does not show the memory at {paddr:#x}", "is this a QEMU?")
        return data


def memory_in(said: object, paddr: int, length: int, order: ByteOrder) -> bytes | None:
    """Return `length` bytes at `paddr` from what QEMU printed for `xp /Nxg`; None if that is something else."""
    if not isinstance(said, str):
        return None
    words: list[str] = []
    size = 0
    for line in said.splitlines():
        found = _LINE.fullmatch(line)
        if found is None or int(found[1], 16) != paddr + size:
            return None
        words.append(found[2])
        size += 8 * found[2].count("x")
        if size > length:
            return None
    data = array("Q", bytes.fromhex("".join(words).replace("0x", "")))
    if order != "big":
        data.byteswap()
    return data.tobytes() if size == length else None
