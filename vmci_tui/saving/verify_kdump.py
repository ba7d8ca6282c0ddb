"""Whether a saved kdump or flattened file is the one that was planned: its headers, and all that was to stay."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.errors import SaveError
from vmci_tui.containers import Dump, Layout
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.layers.file import Source
from vmci_tui.layers.image import Literal


def copied(old: Dump, new: Dump, layout: Layout, saved: Source) -> Iterator[tuple[int, int, int]]:
    """What must be the same in both files: its place in what the layout refers to, in the saved file, its length.

    Bitmaps, page descriptors and pages are all in it; the program headers of an ELF dump are literal
    bytes. Raises SaveError where the new file's headers, notes or records are not those of the layout.
    """
    plain = "kdump" if isinstance(old, KdumpDump) else "elf"
    if new.container != (plain if layout.base is not None else old.container):
        raise SaveError("what was saved is of another kind", "nothing was put in place")
    if isinstance(old, KdumpDump):
        _refuse_other_memory(old, new)
    for offset, extent in layout.image.placed():
        if not isinstance(extent, Literal):
            yield extent.offset, offset, extent.length
        elif saved.read(offset, extent.length) != extent.data:
            raise SaveError(f"what was saved differs at {offset:#x}", "nothing was put in place")


def _refuse_other_memory(old: KdumpDump, new: Dump) -> None:
    if isinstance(new, KdumpDump):
        before, after = old.header, new.header
        if (before.pfns, before.bitmap, before.descriptors) == (after.pfns, after.bitmap, after.descriptors):
            return
    raise SaveError("the headers of what was saved tell of other memory", "nothing was put in place")
