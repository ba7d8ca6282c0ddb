"""The saves that libvirt and QEMU wrote, and saves of the same stream in each compression."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from functools import cache
from struct import pack_into
from typing import Final

from tests.paths import DATA
from tests.zstd import zstd

AT: Final = 68060
"""The offset of the stream in the save lv-zstd.save."""
FORMAT: Final = 28
"""The offset of the number of the compression in the head."""
Format = tuple[int, Callable[[bytes], bytes]]
"""The number of a compression in the head, and what compresses by it."""
PLAIN: Format = (0, bytes)
COMPRESSED: dict[str, Format] = {
    "gzip": (1, lambda data: gzip.compress(data, 1)),
    "bzip2": (2, lambda data: bz2.compress(data, 1)),
    "xz": (3, lambda data: lzma.compress(data, preset=0)),
    "zstd": (5, zstd.compress),
}


@cache
def data_of(name: str) -> bytes:
    """Return a file of tests/data/wrapped."""
    return zstd.decompress((DATA / "wrapped" / f"{name}.zst").read_bytes())


@cache
def stream() -> bytes:
    """Return the stream in lv-zstd.save."""
    return zstd.decompress(data_of("lv-zstd.save")[AT:])


def save(compressed: Format, inside: bytes = b"") -> bytes:
    """Return a save of `inside`, else of the whole stream."""
    head = bytearray(data_of("lv-zstd.save")[:AT])
    pack_into("<I", head, FORMAT, compressed[0])
    return bytes(head) + compressed[1](inside or stream())
