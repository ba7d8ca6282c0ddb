"""Test AVML images: memory in chunks compressed by snappy, read at any offset, and damaged ones."""

from __future__ import annotations

import sys

import pytest

from tests.dumps.factory import ram
from tests.images.writers import avml, lime_head, snappy_chunk, utsname
from vmci_tui.common.errors import OpenError, PackageMissing
from vmci_tui.images.as_dump import ImageDump, dump_of
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.open_image import image_of
from vmci_tui.layers.file import BytesSource

pytest.importorskip("cramjam")
LOW, HIGH = (0x1000, utsname() + ram(0x5000)), (0x100000, ram(0x5000, 2))
_STREAM = b"\xff\x06\0\0sNaPpY"


def _image(data: bytes) -> GuestImage:
    image = image_of(BytesSource(data), ImageChoice())
    assert image is not None
    return image


def _dump(data: bytes) -> ImageDump:
    return dump_of(_image(data))


@pytest.mark.parametrize("chunk", [4096, 0x1000 - 8, 0x10000])
def test_memory_is_that_of_all_chunks_at_any_offset(chunk: int) -> None:
    dump = _dump(avml((LOW, HIGH), chunk))
    assert (dump.container, dump.machine, dump.missing, dump.doubts) == ("avml", "x86_64", "", ())
    assert [(item.paddr, item.length) for item in dump.memory.ranges] == [(at, len(data)) for at, data in (LOW, HIGH)]
    for paddr, data in (LOW, HIGH):
        for at, length in ((0, len(data)), (1, 1), (4000, 200), (len(data) - 1, 1)):
            assert dump.memory.read(dump.source, paddr + at, length) == data[at : at + length]


def test_a_damaged_chunk_is_memory_that_cannot_be_read_and_the_rest_still_is() -> None:
    data = bytearray(avml((LOW, HIGH), 4096))
    data[data.index(ram(0x5000, 2)[64:128]) + 8] ^= 1
    dump = _dump(bytes(data))
    at = dump.memory.offset_of(HIGH[0])
    assert at is not None and dump.source.read(at, 4096) == b""
    assert dump.source.read(at + 4096, 4096) == HIGH[1][4096:8192]


def test_an_image_that_was_cut_off_has_the_chunks_that_are_whole() -> None:
    whole = avml((LOW, HIGH), 4096)
    for cut in range(len(avml((LOW,), 4096)) + 60, len(whole) - 9, 997):
        dump = _dump(whole[:cut])
        assert dump.missing and dump.memory.range_at(LOW[0]) is not None
        for item in dump.memory.ranges:
            data = dict((LOW, HIGH))[item.paddr]
            assert dump.memory.read(dump.source, item.paddr, item.length) == data[: item.length]


def test_claims_of_more_memory_than_a_chunk_may_have_are_an_error() -> None:
    head = lime_head(0, (4 << 30) - 1, b"AVML", 2)
    with pytest.raises(OpenError):
        _dump(head + _STREAM + snappy_chunk(b"x" * 8, claimed=1 << 20))


def test_false_claims_take_no_more_memory_than_is_read() -> None:
    bomb = lime_head(0, (4 << 30) - 1, b"AVML", 2) + _STREAM + snappy_chunk(b"x" * 8, claimed=0x10000) * 40
    image = _image(bomb)
    assert len(bomb) < 1024 and image.memory.size == 40 << 16 and image.source.read(0, 1 << 20) == b""
    assert dump_of(image).missing


@pytest.mark.parametrize(
    "damaged",
    [
        lime_head(0x2000, 0x1000, b"AVML", 2) + bytes(100),
        lime_head(0, 99, b"AVML", 3) + bytes(100),
        lime_head(0, 99, b"AVML", 2)[:20],
        lime_head(0, 4095, b"AVML", 2) + _STREAM + b"\x42\0\0\0" + bytes(100),
        lime_head(0, 99, b"AVML", 2) + _STREAM + snappy_chunk(bytes(200)),
    ],
)
def test_a_head_that_no_image_has_is_an_error(damaged: bytes) -> None:
    with pytest.raises(OpenError):
        _dump(damaged)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cramjam", None)
    with pytest.raises(PackageMissing, match="cramjam"):
        _image(avml((LOW,))).source.read(0, 1)
