from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Overlap, merge
from vmci_tui.layers.range_table import Range


class Mapping(NamedTuple):
    """The fields of a program header."""

    paddr: int
    offset: int
    filesz: int
    memsz: int


_FILE = bytes(n * 7 % 251 for n in range(400))
_mappings = st.lists(
    st.builds(
        lambda paddr, offset, filesz, more: Mapping(paddr, offset, filesz, filesz + more),
        st.integers(0, 300), st.integers(0, 450), st.integers(0, 120), st.integers(0, 60),
    ),
    max_size=8,
)  # fmt: skip


@given(_mappings)
def test_merged_memory_is_sorted_and_disjoint_and_agrees_with_the_mappings(mappings: list[Mapping]) -> None:
    memory = merge(mappings, len(_FILE), 1 << 64)
    for before, after in zip(memory.ranges, memory.ranges[1:], strict=False):
        assert before.end <= after.paddr
    for paddr in range(500):
        here = [m for m in mappings if m.paddr <= paddr < m.paddr + m.memsz]
        held = {m.offset + paddr - m.paddr for m in here if paddr < m.paddr + m.filesz}
        held = {offset for offset in held if offset < len(_FILE)}
        assert (memory.range_at(paddr) is not None) == bool(here)
        offset = memory.offset_of(paddr)
        assert offset in held if held else offset is None
        if len(held) > 1:
            assert memory.overlaps and memory.overlaps[0].paddr <= paddr
        if offset is not None:
            assert memory.read(BytesSource(_FILE), paddr, 1) == _FILE[offset : offset + 1]


@given(_mappings, st.integers(0, 500), st.integers(0, 300))
def test_a_long_read_equals_many_short_ones(mappings: list[Mapping], paddr: int, length: int) -> None:
    memory, source = merge(mappings, len(_FILE), 1 << 64), BytesSource(_FILE)
    one_by_one = b"".join(memory.read(source, at, 1) for at in range(paddr, paddr + length))
    assert memory.read(source, paddr, length) == one_by_one
    covered = memory.covered(paddr, length)
    assert all(memory.range_at(at) for at in range(paddr, paddr + covered))
    assert covered == length or memory.range_at(paddr + covered) is None


def test_many_headers_over_the_same_bytes_are_one_range() -> None:
    pages = [Mapping(0x1000 * n, 64 + 0x1000 * n, 0x1000, 0x1000) for n in range(16)]
    memory = merge(pages * 3, 1 << 20, 1 << 64)
    assert tuple(memory.ranges) == (Range(0, 0x10000, 64),) and not memory.overlaps
    assert memory.paddr_of(64 + 0x5432) == 0x5432
    assert memory.paddr_of(63) is None and memory.paddr_of(64 + 0x10000) is None


def test_memory_that_the_file_lacks_is_a_range_without_bytes() -> None:
    memory = merge([Mapping(0, 90, 100, 100)], 100, 1 << 64)
    assert tuple(memory.ranges) == (Range(0, 10, 90), Range(10, 90, None))
    assert memory.size == 10 and memory.read(BytesSource(b"x" * 100), 5, 10) == b"x" * 5 + bytes(5)


def test_headers_with_different_bytes_for_one_paddr_are_reported() -> None:
    memory = merge([Mapping(0, 0, 100, 100), Mapping(50, 200, 100, 100)], 1000, 1 << 64)
    assert memory.overlaps == (Overlap(50, 50, 50, 200),)
    assert memory.offset_of(60) == 60 and memory.offset_of(120) == 270


def test_a_header_without_an_address_is_not_memory_and_the_top_cuts() -> None:
    top = 1 << 32
    assert merge([Mapping(top - 1, 0, 10, 10)], 1000, top).ranges[:] == ()
    assert merge([Mapping(top - 4, 0, 10, 10)], 1000, top).ranges[:] == (Range(top - 4, 4, 0),)
