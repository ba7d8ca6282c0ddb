"""The hex view of a file of any size; it keeps its own first row and has no animation.

Textual's ScrollView takes 33 ms from key to paint and writes 23 KB at 200x60; a plain
widget that repaints two lines for a move of the cursor takes 3 ms and 500 bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from vmci_tui.changes.changed_bytes import ChangedBytes
from vmci_tui.common.errors import OpenError
from vmci_tui.document.byte_map import Place, Places
from vmci_tui.document.document import Document
from vmci_tui.layers.waiting import NotReadYet, read_at_once
from vmci_tui.tui.bindings import HEX_MOVES
from vmci_tui.tui.guarded import GuardedWidget
from vmci_tui.tui.style.cells import ADDED, byte_styles
from vmci_tui.tui.widgets.hex_rows import HexColumns, row_segments, selection_words, sign_of, styled_runs, with_cursor

if TYPE_CHECKING:
    from vmci_tui.tui.background import LateBytes

_CACHED_ROWS = 512
_HEADER: Final = 1
"""Lines of the header, with the numbers of the columns."""


class HexView(GuardedWidget, can_focus=True):
    """Bytes coloured by kind, with one highlighted range, which shift and the arrows or the mouse select."""

    BINDINGS: ClassVar[list[BindingType]] = [*HEX_MOVES]

    most_per_row: ClassVar[int] = 16
    """Bytes in a row, at most."""

    top = reactive(0)
    """The first row that is visible."""
    cursor = reactive(0, repaint=False)
    """The offset of the byte under the cursor."""

    class Moved(Message):
        """The user moved the cursor."""

        def __init__(self, offset: int) -> None:
            self.offset = offset
            super().__init__()

    class Typed(Message):
        """A byte was typed over the one under the cursor."""

        def __init__(self, byte: bytes) -> None:
            self.byte = byte
            super().__init__()

    def __init__(self, document: Document, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.document = document
        self.writing = False
        """Whether typed hex digits overwrite bytes."""
        self._digit = ""
        self._anchor: int | None = None
        """The byte at which the selection began; None without a selection."""
        self._extends = False
        """Whether moves extend the selection, without shift."""
        self._held: int | None = None
        """The byte at which the mouse button was pressed."""
        self.places: Places | None = None
        self.highlight = (0, 0)
        self.changed = ChangedBytes()
        """The bytes that no file has yet."""
        self._rows: OrderedDict[int, tuple[Segment, ...]] = OrderedDict()
        self._styles: dict[str, Style] = {}
        self._late: LateBytes | None = None

    def show_state(self) -> None:
        """Show the file as the document lays it out now."""
        self.places = Places(self.document)
        self._rows.clear()
        self.cursor = min(self.cursor, max(self.total - 1, 0))
        self.top = min(self.top, self._last_top)
        self.refresh()

    def write(self, on: bool) -> None:
        """Begin or end overwriting bytes."""
        self.writing, self._digit = on, ""
        self.border_subtitle = "hex digits overwrite bytes, Esc ends" if on else ""
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """While bytes are overwritten, take hex digits before the pane's bindings."""
        if not self.writing:
            return
        if event.character is not None and event.character in "0123456789abcdefABCDEF":
            self._digit += event.character
        elif event.key == "escape":
            self.write(False)
        elif event.key == "backspace" and self._digit:
            self._digit = ""
        else:
            return
        event.stop()
        event.prevent_default()
        if len(self._digit) == 2:
            byte, self._digit = bytes.fromhex(self._digit), ""
            self.post_message(self.Typed(byte))
        self.refresh(self._row_region(self.cursor // self.per_row))

    def on_focus(self) -> None:
        self.refresh(self._row_region(self.cursor // self.per_row))

    def on_blur(self) -> None:
        if self.writing:
            self.write(False)
        self.on_focus()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows, for a pane of automatic height (an entry)."""
        return max(-(-self.total // 16), 1) + _HEADER

    def set_highlight(self, offset: int, length: int) -> None:
        """Highlight a range of bytes."""
        if self.highlight == (offset, offset + length):
            return
        old, self.highlight = self.highlight, (offset, offset + length)
        rows = {*self._rows_of(*old), *self._rows_of(*self.highlight)}
        for row in rows:
            self._rows.pop(row, None)
        if rows:
            self.refresh(*map(self._row_region, rows))

    def highlight_place(self) -> None:
        """Highlight the field under the cursor; memory and gaps are not fields."""
        place = self.place()
        shown = None if place is None or place.kind in ("memory", "gap") else place
        self.set_highlight(*((0, 0) if shown is None else (shown.offset, shown.length)))

    def go(self, offset: int) -> None:
        """Put the cursor on a byte and bring it into view, without a selection; post no message."""
        self._anchor, self._extends = None, False
        self.cursor = max(0, min(offset, self.total - 1)) if self.total else 0

    def place(self) -> Place | None:
        """Return the place under the cursor; None if there are no bytes."""
        return self.places.at(self.cursor) if self.places is not None and self.total else None

    @property
    def total(self) -> int:
        """Return the size of the file as shown, in bytes."""
        return self.places.size if self.places else 0

    @property
    def _columns(self) -> HexColumns:
        return HexColumns.of(self.total, self.size.width, self.most_per_row)

    @property
    def per_row(self) -> int:
        """Return the bytes in a row."""
        return self._columns.per_row

    @property
    def row_count(self) -> int:
        return -(-self.total // self.per_row)

    @property
    def _last_top(self) -> int:
        return max(self.row_count - self._room, 0)

    @property
    def _room(self) -> int:
        """Return the lines for rows."""
        return max(self.size.height - _HEADER, 0)

    def _rows_of(self, start: int, end: int) -> range:
        """Return the visible rows with bytes of a range."""
        if start >= end:
            return range(0)
        low, high = start // self.per_row, (end - 1) // self.per_row
        return range(max(low, self.top), min(high + 1, self.top + self._room))

    def _row_region(self, row: int) -> Region:
        # The whole row: for a part Textual also paints the rest of the row, so two parts would cost twice.
        return Region(0, row - self.top + _HEADER, self.size.width, 1)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}
        self._rows.clear()

    def on_resize(self) -> None:
        self._rows.clear()
        self.watch_cursor(self.cursor, self.cursor)

    def validate_top(self, value: int) -> int:
        return max(0, min(value, self._last_top))

    def watch_cursor(self, old: int, new: int) -> None:
        row, height = new // self.per_row, max(self._room, 1)
        if not self.top - height < row < self.top + 2 * height:
            self.top = row - height // 4  # a jump: show some rows before it
        elif row < self.top:
            self.top = row
        elif row >= self.top + height:
            self.top = row - height + 1
        else:
            self.refresh(self._row_region(old // self.per_row), self._row_region(row))

    def render_line(self, y: int) -> Strip:
        width, row, words = self.size.width, self.top + y - _HEADER, None
        if y < _HEADER:
            words = self._columns.header if self.total else ""
        elif self.places is None or row >= self.row_count:
            words = "no bytes" if y == _HEADER and not self.total else ""
        if words is not None:
            return Strip([Segment(words.ljust(width)[:width], self._style_map()["offset"])], width)
        segments = self._rows.get(row)
        if segments is None:
            segments = self._rows[row] = self._segments(row)
            if len(self._rows) > _CACHED_ROWS:
                self._rows.popitem(last=False)
        strip = Strip(segments)
        at, column = divmod(self.cursor, self.per_row)
        if row == at:
            strip = with_cursor(self._columns, strip, column, self._digit, self._style_map(), self.has_focus)
        return strip.adjust_cell_length(width, self._style_map()["base"])

    def _segments(self, row: int) -> tuple[Segment, ...]:
        assert self.places is not None
        columns, styles, data, without = self._columns, self._style_map(), None, "cannot be read"
        start = row * columns.per_row
        try:
            data = self._bytes(start, min(columns.per_row, self.total - start))
        except NotReadYet:
            without = "not read yet"
        runs = list(styled_runs(self.places, self.highlight, start, data or b"", styles, self.changed))
        sign = sign_of(self.changed, start, start + len(data or b""))
        return row_segments(columns, start, data, runs, styles, sign, without)

    def _bytes(self, start: int, length: int) -> bytes | None:
        """Return bytes, None if they cannot be read. Raises NotReadYet if they come later."""
        try:
            return read_at_once(self.document.read, start, length)
        except NotReadYet:
            from vmci_tui.tui.background import LateBytes

            self._late = self._late or LateBytes(self, self._bytes_came)
            visible = range(self.top * self.per_row, (self.top + self._room) * self.per_row)
            return self._late.read(self.document, range(start, start + length), visible)
        except OpenError:  # a disk error must not end the app
            return None

    def _bytes_came(self) -> None:
        self.show_state()
        self.post_message(self.Moved(self.cursor))

    def _style_map(self) -> dict[str, Style]:
        """Return the styles, cached until the theme or the focus changes: a look-up costs as much as a row."""
        if not self._styles:
            base, styles = self.rich_style, byte_styles(self.app)
            self._styles = {name: style if name in ADDED else base + style for name, style in styles.items()}
            self._styles["base"] = base
        return self._styles

    def _go(self, offset: int) -> None:
        """Move the cursor as the user does; this ends the selection, or extends it after `action_mark`."""
        if self._extends:
            self.select_to(offset)
            return
        if self._anchor is not None:
            self._anchor = None
            self.highlight_place()
        self._move(offset)

    def _move(self, offset: int) -> None:
        if not self.total:
            return
        offset = max(0, min(offset, self.total - 1))
        if offset != self.cursor:
            self._digit = ""
            self.cursor = offset
            self.highlight_place()
            self.post_message(self.Moved(offset))

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_move_rows(self, by: int) -> None:
        to = self.cursor + by * self.per_row
        self._go(to if 0 <= to < self.total else self.cursor)

    def action_page(self, by: int) -> None:
        step = by * self._room
        self.top += step
        self._go(self.cursor + step * self.per_row)

    def action_row_start(self) -> None:
        self._go(self.cursor - self.cursor % self.per_row)

    def action_row_end(self) -> None:
        self._go(self.cursor - self.cursor % self.per_row + self.per_row - 1)

    def action_to(self, offset: int) -> None:
        self._go(self.total - 1 if offset < 0 else offset)

    def action_next_place(self, by: int) -> None:
        place = self.place()
        if place is None or self.places is None:
            return
        if by > 0:
            self._go(place.end)
        elif self.cursor > place.offset or place.offset == 0:
            self._go(place.offset)
        else:
            self._go(self.places.at(place.offset - 1).offset)

    # Selecting

    @property
    def selected(self) -> str:
        """Return the number and range of the selected bytes as text; empty for none."""
        return "" if self._anchor is None else selection_words(*self.highlight)

    def select_to(self, offset: int) -> None:
        """Move the cursor to a byte, and select from the start of the selection, else from the cursor."""
        anchor = self.cursor if self._anchor is None else self._anchor
        end = max(0, min(offset, self.total - 1))
        self._move(end)
        if self.total:
            self._anchor = anchor
            self.set_highlight(min(anchor, end), abs(anchor - end) + 1)

    def action_mark(self) -> None:
        """Begin to select with each move from this byte on, or end that and keep the selection."""
        self._extends = not self._extends
        if self._extends:
            self._anchor = None
            self.select_to(self.cursor)
            self.post_message(self.Moved(self.cursor))

    def action_select(self, by: int) -> None:
        self.select_to(self.cursor + by)

    def action_select_rows(self, by: int) -> None:
        to = self.cursor + by * self.per_row
        self.select_to(to if 0 <= to < self.total else self.cursor)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        at = event.get_content_offset(self)
        byte = self._byte_at(event) if at is not None and at.y >= _HEADER else None
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
        event.stop()
        x, y = event.get_content_offset_capture(self)
        column = self._columns.column_at(x)
        # The click at the end of a selection with the mouse does not move the cursor.
        if column is not None and y >= _HEADER and self._anchor is None:
            self._go(min((self.top + y - _HEADER) * self.per_row + column, self.total - 1))

    def _byte_at(self, event: events.MouseEvent) -> int | None:
        """Return the byte under the mouse; above or below the pane, the byte one row beyond its edge."""
        x, y = event.get_content_offset_capture(self)
        column = self._columns.column_at(x)
        if column is None or not self.total:
            return None
        row = self.top + max(-1, min(y - _HEADER, self._room))
        return max(0, min(row * self.per_row + column, self.total - 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.top += 3

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.top -= 3
