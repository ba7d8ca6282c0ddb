"""A file as a dump: its container, its headers, notes and memory, and its new layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.base import (
    UNCHANGED,
    Dump,
    HeaderFields,
    Layout,
    LayoutChoice,
    LayoutRequest,
    Region,
    VirtualRange,
)
from vmci_tui.containers.elf.dump import open_elf
from vmci_tui.formats import elf_records
from vmci_tui.layers.file import Source

if TYPE_CHECKING:
    from vmci_tui.layers.flattened import FlattenedSource

__all__ = ["UNCHANGED", "Dump", "HeaderFields", "Layout", "LayoutChoice", "LayoutRequest", "Region", "VirtualRange"]
__all__ += ["is_dump", "open_dump"]

_HEAD: Final = 16
"""Bytes that identify a file's container; also the length of an entry, which may begin as a dump does."""


class Container(NamedTuple):
    """A row of the table of containers; what such a dump can do is in the class that `open` returns."""

    magic: bytes
    """The first bytes of such a file."""
    open: Callable[[Source], Dump]
    """Opens the dump. Raises OpenError for a damaged file, or one that is not a machine's dump."""
    open_flat: Callable[[Source, FlattenedSource], Dump] | None = None
    """Opens a flattened file of such a dump; None if no program writes one."""
    entry: bool = True
    """Whether a file of 16 bytes with this magic is an entry."""


def _flat_elf(source: Source, flat: FlattenedSource) -> Dump:
    from vmci_tui.containers.elf.flattened import open_flat_elf

    return open_flat_elf(source, flat)


def _kdump(source: Source, flat: FlattenedSource | None = None) -> Dump:
    from vmci_tui.containers.kdump.dump import open_kdump

    return open_kdump(source, flat)


def _flattened(source: Source) -> Dump:
    from vmci_tui.layers.flattened import open_flattened

    flat = open_flattened(source)
    inner = _container(flat.read(0, _HEAD))
    if inner is None or inner.open_flat is None:
        reason = f": {flat.faults[0]}" if flat.faults else ""
        raise OpenError(f"this flattened file holds no dump{reason}", "dump again, or copy it again")
    return inner.open_flat(source, flat)


CONTAINERS: Final = (
    Container(elf_records.MAGIC, open_elf, _flat_elf, entry=False),
    Container(b"KDUMP   ", _kdump, _kdump),
    Container(b"makedumpfile\0", _flattened),
)


def _container(head: bytes) -> Container | None:
    return next((row for row in CONTAINERS if head.startswith(row.magic)), None)


def is_dump(head: bytes) -> bool:
    """Return whether a file with these first bytes is a dump of any container."""
    return _container(head) is not None


def open_dump(source: Source) -> Dump | None:
    """Open the dump in `source`; return None if no container in the table matches.

    Raises OpenError for a container that is damaged, or not a machine's dump.
    """
    found = _container(source.read(0, _HEAD))
    return None if found is None or (found.entry and source.size <= _HEAD) else found.open(source)
