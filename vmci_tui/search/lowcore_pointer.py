"""Read where an s390x guest itself says that its note is: its lowest page points at it.

The offsets are those of Linux (`struct lowcore` in arch/s390/include/asm/lowcore.h,
`struct os_info` in os_info.h). They are fixed, because dump tools rely on them.
"""

from __future__ import annotations

import struct
from typing import Final

from vmci_tui.containers.guest import Guest

_VMCORE_INFO: Final = 0x0E0C
_OS_INFO: Final = 0x0E18
_OS_INFO_MAGIC: Final = b"OSINFOSZ"
_FIRST_ENTRY: Final = 32
"""Offset in os_info after magic, checksum, two versions, crashkernel address and size; entry 0 is the vmcoreinfo."""


def pointers(guest: Guest) -> tuple[int, ...]:
    """Return the addresses that the guest names, without checking what is there; () for other machines."""
    if guest.machine not in ("s390x", None):
        return ()
    named = [_word(guest, _VMCORE_INFO)]
    os_info = _word(guest, _OS_INFO)
    if os_info and guest.read(os_info, len(_OS_INFO_MAGIC)) == _OS_INFO_MAGIC:
        named.append(_word(guest, os_info + _FIRST_ENTRY))
    return tuple(dict.fromkeys(paddr for paddr in named if paddr))


def _word(guest: Guest, paddr: int) -> int:
    data = guest.read(paddr, 8)
    return struct.unpack(">Q", data)[0] if data else 0
