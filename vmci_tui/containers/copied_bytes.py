"""List the bytes that a saved file copies from the old one, by its layout."""

from __future__ import annotations

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import CopiedRange, Dump, KeptBytes, Layout
from vmci_tui.layers.image import NewBytes


def copied_bytes(old: Dump, new: Dump, layout: Layout) -> KeptBytes:
    """Return the bytes that must be the same in both files.

    They include bitmaps, page descriptors and pages; the program headers of a flattened ELF dump are new bytes.
    Raises SaveError if the new file is of another container, or its new bytes are not those of the layout.
    """
    flattened = old.flat is not None and layout.base is None
    if new.kind != old.kind or (new.flat is not None) != flattened:
        raise SaveError("the saved file is of another kind", "nothing was saved")
    pairs = []
    for offset, extent in layout.image.placed():
        if not isinstance(extent, NewBytes):
            pairs.append(CopiedRange(extent.offset, offset, extent.length))
        elif new.source.read(offset, extent.length) != extent.data:
            raise SaveError(f"the saved file differs at {offset:#x}", "nothing was saved")
    return KeptBytes(layout.base or old.source, new.source, tuple(pairs))
