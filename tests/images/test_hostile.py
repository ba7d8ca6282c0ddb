"""Damaged images of memory: each opens, or is one clear error, in little memory and time."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

import pytest

from tests.dumps.factory import ram
from tests.images.writers import avml, lime, lime_head, utsname
from vmci_tui.common.errors import OpenError
from vmci_tui.images.as_dump import dump_of
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.images.iomem import ram_ranges
from vmci_tui.images.open_image import image_of
from vmci_tui.layers.file import BytesSource

_RANGES = ((0x1000, utsname() + ram(0x3000)), (0x100000, ram(0x2000, 2)), (1 << 32, ram(0x1800, 3)))
_NUMBERS = (0, 1, 0xFF, 0xFFF, 0x1000, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, 1 << 63, (1 << 64) - 1)
_MAP = b"".join(b"%08x-%08x : System RAM\n" % (at, at + len(data) - 1) for at, data in _RANGES)


def _mutated(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with a few numbers, bytes or parts changed; heads and their ends are hit most."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        heads = [match.start() for match in re.finditer(b"EMiL|AVML", out)]
        near = rng.choice(heads or [0]) + rng.choice((0, 4, 8, 16, 24, 32, 42, 46, rng.randrange(64)))
        at = min(rng.choice((near, rng.randrange(len(out)))), len(out) - 1)
        match rng.randrange(4):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at : at + 8] = struct.pack("<Q", rng.choice(_NUMBERS))
            case 2:
                del out[at : at + rng.randint(1, 5000)]
            case 3:
                out[at:at] = out[max(at - 64, 0) : at]
        if not out:
            return b"\0" * 20
    return bytes(out)


def _opened(data: bytes) -> None:
    """Open an image and read what it says it has; nothing but OpenError may be raised."""
    try:
        image = image_of(BytesSource(data), ImageChoice())
        if image is None:
            return
        dump = dump_of(image)
    except OpenError as error:
        assert len(str(error)) < 300 and "\n" not in str(error)
        return
    assert dump.source.size < (len(data) << 8) + (1 << 20), "it has no more bytes than the file can hold"
    for item in dump.memory.ranges[:64]:
        dump.memory.read(dump.source, item.paddr, min(item.length, 1 << 16))
    list(dump.source.data_ranges(0, dump.source.size))


@pytest.mark.parametrize("whole", [lime(_RANGES), avml(_RANGES, 4096)], ids=["lime", "avml"])
@pytest.mark.parametrize("count", [400, pytest.param(20000, marks=pytest.mark.long)])
def test_a_mutated_image(whole: bytes, count: int) -> None:
    rng = random.Random(17)
    for _ in range(count):
        _opened(_mutated(whole, rng))


@pytest.mark.parametrize("count", [400, pytest.param(20000, marks=pytest.mark.long)])
def test_a_mutated_map(count: int) -> None:
    rng = random.Random(17)
    for _ in range(count):
        try:
            ranges = ram_ranges(_mutated(_MAP, rng))
        except OpenError:
            continue
        assert all(0 <= start < end for start, end in ranges) and list(ranges) == sorted(ranges)


@pytest.mark.parametrize("write", [lime, avml], ids=["lime", "avml"])
def test_an_image_that_ends_anywhere(write: Callable[[object], bytes]) -> None:
    whole = write(_RANGES)
    for end in {*range(200), *range(200, len(whole), 331), *range(len(whole) - 40, len(whole))}:
        _opened(whole[:end])


def test_very_many_ranges_take_little_memory() -> None:
    count = 20_000
    data = b"".join(lime_head(at << 13, (at << 13) + 15) + b"0123456789abcdef" for at in range(count))
    image = image_of(BytesSource(data), ImageChoice())
    assert image is not None and len(image.memory.ranges) == count
    dump = dump_of(image)
    assert len(dump.memory.ranges) == count and dump.memory.read(dump.source, 7 << 13, 4) == b"0123"
