"""The pane with the map of the file: its parts, where they are and where they will be once it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.changes.changed_bytes import ChangedBytes
from vmci_tui.changes.file_map import MapPart, file_map
from vmci_tui.common.sizes import size_text
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.tui.rows.change_signs import SIGN_STYLES
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.line_list import LineList

_SIZE: Final = 9
"""Cells of a size: `636 KiB`, `1023.9 MiB`."""


class FileMap(LineList, can_focus=False):
    """A row for each part; the one under the cursor of the hex view is marked."""

    about = (
        "File map: the parts of the file in their order, where they are now and where they will be once it is saved."
    )

    def __init__(self) -> None:
        super().__init__(id="map")
        self._parts: Sequence[MapPart] = ()

    def show_state(self, document: Document, changed: ChangedBytes) -> None:
        """Show the parts of a document; `changed` are the bytes that no file has yet."""
        self._parts = parts = file_map(document, changed)
        self.border_title = "File map: now and once saved" if document.unsaved else "File map"
        size, saved = document.base_layout.image.size, document.layout.image.size
        total = f"{size_text(size)} -> {size_text(saved)}" if document.unsaved else size_text(size)
        self.border_subtitle = total
        wide = max((len(_offset(span)) for part in parts for span in part[1:3]), default=0)
        self.header = _head(wide, document.unsaved)
        self.set_rows([_row(part, wide, document.unsaved) for part in parts])

    def show_place(self, offset: int) -> None:
        """Mark the part that has a byte."""
        for at, part in enumerate(self._parts):
            if part.after is not None and 0 <= offset - part.after.offset < part.after.length:
                self.select(at)

    def span(self, index: int) -> Span | None:
        """Return the bytes of a row in the file as shown; None if they are removed."""
        return self._parts[index].after


def _head(wide: int, moved: bool) -> Row:
    names = f"{'now':>{wide}} {'saved':>{wide}}" if moved else f"{'offset':>{wide}}"
    return (("  ", "dim"), (f"{names}  {'size':<{_SIZE}}  part", "title"))


def _row(part: MapPart, wide: int, moved: bool) -> Row:
    span = part.after or part.before
    assert span is not None
    now, saved = (f"{_offset(item):>{wide}}" for item in (part.before, part.after))
    sign = part.sign if moved else ""
    style = SIGN_STYLES.get(sign, "value")
    places = ((f"{now} ", "dim"), (saved, "key")) if moved else ((saved, "key"),)
    return ((f"{sign:<2}", style), *places, (f"  {size_text(span.length):<{_SIZE}}  ", "dim"), (part.name, style))


def _offset(span: Span | None) -> str:
    return "-" if span is None else f"{span.offset:#x}"
