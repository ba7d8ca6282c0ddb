"""All that a saved file takes from the old one as it is, by its layout."""

from __future__ import annotations

from vmci_tui.common.errors import SaveError
from vmci_tui.containers.base import CopiedRange, Dump, KeptBytes, Layout
from vmci_tui.layers.image import NewBytes


def copied_bytes(old: Dump, new: Dump, layout: Layout) -> KeptBytes:
    """What must be the same in both files.

    Bitmaps, page descriptors and pages are all in it; the program headers of a flattened ELF dump are literal bytes.
    Raises SaveError where the new file is of another container, or its literal bytes are not those of the layout.
    """
    flattened = old.flat is not None and layout.base is None
    if new.kind != old.kind or (new.flat is not None) != flattened:
        raise SaveError("what was saved is of another kind", "nothing was put in place")
    pairs = []
    for offset, extent in layout.image.placed():
        if not isinstance(extent, NewBytes):
            pairs.append(CopiedRange(extent.offset, offset, extent.length))
        elif new.source.read(offset, extent.length) != extent.data:
            raise SaveError(f"what was saved differs at {offset:#x}", "nothing was put in place")
    return KeptBytes(layout.base or old.source, new.source, tuple(pairs))
