"""How a crafted dump is written where it is a kdump-compressed file and no ELF dump."""

from __future__ import annotations

from typing import NamedTuple


class KdumpForm(NamedTuple):
    """What QEMU would write, but plain and with all six names; each defect changes something."""

    version: int = 6
    block_size: int = 4096
    names: bool = True
    """Whether utsname holds more than the machine."""
    notes_after_memory: bool = False
    """The notes lie behind memory, not in the blocks of the sub-header."""
    head: tuple[tuple[str, int], ...] = ()
    """Fields of the header that are not as they should be."""
    sub: tuple[tuple[str, int], ...] = ()
    """Fields of the sub-header that are not as they should be."""
    broken: int | None = None
    """paddr of a page of which the descriptor leads over the end of the file."""
    flattened: bool = False
    end: bool = True
    """Whether a flattened file has its end mark."""
