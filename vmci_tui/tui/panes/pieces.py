"""What of a document is copied: bytes of the entry, or of the file as it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.tui.clipboard import MOST

if TYPE_CHECKING:
    from vmci_tui.render.copy_formats import Piece


def entry_piece(document: Document, span: Span | None) -> Piece | None:
    """Bytes of the entry, all of it without a span; None where no entry is open."""
    from vmci_tui.render.copy_formats import Piece

    history = document.state.entry
    if history is None:
        return None
    start, length = (span.offset, span.length) if span is not None else (0, 16)
    what = Safe("the entry" if length == 16 else "a field of the entry")
    return Piece(history.entry.pack()[start : start + length], what, start)


def file_piece(document: Document, start: int, length: int, what: Safe) -> Piece:
    """Bytes of the file as it is shown, as far as there are any, and as a clipboard takes them."""
    from vmci_tui.render.copy_formats import Piece

    if length > MOST:
        what = Safe(f"the first {MOST >> 10} KiB of {what}")
    left = document.layout.image.size - start
    return Piece(document.read(start, max(min(length, MOST, left), 0)), what, start)
