"""Where an s390x guest itself says that its note lies: its lowest page points there.

The offsets are those of Linux (`struct lowcore` in arch/s390/include/asm/lowcore.h,
`struct os_info` in os_info.h) and fixed, as dump tools go by them.
"""

from __future__ import annotations

import struct
from typing import Final

from vmci_tui.containers.guest import Guest

_VMCORE_INFO: Final = 0x0E0C
_OS_INFO: Final = 0x0E18
_OS_INFO_MAGIC: Final = b"OSINFOSZ"
_FIRST_ENTRY: Final = 32
"""In os_info: magic, checksum, two versions, crashkernel's address and size; entry 0 is the vmcoreinfo."""


def pointers(guest: Guest) -> tuple[int, ...]:
    """The addresses that the guest names, not looked at; () for other machines."""
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
