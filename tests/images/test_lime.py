"""Test LiME images: their ranges as memory of a dump, and damaged ones."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.dumps.factory import ram
from tests.images.writers import lime, lime_head, utsname
from vmci_tui.common.errors import OpenError
from vmci_tui.images.as_dump import ImageDump, dump_of
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.images.open_image import image_of
from vmci_tui.layers.file import BytesSource

LOW, HIGH = (0x1000, ram(0x9EC00, 1)), (0x100000, ram(0x4000, 2))


def _dump(data: bytes) -> ImageDump:
    image = image_of(BytesSource(data), ImageChoice())
    assert image is not None
    return dump_of(image)


def test_each_range_is_memory_at_its_address_though_it_ends_within_a_page() -> None:
    dump = _dump(lime((LOW, HIGH)))
    assert [(item.paddr, item.length) for item in dump.memory.ranges] == [(at, len(data)) for at, data in (LOW, HIGH)]
    for paddr, data in (LOW, HIGH):
        assert dump.memory.read(dump.source, paddr, len(data)) == data
    assert (dump.container, dump.kind, dump.missing) == ("lime", "elf", "")


def test_the_file_that_it_is_shown_as_has_all_its_bytes_at_any_offset() -> None:
    dump = _dump(lime((LOW, HIGH)))
    whole = dump.source.read(0, dump.source.size)
    assert len(whole) == dump.source.size and whole.endswith(LOW[1] + HIGH[1])
    cuts = sorted({0, 1, 63, 64, 4095, 4096, 4096 + len(LOW[1]) - 1, 4096 + len(LOW[1]), len(whole)})
    assert b"".join(dump.source.read(a, b - a) for a, b in pairwise(cuts)) == whole
    assert dump.source.read(len(whole) - 4, 100) == whole[-4:] and dump.source.read(len(whole), 1) == b""


@pytest.mark.parametrize(
    ("uname", "machine", "order"),
    [
        (b"x86_64", "x86_64", "little"),
        (b"i686", "i386", "little"),
        (b"aarch64", "aarch64", "little"),
        (b"s390x", "s390x", "big"),
        (b"ppc64", "ppc64", "big"),
        (b"ppc64le", "ppc64", "little"),
    ],
)
def test_the_machine_is_what_the_kernel_in_memory_says(uname: bytes, machine: str, order: str) -> None:
    dump = _dump(lime([(0x1000, ram(0x2000) + utsname(uname) + ram(0x1000))]))
    assert (dump.machine, dump.order, dump.doubts) == (machine, order, ())


def test_without_a_kernel_the_machine_is_assumed_and_that_is_said() -> None:
    dump = _dump(lime((HIGH,)))
    assert dump.machine == "x86_64" and len(dump.doubts) == 1


def test_memory_above_4_gib_of_a_32_bit_machine_has_a_64_bit_header() -> None:
    dump = _dump(lime([(0x1000, utsname(b"i686")), (1 << 32, b"high")]))
    assert (dump.machine, dump.bits) == ("i386", 64) and dump.memory.read(dump.source, 1 << 32, 4) == b"high"


def test_zeros_after_the_last_range_are_a_disk_and_other_bytes_are_a_doubt() -> None:
    named = (0x1000, utsname())
    assert _dump(lime((named,)) + bytes(5000)).doubts == ()
    assert len(_dump(lime((named,)) + b"xyz" + bytes(5000)).doubts) == 1


def test_an_image_that_was_cut_off_lacks_what_its_last_head_says() -> None:
    data = lime((LOW, HIGH))
    dump = _dump(data[:-0x1001])
    assert dump.missing and dump.memory.ranges[-1].length == 0x2FFF
    assert _dump(data[: len(lime((LOW,))) + 10]).memory.size == len(LOW[1])


def test_of_ranges_that_overlap_the_first_counts_and_that_is_said() -> None:
    dump = _dump(lime([(0x1000, utsname()), (0x1100, bytes(0x1000))]))
    assert dump.doubts and dump.memory.read(dump.source, 0x1000, 390) == utsname()


def test_ranges_in_any_order_are_memory_in_the_order_of_addresses() -> None:
    dump = _dump(lime((HIGH, LOW)))
    assert [item.paddr for item in dump.memory.ranges] == [LOW[0], HIGH[0]]
    assert dump.memory.read(dump.source, *HIGH[:1], 16) == HIGH[1][:16]


@pytest.mark.parametrize(
    "damaged",
    [
        lime_head(0x2000, 0x1000) + bytes(100),
        lime_head(0, 99, version=7) + bytes(100),
        lime_head(0, 99)[:20],
        lime((LOW,)) + lime_head(5, 4),
    ],
)
def test_a_head_that_no_image_has_is_an_error(damaged: bytes) -> None:
    with pytest.raises(OpenError):
        _dump(damaged)


def test_a_range_of_all_addresses_takes_no_more_than_the_file() -> None:
    dump = _dump(lime_head(0, (1 << 64) - 1) + utsname())
    assert dump.missing and dump.source.size < 8192 and dump.machine == "x86_64"
