"""Read and write places of a dump as users type them and as bookmarks keep them.

A place in guest memory is kept by its paddr: if the headers grow, memory moves in the file.
"""

from __future__ import annotations

from vmci_tui.common.errors import EditError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import Layout
from vmci_tui.formats.fw_cfg_entry import parse_number


def offset_of(typed: str, layout: Layout) -> int:
    """Return the file offset of `0x790`, `1936` or `p0x1958000` (a guest-physical address). Raises EditError."""
    body = typed.strip().lower()
    if body.startswith("p"):
        paddr = parse_number(body[1:].removeprefix("addr").strip(" ="))
        offset = layout.memory.offset_of(paddr)
        if offset is None:
            raise EditError(f"the dump holds no byte at paddr {paddr:#x}", "see the memory ranges: vmci show")
        return offset
    offset, size = parse_number(body), layout.image.size
    if not 0 <= offset < size:
        raise EditError(f"the file has {size} bytes: {offset:#x} is outside", f"0 to {max(size - 1, 0):#x}")
    return offset


def anchor_of(offset: int, layout: Layout) -> Safe:
    """Return text that `offset_of` reads back, also for a layout in which memory is elsewhere."""
    paddr = layout.memory.paddr_of(offset)
    return Safe(f"{offset:#x}" if paddr is None else f"p{paddr:#x}")
