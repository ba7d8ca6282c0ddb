"""Write memory images from ranges of memory, by what their formats say, without any code of `vmci_tui`."""

from __future__ import annotations

import struct
from collections.abc import Iterable

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
