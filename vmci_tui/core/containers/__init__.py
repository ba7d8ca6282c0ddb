"""Opening a file: which container it is, and reading its head."""

from __future__ import annotations

from vmci_tui.core.containers.base import Dump, Layout, Region
from vmci_tui.core.containers.elf import is_elf, open_elf
from vmci_tui.core.source import Source

__all__ = ["Dump", "Layout", "Region", "open_dump"]


def open_dump(source: Source) -> Dump | None:
    """The dump in `source`, or None where it is no container that we know.

    Raises OpenError for a container that is damaged, or not a machine's dump.
    """
    if is_elf(source.read(0, 4)):
        return open_elf(source)
    return None
