"""A file as a dump: which container it is, its head, its notes and memory, and its new layout."""

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
"""Bytes of a file that tell its container; also the length of an entry, which may begin as a dump does."""


class Container(NamedTuple):
    """A row of the table of containers; what such a dump can do is in the class of the dump that it opens."""

    magic: bytes
    """What a file of it begins with."""
    open: Callable[[Source], Dump]
    """Raises OpenError for a damaged file, or one that is not a machine's dump."""
    open_flat: Callable[[Source, FlattenedSource], Dump] | None = None
    """The same for a flattened file whose records stand for it; None where nobody writes such files."""
    entry: bool = True
    """Whether a file of 16 bytes that begins so is an entry."""


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
    """Whether a file that begins so is a dump, of whatever container."""
    return _container(head) is not None


def open_dump(source: Source) -> Dump | None:
    """The dump in `source`, or None where it is of no container in the table.

    Raises OpenError for a container that is damaged, or not a machine's dump.
    """
    found = _container(source.read(0, _HEAD))
    return None if found is None or (found.entry and source.size <= _HEAD) else found.open(source)
