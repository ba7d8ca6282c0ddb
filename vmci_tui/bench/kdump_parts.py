"""The form of a crafted dump that is a kdump-compressed file, not an ELF dump."""

from __future__ import annotations

from typing import NamedTuple


class KdumpForm(NamedTuple):
    """What QEMU would write, but not flattened and with all six names; each defect changes something."""

    version: int = 6
    block_size: int = 4096
    names: bool = True
    """Whether utsname has more than the machine."""
    notes_after_memory: bool = False
    """The notes are after memory, not in the blocks of the sub-header."""
    head: tuple[tuple[str, int], ...] = ()
    """Damaged fields of the header."""
    sub: tuple[tuple[str, int], ...] = ()
    """Damaged fields of the sub-header."""
    broken: int | None = None
    """paddr of the page whose descriptor leads past the end of the file."""
    flattened: bool = False
    end: bool = True
    """Whether a flattened file has its end mark."""
