"""The pages of a stream: each way in which QEMU sends them, and the last version of each."""

from __future__ import annotations

import struct
import zlib

import pytest

from tests.images.qemu_stream.written import (
    HEAD,
    PAGE,
    changed,
    clock,
    configuration,
    deflated,
    end,
    entry,
    filled,
    named,
    plain,
    ram,
    record,
    sizes,
    stream,
)
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.stream_image import xbzrle
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.layers.file import BytesSource

_MEMORY = 16 << 20
_FIRST = ram(1, sizes([("pc.ram", _MEMORY)]))


def _image(*parts: bytes) -> GuestImage:
    return open_stream(BytesSource(stream(_FIRST, *parts, ram(3, b""), clock(_MEMORY), entry())), ImageChoice())


def _page(image: GuestImage, paddr: int) -> bytes:
    return image.memory.read(image.source, paddr, PAGE)


def test_each_kind_of_page() -> None:
    records = filled(0, 0, "pc.ram") + filled(PAGE, 0xAA) + plain(2 * PAGE, b"plain") + deflated(3 * PAGE, b"packed")
    records += changed(2 * PAGE, bytes([1, 3]) + b"LAI")
    image = _image(ram(2, records))
    assert _page(image, 0) == bytes(PAGE)
    assert _page(image, PAGE) == b"\xaa" * PAGE
    assert _page(image, 2 * PAGE) == b"pLAIn".ljust(PAGE, b"\0")
    assert _page(image, 3 * PAGE) == b"packed".ljust(PAGE, b"\0")
    assert _page(image, 4 * PAGE) == bytes(PAGE)
    assert image.memory.read(image.source, 0, 5 * PAGE) == b"".join(_page(image, n * PAGE) for n in range(5))


def test_the_last_version_of_a_page_counts() -> None:
    image = _image(ram(2, plain(0, b"one", "pc.ram") + plain(PAGE, b"other")), ram(2, plain(0, b"two")))
    assert _page(image, 0).startswith(b"two")
    image = _image(ram(2, plain(0, b"one", "pc.ram") + filled(0)))
    assert _page(image, 0) == bytes(PAGE)


def test_changes_are_applied_in_order() -> None:
    image = _image(
        ram(2, plain(0, b"aaaa", "pc.ram") + changed(0, bytes([0, 1]) + b"b") + changed(0, bytes([1, 1]) + b"c"))
    )
    assert _page(image, 0).startswith(b"bcaa")


def test_a_page_after_a_border_of_sections_is_of_the_same_block() -> None:
    image = _image(ram(2, plain(0, b"one", "pc.ram")), ram(2, plain(PAGE, b"two")))
    assert _page(image, PAGE).startswith(b"two")


def test_only_pages_with_bytes_are_data() -> None:
    image = _image(ram(2, filled(0, 0, "pc.ram") + plain(PAGE, b"x") + plain(2 * PAGE, b"y") + filled(5 * PAGE, 1)))
    assert list(image.source.data_ranges(0, _MEMORY)) == [(PAGE, 3 * PAGE), (5 * PAGE, 6 * PAGE)]
    assert list(image.source.data_ranges(PAGE + 7, 2 * PAGE + 9)) == [(PAGE + 7, 2 * PAGE + 9)]


def test_pages_far_apart_and_in_any_order() -> None:
    places = [4095, 0, 2048, 7, 4094]
    records = b"".join(plain(n * PAGE, b"%d;" % n, None if i else "pc.ram") for i, n in enumerate(places))
    image = _image(ram(2, records))
    assert {n: _page(image, n * PAGE).split(b";")[0] for n in places} == {n: b"%d" % n for n in places}


def test_pages_of_two_blocks() -> None:
    first = ram(1, sizes([("pc.ram", _MEMORY), ("pc.bios", 2 * PAGE)]))
    records = plain(0, b"low", "pc.ram") + plain(PAGE, b"firmware", "pc.bios")
    source = BytesSource(stream(first, ram(2, records), ram(3, b""), clock(_MEMORY)))
    image = open_stream(source, ImageChoice())
    assert _page(image, 0).startswith(b"low")
    assert _page(image, (1 << 32) - PAGE).startswith(b"firmware")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (bytes([2, 2]) + b"xy", b"00xy0000"),
        (bytes([0, 1]) + b"x" + bytes([3, 1]) + b"y", b"x000y000"),
        (bytes([0x80, 0x00, 1]) + b"x", b"x0000000"),
        (bytes([5]), b"00000000"),
        (bytes([7, 2]) + b"xy", None),  # past the page
        (bytes([0, 9]) + b"xy", None),  # past the changes
        (bytes([0xFF, 0x7F]), None),
    ],
)
def test_changes(changes: bytes, wanted: bytes | None) -> None:
    assert xbzrle.apply(b"0" * 8, changes) == wanted


@pytest.mark.parametrize(
    "damaged",
    [
        record(PAGE, 0x100, b"\0\0\0\4abcd"),
        record(PAGE, 0x100, b"\0\0\0\0"),
        changed(PAGE, bytes([0xFF, 0x1F, 2]) + b"xy"),
    ],
)
def test_a_read_ends_at_a_damaged_page(damaged: bytes) -> None:
    image = _image(ram(2, plain(0, b"good", "pc.ram") + damaged + plain(2 * PAGE, b"z")))
    assert len(image.source.read(0, 3 * PAGE)) == PAGE
    assert image.source.read(2 * PAGE, 1) == b"z"


def test_a_page_that_claims_to_be_large_is_not_unpacked_further() -> None:
    packed = zlib.compress(bytes(3 << 20))
    assert len(packed) < PAGE
    image = _image(ram(2, record(0, 0x100, len(packed).to_bytes(4, "big") + packed, "pc.ram")))
    assert image.source.read(0, PAGE) == b""


def test_shared_memory_that_was_not_sent_is_missing() -> None:
    """With x-ignore-shared it is in another file: it is not zeros."""
    blocks = [("pc.ram", _MEMORY), ("pc.bios", PAGE)]
    listed = struct.pack(">Q", sum(length for _, length in blocks) | 4)
    listed += b"".join(named(name) + struct.pack(">QQ", length, 0) for name, length in blocks)
    parts = ram(1, listed), ram(2, plain(0, b"bios", "pc.bios")), ram(3, b""), clock(_MEMORY), entry(), end()
    data = HEAD + configuration("pc-i440fx-7.2", "x-ignore-shared") + b"".join(parts)
    image = open_stream(BytesSource(data), ImageChoice())
    assert [(item.paddr, item.offset is None) for item in image.memory.ranges] == [(0, True), ((1 << 32) - PAGE, False)]
    assert "the stream has no page of pc.ram (16 MiB)" in image.missing
