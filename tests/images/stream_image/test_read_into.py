"""Reading pages of a stream into a buffer gives what reading them as bytes gives, wherever they are in the stream."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.dumps.factory import ram as some_memory
from tests.images.qemu_stream.written import PAGE, clock, deflated, entry, filled, plain, ram, sizes, stream
from tests.opened_files import file_source
from vmci_tui.images.as_dump import dump_of
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.layers.file import BytesSource, FileSource
from vmci_tui.layers.read_into import read_into

_SIZE = 16 << 20
_PAGES = 700
"""Those at the start that may come; the last page of all came first."""
_HEAD = b"a head of another file"


def _written() -> bytes:
    """Return a stream of a block with runs of plain pages, and others between them; its last page came first."""
    memory, chance = some_memory(_PAGES * PAGE, 5), random.Random(5)
    records, at = plain(_SIZE - PAGE, b"last", "pc.ram"), 0
    while at < _PAGES:
        kind = chance.choice(("plain", "plain", "plain", "filled", "deflated", "absent"))
        for number in range(at, min(at + chance.choice((1, 3, 9, 300)), _PAGES)):
            data = memory[number * PAGE : (number + 1) * PAGE]
            if kind == "filled":
                records += filled(number * PAGE, number % 3)
            elif kind != "absent":
                records += (plain if kind == "plain" else deflated)(number * PAGE, data)
            at = number + 1
    return stream(ram(1, sizes([("pc.ram", _SIZE)])), ram(2, records), ram(3, b""), clock(_SIZE), entry())


@pytest.fixture(params=["a file", "in a file", "bytes"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> GuestImage:
    head = _HEAD if request.param == "in a file" else b""
    if request.param == "bytes":
        return open_stream(BytesSource(_written()), ImageChoice())
    path = tmp_path / "stream"
    path.write_bytes(head + _written())
    return open_stream(file_source(str(path)), ImageChoice(), len(head))


def test_a_buffer_gets_the_bytes_that_are_read(image: GuestImage) -> None:
    chance, dump = random.Random(1), dump_of(image)
    for read in (image.source, dump.source):
        whole = read.read(0, read.size)
        for _ in range(60):
            align, most = chance.choice((1, PAGE)), chance.choice((_SIZE, _PAGES * PAGE))
            offset = chance.randrange(most) // align * align
            into = bytearray(chance.choice((1, 100, PAGE, 20 * PAGE, 600 * PAGE)))
            got = read_into(read, offset, memoryview(into))
            assert got == min(len(into), read.size - offset)
            assert into[:got] == whole[offset : offset + got]
    assert read_into(image.source, -1, memoryview(bytearray(9))) == 0


def test_reading_ends_at_a_damaged_page() -> None:
    records = plain(0, b"one", "pc.ram") + deflated(PAGE, b"other").replace(b"\x78\x9c", b"\xff\xff")
    data = stream(ram(1, sizes([("pc.ram", _SIZE)])), ram(2, records), ram(3, b""), clock(_SIZE), entry())
    image = open_stream(BytesSource(data), ImageChoice())
    assert read_into(image.source, 0, memoryview(bytearray(3 * PAGE))) == PAGE


def test_a_system_that_reads_less_at_a_time_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)))
    source, real = FileSource(str(path)), os.preadv
    monkeypatch.setattr("os.preadv", lambda fd, parts, offset: real(fd, [parts[0][:3]], offset))
    one, two = bytearray(5), bytearray(300)
    with source:
        assert source.read_parts(10, [memoryview(one), memoryview(two)]) == 246
    assert bytes(one + two[:241]) == bytes(range(10, 256))
