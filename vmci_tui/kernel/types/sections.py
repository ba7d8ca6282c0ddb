"""The two sections of BTF, the types and the texts of their names, by the header before them.

Source: struct btf_header in include/uapi/linux/btf.h of Linux 6.12.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from vmci_tui.common.errors import VmciError
from vmci_tui.formats.elf_note import ByteOrder

MAGIC: Final = 0xEB9F
SIZE_LIMIT: Final = 32 << 20
"""Bytes. Kernels of distributions have 3 to 10 MiB."""
_HEADER: Final = "HBBIIIII"
HEADER_LENGTH: Final = 24
"""Bytes of the header that Linux writes."""


class BtfError(VmciError):
    """The bytes are not BTF, or not as a kernel has it."""


class Sections(NamedTuple):
    """Where the types and the texts of their names are, by bytes from the header on: the first, and how many."""

    types: tuple[int, int]
    texts: tuple[int, int]


def sections_of(head: bytes | memoryview, order: ByteOrder, size: int) -> Sections:
    """Return the sections by the header of BTF, of which there are `size` bytes. Raises BtfError."""
    prefix = "<" if order == "little" else ">"
    if len(head) < HEADER_LENGTH:
        raise BtfError("the BTF is shorter than its header")
    magic, version, _, header, type_off, type_len, str_off, str_len = struct.unpack_from(prefix + _HEADER, head)
    if magic != MAGIC or version != 1:
        raise BtfError("no BTF of version 1 is there")
    if header < HEADER_LENGTH or max(type_off + type_len, str_off + str_len) > size - header:
        raise BtfError("the sections of the BTF are outside it")
    if max(type_len, str_len) > SIZE_LIMIT:
        raise BtfError("the BTF is larger than a kernel's")
    return Sections((header + type_off, type_len), (header + str_off, str_len))
