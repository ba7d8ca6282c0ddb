"""Test the snapshots of qcow2 disk images: which one, and where its bytes are."""

from __future__ import annotations

import struct
from functools import cache

import pytest

from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.common.errors import OpenError
from vmci_tui.images.wrapped.qcow2 import choose_snapshot, read_qcow2, state_source
from vmci_tui.layers.file import BytesSource

_CLUSTER = 1 << 9
_TABLE = _CLUSTER // 8
"""Entries of an L2 table."""


@cache
def _real() -> bytes:
    return zstd.decompress((DATA / "wrapped" / "pc-savevm-7.2.qcow2.zst").read_bytes())


def _disk(*snapshots: tuple[str, int], l2: list[int] | None = None, **changed: int) -> bytes:
    """Return a disk image with clusters of 512 bytes; each snapshot has a name and a state of so many bytes.

    All have the tables at cluster 4 (L1) and 5 (L2); without `l2` the state is at cluster 8 and what follows.
    """
    values = {"version": 3, "bits": 9, "crypt": 0, "count": len(snapshots), "features": 0, "l1_size": 4} | changed
    head = struct.pack(
        ">4sIQIIQIIQQIIQQ", b"QFI\xfb", values["version"], 0, 0, values["bits"], _TABLE * _CLUSTER, values["crypt"],
        1, 3 * _CLUSTER, 0, 0, values["count"], _CLUSTER, values["features"],
    )  # fmt: skip
    table = b""
    for number, (name, state) in enumerate(snapshots):
        extra = struct.pack(">QQ", state, _TABLE * _CLUSTER)
        named = str(number).encode() + name.encode()
        table += struct.pack(">QIHHIIQII", 4 * _CLUSTER, values["l1_size"], 1, len(name), 0, 0, 0, 0, len(extra))
        table += extra + named
        table += bytes(-len(table) % 8)
    l1 = struct.pack(">QQQQ", 0, 5 * _CLUSTER | 1 << 63, 0, 0)
    entries = l2 if l2 is not None else [(8 + n) * _CLUSTER | 1 << 63 for n in range(_TABLE)]
    parts = [head, table, b"", b"", l1, struct.pack(f">{len(entries)}Q", *entries)]
    clusters = b"".join(bytes([65 + n % 26]) * _CLUSTER for n in range(_TABLE + 2))
    return b"".join(part.ljust(_CLUSTER, b"\0") for part in parts).ljust(8 * _CLUSTER, b"\0") + clusters


def _state(data: bytes, name: str | None = None) -> bytes:
    disk = read_qcow2(BytesSource(data))
    source = state_source(disk, choose_snapshot(disk, name))
    return source.read(0, source.size)


def test_the_state_is_read_through_the_tables() -> None:
    clusters = [(8 + n) * _CLUSTER for n in (3, 1, 2)] + [0, 10 * _CLUSTER | 1]
    state = _state(_disk(("one", 5 * _CLUSTER - 7), l2=[*clusters, *[0] * (_TABLE - 5)]))
    assert state == b"D" * 512 + b"B" * 512 + b"C" * 512 + bytes(1024 - 7)


def test_holes_are_not_data() -> None:
    disk = read_qcow2(BytesSource(_disk(("one", 2048), l2=[8 << 9, 0, 9 << 9, 10 << 9, *[0] * (_TABLE - 4)])))
    source = state_source(disk, choose_snapshot(disk, None))
    assert list(source.data_ranges(0, 1 << 40)) == [(0, 512), (1024, 2048)]
    assert (source.read(-1, 5), source.read(2048, 5), source.read(510, 4)) == (b"", b"", b"AA\0\0")
    assert (source.file_offset(1030), source.file_offset(600)) == ((9 << 9) + 6, None)


def test_of_several_snapshots_the_named_one_counts() -> None:
    data = _disk(("first", 512), ("second", 1024), ("disk only", 0))
    assert (len(_state(data, "first")), len(_state(data, "second"))) == (512, 1024)
    with pytest.raises(OpenError, match="2 snapshots") as caught:
        _state(data)
    assert "--snapshot NAME" in caught.value.hint and "first, second" in caught.value.hint
    for name in ("third", "disk only"):
        with pytest.raises(OpenError, match=f"no snapshot named {name}"):
            _state(data, name)
    with pytest.raises(OpenError, match="several snapshots named a"):
        _state(_disk(("a", 1), ("a", 2)), "a")


def test_a_name_with_control_characters_is_shown_in_ascii() -> None:
    with pytest.raises(OpenError) as caught:
        _state(_disk(("a\x1b[31m", 1), ("b", 2)))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_disk(), "without a snapshot of a running VM"),
        (_disk(("a", 512), version=4), "header that is not known"),
        (_disk(("a", 512), bits=60), "header that is not known"),
        (_disk(("a", 512), crypt=2), "encrypted"),
        (_disk(("a", 512), features=1 << 2), "another file"),
        (_disk(("a", 512), count=1 << 31), "snapshots"),
        (_disk(("a", 512), count=4000), "cut off"),
        (_disk(("a", 512), l1_size=1 << 31), "longer than QEMU allows"),
        (_disk(("a", 512), l2=[1 << 62 | 8 << 9, *[0] * (_TABLE - 1)]), "compressed clusters"),
        (_disk(("a", 1 << 62), l2=[8 << 9, 20 << 9] * (_TABLE // 2))[: 20 * _CLUSTER], "more clusters than"),
    ],
)
def test_what_is_not_read_is_one_line(data: bytes, words: str) -> None:
    with pytest.raises(OpenError, match=words) as caught:
        _state(data)
    assert caught.value.hint and str(caught.value).isprintable()


def test_clusters_of_32_parts_are_read() -> None:
    """Of a cluster with a bitmap only the parts count that it names."""
    entries = [8 << 9, 0xFFFF_FFFF, 9 << 9, 0b11, *[0] * (_TABLE - 4)]
    data = bytearray(_disk(("a", 0), l2=entries, features=1 << 4))
    assert not read_qcow2(BytesSource(bytes(data))).snapshots
    disk = read_qcow2(BytesSource(_disk(("a", 1024), l2=entries, features=1 << 4)))
    one = choose_snapshot(disk, None)._replace(disk=_TABLE * _CLUSTER // 2)
    assert state_source(disk, one).read(0, 1024) == b"A" * 512 + b"B" * 32 + bytes(480)


def test_the_state_of_a_real_disk_is_a_stream_to_its_last_byte() -> None:
    state = _state(_real())
    assert state.startswith(b"QEVM\0\0\0\3") and state.endswith(b"}]}]}") and len(state) == 858_287
