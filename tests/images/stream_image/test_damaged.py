"""Streams that are cut off, damaged or made to hurt: one clear line, what is whole, bounded memory and time."""

from __future__ import annotations

import random
import struct
import tracemalloc
from typing import Final

import pytest

from tests.images.qemu_stream.written import (
    HEAD,
    PAGE,
    changed,
    clock,
    configuration,
    deflated,
    device,
    end,
    entry,
    filled,
    footer,
    named,
    plain,
    ram,
    record,
    sizes,
    stream,
)
from vmci_tui.common.errors import Cancelled, OpenError
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.stream_image import page_bytes
from vmci_tui.images.stream_image.open_stream import open_stream
from vmci_tui.layers.file import BytesSource

_MEMORY: Final = 16 << 20
_BLOCKS: Final = ram(1, sizes([("pc.ram", _MEMORY), ("pc.bios", 2 * PAGE)]))
_CPU: Final = device(4, "cpu", b"c" * 300)
_SECTIONS: Final = (
    _BLOCKS,
    ram(2, filled(0, 0, "pc.ram") + plain(PAGE, b"one") + deflated(2 * PAGE, b"two")),
    ram(2, plain(3 * PAGE, b"three") + changed(3 * PAGE, bytes([0, 1]) + b"T")),
    ram(3, plain(0, b"bios", "pc.bios")),
    _CPU,
    clock(_MEMORY),
    entry(),
    device(10, "acpi_build", b"\1"),
)
_WHOLE: Final = stream(*_SECTIONS)
_AT_RAM: Final = len(HEAD + configuration() + _BLOCKS)


def _open(data: bytes) -> GuestImage:
    return open_stream(BytesSource(data), ImageChoice())


def _read_all(image: GuestImage) -> None:
    for start, stop in image.source.data_ranges(0, min(image.source.size, 1 << 30)):
        image.source.read(start, min(stop - start, 1 << 20))
    image.source.read(0, 2 * PAGE)


def _borders() -> list[int]:
    at, out = len(HEAD + configuration()), []
    for section in _SECTIONS:
        out.append(at)
        at += len(section)
    return out


@pytest.mark.parametrize("number", range(len(_SECTIONS)))
def test_cut_at_a_border_of_sections(number: int) -> None:
    at = _borders()[number]
    image = _open(_WHOLE[:at])
    assert image.stream is not None
    assert not image.stream.complete
    assert "cut off" in image.missing
    assert f"{at:#x}" in image.missing
    assert len(image.stream.blocks) == (2 if number else 0)
    assert (image.entry is not None) == (number > 6)
    if number > 1:  # the pages that came, and no others
        assert image.memory.read(image.source, PAGE, 3) == b"one"
        held = sum(item.length for item in image.memory.ranges if item.offset is not None and item.paddr < 1 << 31)
        assert held == (3 if number == 2 else 4) * PAGE
    if number > 2:
        assert image.memory.read(image.source, 3 * PAGE, 5) == b"Three"


def test_cut_anywhere() -> None:
    for at in sorted(random.Random(17).sample(range(len(HEAD), len(_WHOLE)), 300)):
        try:
            image = _open(_WHOLE[:at])
        except OpenError as error:
            assert at < _AT_RAM, error
        else:
            assert image.stream is not None
            # Without the text that describes the devices a stream is as old ones are.
            assert image.stream.complete == (at == len(_WHOLE) - len(end()) + 1), at
            _read_all(image)


def test_bytes_after_the_end_hurt_nothing() -> None:
    """A stream that was written to a disk, or padded."""
    image = _open(_WHOLE + bytes(5000))
    assert image.stream is not None
    assert image.stream.complete
    assert image.entry is not None
    assert image.memory.read(image.source, PAGE, 3) == b"one"
    assert image.missing == ""


def test_a_stream_without_a_description() -> None:
    image = _open(HEAD + configuration() + b"".join(_SECTIONS) + b"\0")
    assert image.entry is not None
    assert image.entry.present
    assert image.missing == ""


def test_an_entry_that_is_not_present() -> None:
    image = _open(stream(_BLOCKS, ram(3, b""), clock(_MEMORY), entry(present=False)))
    assert image.entry is not None
    assert not image.entry.present


def test_an_entry_of_a_big_endian_host() -> None:
    state = struct.pack(">?", True) + struct.pack("<HHIQ", 0, 1, 4132, 0x1000)
    image = _open(stream(_BLOCKS, ram(3, b""), clock(_MEMORY), device(9, "vmcoreinfo", state)))
    assert image.entry is not None
    assert image.entry.entry == (0, 1, 4132, 0x1000)


def test_what_looks_like_the_end_of_a_device_is_none() -> None:
    """The state of a device has the bytes of its own footer: what follows is not a record."""
    state = b"a" * 7 + footer(5) + b"b" * 9 + footer(5) + b"\x04\0\0"
    image = _open(stream(_BLOCKS, ram(3, b""), clock(_MEMORY), device(5, "serial", state), entry()))
    assert image.entry is not None


def test_pages_that_look_like_the_devices() -> None:
    """A guest that has a stream in its memory: the last records lead to the end of the file, all others do not."""
    fake = footer(2) + entry(paddr=0xBAD) + end()
    image = _open(stream(_BLOCKS, ram(2, plain(0, fake, "pc.ram")), ram(3, b""), clock(_MEMORY), entry(paddr=0x1000)))
    assert image.entry is not None
    assert image.entry.entry.paddr == 0x1000
    assert image.memory.read(image.source, 0, len(fake)) == fake


@pytest.mark.parametrize(
    "head",
    [
        b"QEVM\0\0\0\3",
        b"QEVM\0\0\0\3\7\xff\xff\xff\xff",
        b"QEVM\0\0\0\3\7\0\0\0\2pc\5\x1econfiguration/target-page-bits\0\0\0\1\0\0\0\xff",
        b"QEVM\0\0\0\3\7\0\0\0\2pc\5\x1aconfiguration/capabilities\0\0\0\1\xff\xff\xff\xff",
        b"QEVM\0\0\0\3\7\0\0\0\2pc\5\5other\0\0\0\1",
    ],
)
def test_a_damaged_head(head: bytes) -> None:
    """It is one line, or a machine without memory."""
    try:
        image = _open(head)
    except OpenError as error:
        assert "migration stream" in error.message
    else:
        assert image.missing


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(struct.pack(">Q", 1 << 63 | 4) + named("pc.ram") + struct.pack(">Q", 1 << 63), id="length"),
        pytest.param(struct.pack(">Q", 1 << 40 | 4) + (named("x") + bytes(8)) * 9, id="no length"),
        pytest.param(struct.pack(">Q", 1 << 40 | 4) + (named("x") + struct.pack(">Q", PAGE)) * 9, id="twice"),
        pytest.param(
            struct.pack(">Q", 1 << 40 | 4) + b"".join(named(f"{n}") + struct.pack(">Q", PAGE) for n in range(9999)),
            id="blocks",
        ),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + plain(0, b"", "other"), id="name"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + plain(0, b""), id="no block"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + plain(_MEMORY, b"", "pc.ram"), id="outside"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + record(0, 0x100, b"\xff\xff\xff\xff", "pc.ram"), id="compressed"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + record(0, 0x40, b"\1\xff\xff", "pc.ram"), id="changes"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + record(0, 0x40, b"\2\0\0", "pc.ram"), id="encoding"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + record(0, 0x80, b"", "pc.ram"), id="hook"),
        pytest.param(sizes([("pc.ram", _MEMORY)]) + record(0, 0x4A, b"", "pc.ram"), id="flags"),
        pytest.param(sizes([("\x1b]0;x\x07", _MEMORY)]), id="control bytes"),
    ],
)
def test_damaged_records_of_ram(records: bytes) -> None:
    image = _open(HEAD + configuration() + ram(1, records) + clock(_MEMORY) + entry() + end())
    assert image.missing
    assert image.missing.isprintable()
    _read_all(image)


@pytest.mark.parametrize(
    ("bitmap", "pages"), [(0, 4096), (1 << 62, 1 << 63), (8192, 4096), ((1 << 64) - 1, (1 << 64) - 1), (200, 1 << 40)]
)
def test_mapped_pages_at_impossible_offsets(bitmap: int, pages: int) -> None:
    where = struct.pack(">IQQQ", 1, PAGE, bitmap, pages)
    blocks = struct.pack(">Q", _MEMORY | 4) + named("pc.ram") + struct.pack(">Q", _MEMORY) + where
    image = _open(HEAD + configuration("pc-q35-9.0", "mapped-ram") + ram(1, blocks) + entry() + end())
    assert image.missing
    _read_all(image)


def test_memory_is_bounded_by_the_file() -> None:
    """Pages at the end of a block of 4 PiB: the index would have 8 TiB."""
    blocks = ram(1, sizes([("pc.ram", 1 << 52)]))
    tracemalloc.start()
    image = _open(HEAD + configuration() + blocks + ram(2, plain((1 << 52) - PAGE, b"", "pc.ram")) + entry())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "further apart" in image.missing
    assert peak < 32 << 20


def test_repeats_of_one_page_take_no_memory() -> None:
    repeats = filled(0, 1, "pc.ram") + filled(0, 2) * 50_000
    data = HEAD + configuration() + _BLOCKS + ram(2, repeats) + ram(3, b"") + clock(_MEMORY) + entry()
    tracemalloc.start()
    image = _open(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.source.read(0, 1) == b"\2"
    assert peak < 3 << 20


def test_a_long_chain_of_changes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_bytes, "_DEPTH", 50)
    many = b"".join([plain(0, b"a", "pc.ram"), changed(0, bytes([1, 1]) + b"b") * 60])
    image = _open(stream(_BLOCKS, ram(2, many), ram(3, b""), clock(_MEMORY), entry()))
    assert image.source.read(0, PAGE) == b""


def _mutated(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.choice((dice.randrange(len(out)), dice.randrange(min(len(out), 400)), -dice.randint(1, 900)))
        match dice.randrange(4):
            case 0:
                out[at] = dice.randrange(256)
            case 1:
                out[at : at + 8] = dice.choice((b"\xff" * 8, bytes(8), dice.randbytes(8)))
            case 2:
                del out[at : at + dice.randint(1, 40)]
            case _:
                out[at:at] = out[at : at + dice.randint(1, 5000)]
    return bytes(out)


def _hurt(count: int, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(count):
        try:
            image = _open(_mutated(_WHOLE, dice))
            _read_all(image)
        except OpenError as error:
            assert str(error).isprintable(), number


def test_mutated_streams() -> None:
    _hurt(300, seed=2026)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(50))
def test_many_mutated_streams(seed: int) -> None:
    _hurt(1000, seed)


def test_a_read_of_the_whole_stream_is_shown_and_can_be_stopped() -> None:
    calls: list[tuple[str, int, int]] = []
    choice = ImageChoice(progress=lambda *call: calls.append(call))
    open_stream(BytesSource(_WHOLE), choice)
    assert calls == []
    open_stream(BytesSource(_WHOLE + bytes(9)), choice)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)
    assert calls[-1][1] == calls[-1][2] == len(_WHOLE) + 9

    def stop(*_: object) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        open_stream(BytesSource(_WHOLE + bytes(9)), ImageChoice(progress=stop))
