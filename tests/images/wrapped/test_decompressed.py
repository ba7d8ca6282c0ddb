"""Test that compressed files are read at any offset, whole or cut, in bounded memory."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import random
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.zstd import zstd
from vmci_tui.common.errors import OpenError
from vmci_tui.images.wrapped import decompressed, packed_chunks
from vmci_tui.images.wrapped.decoders import COMPRESSIONS, Compression
from vmci_tui.images.wrapped.decompressed import DecompressedSource, open_decompressed
from vmci_tui.layers.file import BytesSource

_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1),
    "bzip2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
_HEAD = b"head"
_all = pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda one: one.name)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompressed, "CHUNK", 1 << 12)
    monkeypatch.setattr(decompressed, "_KEPT", 3)
    monkeypatch.setattr(decompressed, "_PLACES", 5)
    monkeypatch.setattr(decompressed, "_INPUT", 700)


def _plain(length: int) -> bytes:
    words = random.Random(length).choices(
        [b"page", b"table", b"\0\0\0\0\0\0\0\0", b"kernel", b"\xff\x01"], k=length // 4
    )
    return b"".join(words)[:length]


def _opened(compression: Compression, *members: bytes, after: bytes = b"") -> DecompressedSource:
    data = _HEAD + b"".join(_COMPRESS[compression.name](member) for member in members) + after
    return open_decompressed(BytesSource(data), len(_HEAD), compression)


@_all
def test_any_part_can_be_read(compression: Compression) -> None:
    plain = _plain(200_000)
    source = _opened(compression, plain)
    assert (source.size, source.fault) == (len(plain), "")
    chance = random.Random(17)
    for _ in range(40):
        offset, length = chance.randrange(len(plain)), chance.choice([0, 1, 100, 5000, 20_000])
        assert source.read(offset, length) == plain[offset : offset + length]
    assert source.read(len(plain), 9) == source.read(-1, 9) == b""
    assert list(source.data_ranges(5, 1 << 40)) == [(5, len(plain))]


@_all
def test_members_follow_each_other_and_what_is_after_them_does_not_count(compression: Compression) -> None:
    parts = _plain(30_000), b"x", _plain(4096)
    source = _opened(compression, *parts, after=bytes(64))
    assert source.read(0, 1 << 20) == b"".join(parts) and not source.fault


@_all
@pytest.mark.parametrize("missing", [1, 20, 2000])
def test_a_cut_file_has_what_comes_before_and_says_so(compression: Compression, missing: int) -> None:
    plain = _plain(200_000)
    whole = _COMPRESS[compression.name](plain)
    source = open_decompressed(BytesSource(whole[: len(whole) - missing]), 0, compression)
    assert "cut off" in source.fault
    assert source.read(0, 1 << 20) == plain[: source.size]


@_all
def test_damaged_bytes_end_it_and_are_said(compression: Compression) -> None:
    plain = _plain(200_000)
    chance = random.Random(17)
    for _ in range(10):
        damaged = bytearray(_COMPRESS[compression.name](plain))
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        source = open_decompressed(BytesSource(bytes(damaged)), 0, compression)
        read = source.read(0, 1 << 20)
        assert len(read) == source.size and (read == plain or source.fault)


class _Counted(BytesSource):
    """Counts the bytes that are read."""

    taken = 0

    def read(self, offset: int, length: int) -> bytes:
        data = super().read(offset, length)
        self.taken += len(data)
        return data


@_all
def test_the_middle_is_read_again_without_the_start(compression: Compression) -> None:
    plain = random.Random(1).randbytes(400_000)
    file = _Counted(_COMPRESS[compression.name](plain))
    source = open_decompressed(file, 0, compression)
    assert source.read(0, 1 << 20) == plain  # as when the pages are listed
    before = file.taken
    assert source.read(200_000, 10) == plain[200_000:200_010]
    assert file.taken - before < len(plain) // 3


@_all
def test_what_finds_no_room_in_memory_is_kept_in_a_nameless_file(
    compression: Compression, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packed_chunks, "ROOM", 50_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plain = random.Random(1).randbytes(400_000)
    file = _Counted(_COMPRESS[compression.name](plain))
    source = open_decompressed(file, 0, compression)
    assert source.read(0, 1 << 20) == plain
    before = file.taken
    for at in (0, 390_000, 200_000, 20_000, 300_000):
        assert source.read(at, 5000) == plain[at : at + 5000]
    assert compression.name == "gzip" or file.taken - before < len(plain) // 3
    assert not list(tmp_path.iterdir())


@_all
@pytest.mark.parametrize("fault", ["no file", "no room", "full", "unreadable"])
def test_what_finds_no_room_at_all_is_decompressed_again(
    compression: Compression, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(packed_chunks, "ROOM", 50_000)
    target, name, value = {
        "no file": (tempfile, "TemporaryFile", fail),
        "no room": (os, "fstatvfs", lambda _: SimpleNamespace(f_bavail=0, f_frsize=4096)),
        "full": (os, "pwrite", fail),
        "unreadable": (os, "pread", lambda *_: b""),
    }[fault]
    monkeypatch.setattr(target, name, value)
    plain = random.Random(1).randbytes(150_000)
    source = open_decompressed(BytesSource(_COMPRESS[compression.name](plain)), 0, compression)
    for at in (0, 140_000, 70_000, 10_000):
        assert source.read(at, 5000) == plain[at : at + 5000]


@_all
def test_a_bomb_is_refused(compression: Compression, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompressed, "_FREE", 1 << 16)
    monkeypatch.setattr(decompressed, "_MOST_TIMES", 10)
    with pytest.raises(OpenError, match="decompress to more"):
        _opened(compression, bytes(1 << 20))


@_all
def test_several_threads_read_at_the_same_time(compression: Compression) -> None:
    plain = _plain(200_000)
    source = _opened(compression, plain)

    def reads(seed: int) -> bool:
        chance = random.Random(seed)
        places = [(chance.randrange(len(plain)), chance.choice([100, 5000])) for _ in range(60)]
        return all(source.read(at, length) == plain[at : at + length] for at, length in places)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(reads, range(8)))
