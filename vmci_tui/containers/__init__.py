"""A file as a dump: which container it is, its head, its notes and memory, and its new layout."""

from __future__ import annotations

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.base import KEPT, Dump, Head, HeaderFields, Layout, LayoutRequest, Mapped, Region
from vmci_tui.containers.elf.dump import is_elf, open_elf
from vmci_tui.layers.file import Source

__all__ = [
    "KEPT",
    "Dump",
    "Head",
    "HeaderFields",
    "Layout",
    "LayoutRequest",
    "Mapped",
    "Region",
    "is_dump",
    "open_dump",
]

_KDUMP = b"KDUMP   "
_FLATTENED = b"makedumpfile\0"


def is_dump(head: bytes) -> bool:
    """Whether a file that begins so is a dump, of whatever container."""
    return is_elf(head) or head.startswith((_KDUMP, _FLATTENED))


def open_dump(source: Source) -> Dump | None:
    """The dump in `source`, or None where it is no container that we know.

    Raises OpenError for a container that is damaged, or not a machine's dump.
    """
    head = source.read(0, 16)
    if is_elf(head):
        return open_elf(source)
    if head.startswith(_KDUMP) and source.size > len(head):  # 16 bytes are an entry
        from vmci_tui.containers.kdump.dump import open_kdump

        return open_kdump(source)
    if head.startswith(_FLATTENED) and source.size > len(head):
        return _open_flattened(source)
    return None


def _open_flattened(source: Source) -> Dump:
    from vmci_tui.containers.elf.flattened import open_flat_elf
    from vmci_tui.containers.kdump.dump import open_kdump
    from vmci_tui.layers.flattened import open_flattened

    flat = open_flattened(source)
    if flat.read(0, len(_KDUMP)) == _KDUMP:
        return open_kdump(source, flat)
    dump = open_flat_elf(source, flat)
    if dump is None:
        reason = f": {flat.faults[0]}" if flat.faults else ""
        raise OpenError(f"this flattened file holds no dump{reason}", "dump again, or copy it again")
    return dump
