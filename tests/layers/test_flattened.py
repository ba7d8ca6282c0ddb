"""Test the records of a flattened file: translated offsets, order, overlaps and faults."""

from __future__ import annotations

import random
import struct

import pytest

from tests.dumps import kdump_factory as factory
from vmci_tui.common.errors import OpenError
from vmci_tui.layers import flattened
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.flattened import FlattenedSource, open_flattened


def _open(data: bytes) -> FlattenedSource:
    return open_flattened(BytesSource(data))


def _bytes(flat: FlattenedSource) -> bytes:
    return flat.read(0, flat.size)


def test_any_order_of_the_records_is_the_same_plain_file() -> None:
    plain, rng = random.Random(1).randbytes(50_000), random.Random(2)
    cuts = sorted(rng.sample(range(1, 50_000), 40))
    for _ in range(5):
        order = rng.sample(range(41), 41)
        file = factory.flattened(plain, cuts, order)
        flat = _open(file)
        assert (flat.size, _bytes(flat), flat.faults, len(flat)) == (50_000, plain, (), 41)
        assert flat.end_mark == len(file) - 16
        for _ in range(50):
            at, length = rng.randrange(50_000), rng.randrange(3000)
            assert flat.read(at, length) == plain[at : at + length]
            place = flat.file_offset(at)
            assert place is not None and file[place] == plain[at]
            pieces = list(flat.pieces(at, length))
            assert b"".join(file[p.place : p.place + p.length] for p in pieces) == plain[at : at + length]


def test_bytes_without_a_record_are_zeros_and_a_hole() -> None:
    flat = _open(factory.of_records([(10, b"abc"), (100, b"xyz"), (13, b"def")]))
    assert _bytes(flat) == bytes(10) + b"abcdef" + bytes(84) + b"xyz"
    assert list(flat.data_ranges(0, 200)) == [(10, 16), (100, 103)]
    assert list(flat.data_ranges(12, 101)) == [(12, 16), (100, 101)]
    assert (flat.file_offset(0), flat.file_offset(16), flat.file_offset(103)) == (None, None, None)
    assert (flat.read(103, 5), flat.read(-1, 5), flat.read(5, -1), flat.read(101, 50)) == (b"", b"", b"", b"yz")


def test_the_later_of_two_records_for_one_offset_counts() -> None:
    rng = random.Random(3)
    for _ in range(200):
        records = [(rng.randrange(60), rng.randbytes(rng.randrange(30))) for _ in range(rng.randrange(1, 12))]
        out = bytearray(100)
        for offset, data in records:
            out[offset : offset + len(data)] = data
        size = max((offset + len(data) for offset, data in records if data), default=0)
        flat = _open(factory.of_records(records))
        assert (flat.size, _bytes(flat)) == (size, bytes(out[:size]))
        starts = [piece.offset for piece in flat.pieces(0, 100)]
        assert starts == sorted(set(starts))


def test_overlaps_are_reported() -> None:
    assert "write to offset 0x8" in _open(factory.of_records([(0, bytes(10)), (8, bytes(10))])).overlap
    beside = _open(factory.of_records([(0, bytes(8)), (8, bytes(10))]))
    assert (beside.overlap, beside.faults) == ("", ())


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (None, "no end mark"),
        (b"\0" * 7, "no end mark"),
        (struct.pack(">qq", -1, 5), "says 5 bytes for offset -1"),
        (struct.pack(">qq", 5, -1), "says -1 bytes for offset 5"),
        (struct.pack(">qq", (1 << 63) - 1, 1), "bytes for offset"),
        (struct.pack(">qq", 300, 10) + b"abc", "cut off in its record 1: 7 bytes"),
    ],
)
def test_a_broken_file_opens_up_to_the_fault(end: bytes | None, words: str) -> None:
    flat = _open(factory.of_records([(0, b"x" * 300)], end))
    assert flat.end_mark is None and len(flat.faults) == 1 and words in flat.faults[0]
    assert flat.read(0, 300) == b"x" * 300
    assert flat.size == (303 if words.startswith("cut") else 300)


def test_an_odd_header_is_reported() -> None:
    assert "type 2, version 9" in _open(factory.of_records([(0, b"x")], kind=2, version=9)).faults[0]
    assert "cut off" in _open(b"makedumpfile\0").faults[0]
    assert _open(b"makedumpfile\0").size == 0


def test_records_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flattened, "RECORD_LIMIT", 10)
    monkeypatch.setattr(flattened, "OVERLAP_LIMIT", 5)
    assert len(_open(factory.of_records([(at, b"x") for at in range(10)]))) == 10
    assert _open(factory.of_records([(0, b"")] * 50)).size == 0
    with pytest.raises(OpenError, match="more than 10 records"):
        _open(factory.of_records([(at, b"x") for at in range(11)]))
    with pytest.raises(OpenError, match="overlap"):
        _open(factory.of_records([(0, b"x")] * 6))


def test_two_readings_of_one_file_are_equal() -> None:
    data = factory.of_records([(0, b"x" * 9)])
    assert _open(data) == _open(data)
    assert _open(data) != _open(factory.of_records([(1, b"x" * 9)]))
    assert _open(data) != _open(data[:-16])
