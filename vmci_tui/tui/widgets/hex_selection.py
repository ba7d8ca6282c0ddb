"""Selecting a range of bytes in the hex view, with shift and the arrows or with the mouse."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.binding import Binding

from vmci_tui.tui.widgets.hex_view import HexView


def _bind(key: str, action: str, tip: str = "") -> Binding:
    return Binding(f"shift+{key}", action, f"Select {key}", tooltip=tip, show=False, id=f"hex.select_{key}")


SELECT_BINDINGS: Final = (
    _bind("right", "select(1)", "Select bytes, with the other arrows too; c copies them"),
    _bind("left", "select(-1)"),
    _bind("down", "select_rows(1)"),
    _bind("up", "select_rows(-1)"),
)


class SelectableHexView(HexView):
    """A hex view with a selection, which it highlights."""

    _anchor: int | None = None
    """The byte at which the selection began; None without a selection."""
    _held: int | None = None
    """The byte at which the mouse button was pressed."""

    @property
    def selected(self) -> str:
        """Return the number and range of the selected bytes as text; empty for none."""
        if self._anchor is None:
            return ""
        start, end = self.highlight
        return f"{end - start} = {end - start:#x} bytes selected, {start:#x} to {end - 1:#x}"

    def select_to(self, offset: int) -> None:
        """Move the cursor to a byte, and select from the start of the selection, else from the cursor."""
        anchor = self.cursor if self._anchor is None else self._anchor
        end = max(0, min(offset, self.total - 1))
        super()._go(end)
        if self.total:
            self._anchor = anchor
            self.set_highlight(min(anchor, end), abs(anchor - end) + 1)

    def go(self, offset: int) -> None:
        self._anchor = None
        super().go(offset)

    def _go(self, offset: int) -> None:
        if self._anchor is not None:
            self._anchor = None
            self.highlight_place()
        super()._go(offset)

    def action_select(self, by: int) -> None:
        self.select_to(self.cursor + by)

    def action_select_rows(self, by: int) -> None:
        to = self.cursor + by * self.per_row
        self.select_to(to if 0 <= to < self.total else self.cursor)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        byte = self._byte_at(event) if event.get_content_offset(self) is not None else None
        if event.button == 1 and byte is not None:
            self._go(byte)
            self._held = byte
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held is not None and (byte := self._byte_at(event)) not in (None, self.cursor):
            assert byte is not None
            self.select_to(byte)

    def on_mouse_up(self) -> None:
        self.release_mouse()

    def on_mouse_release(self) -> None:
        """Handle a released button, or a dialog that took the mouse."""
        self._held = None

    def on_click(self, event: events.Click) -> None:
        """Ignore the click at the end of a selection with the mouse."""
        if self._anchor is not None:
            event.stop()
            event.prevent_default()

    def _byte_at(self, event: events.MouseEvent) -> int | None:
        """Return the byte under the mouse; above or below the pane, the byte one row beyond its edge."""
        x, y = event.get_content_offset_capture(self)
        column = self._column_at(x)
        if column is None or not self.total:
            return None
        row = self.top + max(-1, min(y, self.size.height))
        return max(0, min(row * self.per_row + column, self.total - 1))
