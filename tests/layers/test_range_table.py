from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.common.errors import EditError
from vmci_tui.containers.guest import raw_guest
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.range_table import Range, Ranges

_TOP = 1 << 64
_ranges = st.lists(
    st.builds(
        lambda start, length, offset: Range(start, min(length, _TOP - start), offset),
        st.integers(0, _TOP - 1) | st.integers(0, 40),
        st.integers(1, _TOP) | st.integers(1, 40),
        st.none() | st.integers(0, 1 << 63) | st.integers(0, 40),
    ),
    max_size=12,
)


@given(_ranges, st.data())
def test_ranges_behave_as_a_list(items: list[Range], data: st.DataObject) -> None:
    ranges = Ranges(items)
    assert list(ranges) == items and len(ranges) == len(items)
    assert [ranges[at] for at in range(-len(items), len(items))] == items * 2
    where = data.draw(st.slices(len(items) + 1))
    assert list(ranges[where]) == items[where]
    assert ranges.bytes_in_file == sum(item.length for item in items if item.offset is not None)
    assert ranges == Ranges(items) and hash(ranges) == hash(Ranges(items))


@given(_ranges)
def test_in_order_yields_sorted_ranges(items: list[Range]) -> None:
    kept = sorted((item.paddr, item.end, _TOP - 1 if item.offset is None else item.offset) for item in items)
    assert list(Ranges(items).in_order()) == kept
    offsets, numbers = Ranges(items).by_offset()
    assert list(offsets) == sorted(item.offset for item in items if item.offset is not None)
    assert [items[number].offset for number in numbers] == list(offsets)


def test_an_empty_range_is_left_out() -> None:
    assert len(Ranges([Range(0, 0, 0), Range(5, 0, None)])) == 0


@pytest.mark.parametrize("paddr", [-1, _TOP - 4095, 1 << 70])
def test_a_raw_image_must_fit_into_64_bits(paddr: int) -> None:
    with pytest.raises(EditError, match="4096 bytes of memory do not fit at paddr"):
        raw_guest(BytesSource(bytes(4096)), paddr)
    assert raw_guest(BytesSource(bytes(4096)), _TOP - 4096).memory.size == 4096
