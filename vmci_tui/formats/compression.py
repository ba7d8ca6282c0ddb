"""Decompress one page of a kdump file, never to more than its size, whatever its bytes claim.

zlib comes with Python, and from 3.14 zstd too. The others are packages that not every platform has:
see docs/platforms.md.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from vmci_tui.common.errors import PackageMissing
from vmci_tui.formats.kdump_records import BLOCK_SIZES, LZO, SNAPPY, ZLIB, ZSTD

Decompress = Callable[[bytes, int], bytes | None]
"""Takes compressed bytes and a length, returns that many decompressed bytes; None if they are damaged."""

_NAMES: Final = {ZLIB: "zlib", LZO: "lzo", SNAPPY: "snappy", ZSTD: "zstd"}
_PACKAGES: Final = {LZO: "lzallright", SNAPPY: "cramjam", ZSTD: "backports.zstd"}
COMPRESSIONS: Final = ZLIB | LZO | SNAPPY | ZSTD
"""The flags of a page descriptor that say how the page is compressed; none is set if it is not."""


def name_of(flag: int) -> str:
    """Return the compression's name, for messages."""
    return _NAMES.get(flag, f"flags {flag:#x}")


def decompressor(flag: int) -> Decompress | None:
    """Return the function that decompresses pages with this flag; None for an unknown flag, or for two at once.

    Raises PackageMissing if its package is not installed.
    """
    if flag == ZLIB:
        return _zlib
    if flag not in _PACKAGES:
        return None
    own = flag == ZSTD and sys.version_info >= (3, 14)
    package = "compression.zstd" if own else _PACKAGES[flag]
    try:
        module: Any = import_module(package)
    except ImportError:
        raise PackageMissing(
            f"the pages of this dump are compressed by {_NAMES[flag]}, for which Python's {package} is missing",
            "use a Python that was built with it" if own else f"pip install {package}",
        ) from None
    return {LZO: _lzo, SNAPPY: _snappy, ZSTD: _zstd}[flag](module)


def _zlib(data: bytes, limit: int) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(data, limit)
    except zlib.error:
        return None


def _zstd(module: Any) -> Decompress:
    def decompress(data: bytes, limit: int) -> bytes | None:
        try:
            out: bytes = module.ZstdDecompressor().decompress(data, max_length=limit)
        except module.ZstdError:
            return None
        return out

    return decompress


def _lzo(module: Any) -> Decompress:
    def decompress(data: bytes, limit: int) -> bytes | None:
        try:
            # LZO takes no bound, but a byte of it makes 255 bytes at most, and a page has at most 64 KiB.
            out: bytes = module.LZOCompressor.decompress(data, limit)
        except module.LZOError:
            return None
        return out[:limit]

    return decompress


def _snappy(module: Any) -> Decompress:
    def decompress(data: bytes, limit: int) -> bytes | None:
        try:
            size = module.snappy.decompress_raw_len(data)
            if size > max(limit, BLOCK_SIZES[-1]):
                return None
            out = bytearray(size)
            module.snappy.decompress_raw_into(data, out)
        except module.DecompressionError:
            return None
        return bytes(out[:limit])

    return decompress


class PageDecoder:
    """Decodes pages of one size."""

    def __init__(self, block_size: int) -> None:
        self._block_size = block_size
        self._known: dict[int, Decompress | None] = {}

    def first_bytes(self, data: bytes, flags: int, length: int) -> bytes | None:
        """Return the first `length` bytes of the page that is stored as `data`; None if it is damaged.

        Raises OpenError if the package for the compression is missing.
        """
        flag = flags & COMPRESSIONS
        if not flag:
            return data[:length] if len(data) == self._block_size else None
        if flag not in self._known:
            self._known[flag] = decompressor(flag)
        decompress = self._known[flag]
        return None if decompress is None else decompress(data, length)
