"""Test memory that a dump claims and does not have, and memory with damaged pages: each page is read once."""

from __future__ import annotations

import pytest

from tests.kernel.hostile.made_kernel import made
from tests.kernel.hostile.measured import seconds
from tests.proof.synthetic import PAGE
from vmci_tui.containers.guest import Guest
from vmci_tui.kernel.image.places import read_with_holes
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols, read_symbols
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges


class _Damaged(BytesSource):
    """A source each of whose last pages of a mebibyte cannot be read."""

    pages = 0

    def read(self, offset: int, length: int) -> bytes:
        last = offset // (1 << 20) * (1 << 20) + (1 << 20) - PAGE
        self.pages += (min(offset + length, last) - offset) // PAGE
        return b"" if offset >= last else super().read(offset, min(length, last - offset))


@pytest.mark.parametrize("offset", [None, 0])
def test_terabytes_that_are_only_claimed_are_not_searched_page_by_page(offset: int | None) -> None:
    """With an offset the file ends where the range begins, as a cut file does."""
    kernel = made("aarch64")
    guest = kernel.guest(kernel.ram.pages)
    ranges = list(guest.memory.ranges)
    at = None if offset is None else guest.source.size
    claimed = guest._replace(memory=Memory(Ranges([*ranges, Range(ranges[-1].end, 1 << 40, at)])))
    found: list[KernelSymbols] = []
    assert seconds(lambda: found.extend(read_symbols(claimed))) < 1
    assert [len(one.table) for one in found] == [len(one.table) for one in read_symbols(guest)]


def test_of_damaged_memory_each_page_is_read_twice_at_most() -> None:
    data = bytes(range(256)) * (4 << 12)
    source = _Damaged(data)
    guest = Guest(source, Memory(Ranges([Range(0, len(data), 0)])), "aarch64", 64, "little")
    read = read_with_holes(guest, 0, len(data))
    assert len(read) == len(data) and read[: (1 << 20) - PAGE] == data[: (1 << 20) - PAGE]
    assert read[(1 << 20) - PAGE : 1 << 20] == bytes(PAGE)
    assert source.pages <= 2 * len(data) // PAGE


def test_a_hole_at_the_end_of_what_is_read_is_zeros_if_memory_goes_on() -> None:
    data = bytes(range(1, 256)) * 33
    ranges = Ranges([Range(0, PAGE, 0), Range(4 * PAGE, PAGE, PAGE)])
    guest = Guest(BytesSource(data), Memory(ranges), "aarch64", 64, "little")
    assert read_with_holes(guest, 0, 3 * PAGE) == data[:PAGE] + bytes(2 * PAGE)
    assert read_with_holes(guest, 0, 8 * PAGE) == data[:PAGE] + bytes(3 * PAGE) + data[PAGE : 2 * PAGE]
