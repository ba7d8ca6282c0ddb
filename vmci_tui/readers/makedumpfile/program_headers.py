"""Where makedumpfile 1.7.2 (x86-64) puts the kernel's linear map, by the program headers."""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_records import PT_LOAD
from vmci_tui.formats.segment_table import Segments

NO_PADDR: Final = (1 << 64) - 1
_KERNEL_IMAGE: Final = 0xFFFFFFFF80000000


def page_offset(table: Segments) -> int | None:
    """p_vaddr - p_paddr of the last PT_LOAD with a virtual address below the kernel's image.

    None where no PT_LOAD of a 64-bit file says (arch/x86_64.c get_page_offset_x86_64).
    """
    if table.form.bits != 64 or not any(table.column("vaddr")):
        return None
    columns = (reversed(table.column(name)) for name in ("type", "vaddr", "paddr"))
    for kind, vaddr, paddr in zip(*columns, strict=True):
        if kind == PT_LOAD and 0 < vaddr < _KERNEL_IMAGE and paddr != NO_PADDR:
            return (vaddr - paddr & NO_PADDR) or None
    return None
