"""The program headers as makedumpfile 1.7.2 reads them, by columns: a dump with paging has 65,000.

They are little-endian, whatever the file says, and lie right behind the ELF header.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import Final

from vmci_tui.formats.elf_records import PT_LOAD

NO_PADDR: Final = (1 << 64) - 1
_KERNEL_IMAGE: Final = 0xFFFFFFFF80000000
_OTHER: Final = 255


class HeaderTable:
    """Whole program headers of one width."""

    def __init__(self, bits: int, table: bytes) -> None:
        self.bits = bits
        self._stride = 56 if bits == 64 else 32
        self.count = len(table) // self._stride
        self._table = table[: self.count * self._stride]

    @cached_property
    def kinds(self) -> bytes:
        """p_type of each; 255 for all that are larger."""
        low, *high = (self._table[at :: self._stride] for at in range(4))
        if not any(column.strip(b"\0") for column in high):
            return low
        return bytes(_OTHER if any(rest) else kind for kind, *rest in zip(low, *high, strict=True))

    def last(self, kind: int) -> int | None:
        """The number of the last header of this type."""
        at = self.kinds.rfind(kind)
        return None if at < 0 else at

    @cached_property
    def page_offset(self) -> int | None:
        """Where it puts the kernel's linear map: after the last PT_LOAD with a virtual address below the
        kernel's image (arch/x86_64.c get_page_offset_x86_64); None where no PT_LOAD of a 64-bit file says."""
        if self.bits != 64 or not any(self._table[16 + byte :: 56].strip(b"\0") for byte in range(8)):
            return None
        for number in reversed(range(self.count)):
            vaddr, paddr = struct.unpack_from("<QQ", self._table, 56 * number + 16)
            if self.kinds[number] == PT_LOAD and 0 < vaddr < _KERNEL_IMAGE and paddr != NO_PADDR:
                return int(vaddr - paddr & NO_PADDR) or None
        return None
