"""Write memory images from ranges of memory, by what their formats say, without any code of `vmci_tui`."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

Range = tuple[int, bytes]
"""The first address, and the bytes."""


def lime_head(first: int, last: int, magic: bytes = b"EMiL", version: int = 1) -> bytes:
    """Return the head of a range; `last` is the address of its last byte."""
    return struct.pack("<4sIQQ8x", magic, version, first, last)


def lime(ranges: Iterable[Range]) -> bytes:
    """Return a LiME image."""
    return b"".join(lime_head(paddr, paddr + len(data) - 1) + data for paddr, data in ranges)


def utsname(machine: bytes = b"x86_64", release: bytes = b"6.1.0-test") -> bytes:
    """Return the utsname of a kernel that runs on a machine."""
    fields = (b"Linux", b"guest", release, b"#1 SMP test", machine, b"(none)")
    return b"".join(field.ljust(65, b"\0") for field in fields)


def avml(ranges: Iterable[Range], chunk: int = 0x10000) -> bytes:
    """Return an AVML image; its chunks have `chunk` bytes of memory each, every third one as it is."""
    out = b""
    for paddr, data in ranges:
        stream = b"\xff\x06\0\0sNaPpY\xfe\3\0\0pad"
        for number, at in enumerate(range(0, len(data), chunk)):
            part = data[at : at + chunk]
            stream += snappy_chunk(part, plain=number % 3 == 2)
        out += lime_head(paddr, paddr + len(data) - 1, b"AVML", 2) + stream + struct.pack("<Q", len(stream))
    return out


def snappy_chunk(part: bytes, plain: bool = False, claimed: int | None = None) -> bytes:
    """Return a chunk of the framing format; what is compressed is one literal, which may claim another length."""
    body = part if plain else _varint(len(part) if claimed is None else claimed) + _literal(part)
    checksum = _crc32c(part)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", int(plain) | (len(body) + 4) << 8) + struct.pack("<I", masked) + body


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _literal(part: bytes) -> bytes:
    return struct.pack("<BH", 61 << 2, len(part) - 1) + part


def _table() -> Iterator[int]:
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


_CRC: Final = tuple(_table())


def _crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
