"""The decoders of gzip, bzip2, xz and zstd, all used in one way.

zstd comes with Python from 3.14 on; before, a package has it (docs/platforms.md). Python may be built without bz2 or
lzma.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol

from vmci_tui.common.errors import PackageMissing

_XZ_MEMORY: Final = 256 << 20
"""The most bytes that an xz decoder may take; `xz -9` needs 65 MiB."""
_GZIP_WINDOW: Final = 31
"""The largest window, and the head of gzip before the data (zlib.h, inflateInit2)."""


class Decoder(Protocol):
    """Decompresses one member of a compressed file."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""
        ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes:
        """What was given after the end of the member."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more input, and return at most `max_length` bytes."""
        ...


class Packing(NamedTuple):
    """A quick compression of what is kept in memory."""

    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


class Compression(NamedTuple):
    """One way of compressing a whole file."""

    name: str
    """The program that does it."""
    magic: bytes
    """The first bytes of each member."""
    start: Callable[[], Decoder]
    """Returns a decoder at the start of a member. Raises PackageMissing."""
    packing: Callable[[], Packing] | None = None
    """How to keep in memory what was decompressed; None if its decoders can be copied, which is better."""


class Gzip:
    """A decoder of gzip, which can be copied."""

    def __init__(self) -> None:
        self._zlib: Any = zlib.decompressobj(_GZIP_WINDOW)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._zlib.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._zlib.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out: bytes = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = len(out) < max_length
        return out

    def copy(self) -> Gzip:
        """Return a decoder at the same place: 40 KB of memory."""
        other = Gzip.__new__(Gzip)
        other._zlib, other.needs_input = self._zlib.copy(), self.needs_input
        return other


def _of_module(package: str, program: str) -> Any:
    try:
        return import_module(package)
    except ImportError:
        raise PackageMissing(
            f"this image is compressed by {program}, for which Python's {package} is missing",
            f"pip install {package}" if "." in package and sys.version_info < (3, 14) else "use a Python that has it",
        ) from None


def _bzip2() -> Decoder:
    decoder: Decoder = _of_module("bz2", "bzip2").BZ2Decompressor()
    return decoder


def _xz() -> Decoder:
    lzma = _of_module("lzma", "xz")
    decoder: Decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    return decoder


def _zstd_module() -> Any:
    return _of_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd", "zstd")


def _zstd() -> Decoder:
    decoder: Decoder = _zstd_module().ZstdDecompressor()
    return decoder


def _packing_by_zlib() -> Packing:
    return Packing(lambda data: zlib.compress(data, 1), zlib.decompress)


def _packing_by_zstd() -> Packing:
    module = _zstd_module()
    return Packing(lambda data: bytes(module.compress(data, 1)), lambda data: bytes(module.decompress(data)))


GZIP: Final = Compression("gzip", b"\x1f\x8b", Gzip)
BZIP2: Final = Compression("bzip2", b"BZh", _bzip2, _packing_by_zlib)
XZ: Final = Compression("xz", b"\xfd7zXZ\0", _xz, _packing_by_zlib)
ZSTD: Final = Compression("zstd", b"\x28\xb5\x2f\xfd", _zstd, _packing_by_zstd)
COMPRESSIONS: Final = (GZIP, BZIP2, XZ, ZSTD)
