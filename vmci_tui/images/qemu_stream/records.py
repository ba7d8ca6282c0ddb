"""The records of a QEMU migration stream, all big-endian: QEMU 7.2 and 10.0, migration/savevm.c and migration/ram.c."""

from __future__ import annotations

import struct
from typing import Final

MAGIC: Final = b"QEVM\0\0\0\3"
"""The first bytes of a stream: the signature, and version 3. No other version is in use."""

END: Final = 0
START: Final = 1
"""The first section of a state that is sent in parts, as RAM is."""
PART: Final = 2
LAST: Final = 3
FULL: Final = 4
"""The one section of a device."""
SUBSECTION: Final = 5
DESCRIPTION: Final = 6
"""The JSON text that describes the fields of all device sections; after END."""
CONFIGURATION: Final = 7
COMMAND: Final = 8
FOOTER: Final = 0x7E

WORD: Final = struct.Struct(">Q")
"""What a RAM record begins with: an address in the block, with flags in the bits below the page size."""
FILL: Final = 0x02
"""A page of one byte's value, which follows: nearly always 0."""
SIZES: Final = 0x04
"""The address is the total of all blocks' lengths; their names and lengths follow."""
PAGE: Final = 0x08
SECTION_END: Final = 0x10
SAME_BLOCK: Final = 0x20
"""The page is of the same block as the page before; otherwise the block's name follows."""
XBZRLE: Final = 0x40
HOOK: Final = 0x80
"""Written for RDMA only."""
COMPRESSED: Final = 0x100
FLUSH: Final = 0x200
"""Written by multifd; without data."""
FLAGS: Final = 0x3FF

PAGE_SIZE: Final = 4096
"""Bytes of a page unless the configuration says otherwise."""
SHARED: Final = "x-ignore-shared"
MAPPED: Final = "mapped-ram"
"""Capabilities that change what is in the list of blocks."""
