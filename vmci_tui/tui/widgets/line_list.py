"""A list of any length with a cursor; only visible lines are built.

The base of all panes except the hex view. It parses no markup, and 100,000 lines take as long as
one (Textual's DataTable takes a second for 20,000).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from vmci_tui.tui.guarded import GuardedWidget
from vmci_tui.tui.style.cells import Row, line_styles, strip_of


class LineList(GuardedWidget, can_focus=True):
    """Lines, one of them under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="list.pagedown"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="list.pageup"),
        Binding("home,g", "jump(0)", "First", show=False, id="list.home"),
        Binding("end,G", "jump(-1)", "Last", show=False, id="list.end"),
    ]

    cursor = reactive(0, repaint=False)
    top = reactive(0)

    enter_action = ""
    """The list's action for a double click, the same as for Enter; empty if its screen handles `Chosen`."""

    class Moved(Message):
        """The user moved the cursor."""

        def __init__(self, sender: LineList, index: int) -> None:
            self.sender, self.index = sender, index
            super().__init__()

        @property
        def control(self) -> LineList:
            return self.sender

    class Chosen(Moved):
        """The user chose a line, by Enter or a double click."""

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self.rows: Sequence[Row] = ()
        self.empty = empty
        self.header: Row = ()
        """The names of the columns, above the first line; () for no header."""
        self.skipped: frozenset[int] = frozenset()
        """Lines that the cursor does not stop on: headings, and explanations of the line above."""
        self._styles: dict[str, Style] = {}

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines, for a pane of automatic height."""
        return max(len(self.rows), 1) + self._head

    @property
    def _head(self) -> int:
        """Return the lines of the header: 0 or 1."""
        return 1 if self.header else 0

    @property
    def _room(self) -> int:
        """Return the lines for rows."""
        return max(self.size.height - self._head, 0)

    def set_rows(self, rows: Sequence[Row], skipped: Collection[int] = ()) -> None:
        """Show other lines, some without a stop; the cursor keeps its index, or moves to the nearest stop above."""
        self.skipped = frozenset(skipped)
        grown = len(rows) != len(self.rows) and self.styles.is_auto_height
        self.rows = rows
        self.cursor = self._stop(min(self.cursor, max(len(rows) - 1, 0)), -1)
        self.top = self.validate_top(self.top)
        self.refresh(layout=grown)

    def select(self, index: int) -> None:
        """Put the cursor on a line; post no message."""
        self.cursor = self._stop(max(0, min(index, len(self.rows) - 1)), -1) if self.rows else 0

    def _stop(self, index: int, step: int) -> int:
        """Return the line where the cursor stops: this one, else the next one in a direction, else in the other."""
        for way in (step, -step):
            at = index
            while 0 <= at < len(self.rows) and at in self.skipped:
                at += way
            if 0 <= at < len(self.rows):
                return at
        return index

    def selected_text(self) -> str:
        """Return the text of the line under the cursor; empty if there is none."""
        return "".join(text for text, _ in self.rows[self.cursor]).strip() if self.rows else ""

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}

    def validate_top(self, value: int) -> int:
        return max(0, min(value, len(self.rows) - max(self._room, 1)))

    def watch_cursor(self, old: int, new: int) -> None:
        height = self._room
        if not height:  # not shown yet
            return
        first, last = self._with_skipped(new, height)
        if first < self.top:
            self.top = first
        elif last >= self.top + height:
            self.top = last - height + 1
        else:
            self.refresh(self._line_region(old), self._line_region(new))

    def _with_skipped(self, index: int, height: int) -> tuple[int, int]:
        """Return the first and the last line to show with a line: also those around it without a stop, if they fit."""
        first = last = index
        while first - 1 in self.skipped:
            first -= 1
        while last + 1 in self.skipped:
            last += 1
        return (first, last) if last - first < height else (index, index)

    def _line_region(self, index: int) -> Region:
        """Return the region that a move of the cursor changes: the line, or without the focus its first cell."""
        width = self.size.width if self.has_focus or index >= len(self.rows) else len(self.rows[index][0][0])
        return Region(0, index - self.top + self._head, width, 1)

    def on_resize(self) -> None:
        self.top = self.validate_top(self.top)
        self.watch_cursor(self.cursor, self.cursor)

    def on_focus(self) -> None:
        self.refresh(Region(0, self.cursor - self.top + self._head, self.size.width, 1))

    on_blur = on_focus

    def render_line(self, y: int) -> Strip:
        styles = self._style_map()
        base, width = styles["base"], self.size.width
        y -= self._head
        if y < 0:
            return strip_of(self.header, width, styles, base)
        index = self.top + y
        if index >= len(self.rows):
            text = self.empty if not self.rows and y == 0 else ""
            return strip_of(((text, "dim"),), width, styles, base)
        row, bar = self.rows[index], self._bar(y)
        if index == self.cursor and self.has_focus:
            styles, base = {}, base + styles["cursor"]
        elif index == self.cursor:
            row = ((row[0][0], "mark"), *row[1:])  # dim: only the pane with the focus has a bright cursor
        line = strip_of(row, width - len(bar), styles, base)
        return Strip([*line, Segment(bar, self._style_map()["bar"])], width) if bar else line

    def _bar(self, y: int) -> str:
        """Return the scroll bar's cell in a line; empty if all lines are visible."""
        height, count = self._room, len(self.rows)
        if count <= height or not height:
            return ""
        thumb = self.top * height // count
        size = max(1, height * height // count)
        return "█" if thumb <= y < thumb + size else "│"

    def _style_map(self) -> dict[str, Style]:
        if not self._styles:
            base = self.rich_style  # cached, because a look-up costs as much as a row
            styles = line_styles(self.app)
            self._styles = {**styles, "base": base, "bar": base + styles["bar"]}
        return self._styles

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._go(self.cursor + by * max(self._room - 1, 1))

    def action_jump(self, to: int) -> None:
        self._go(len(self.rows) - 1 if to < 0 else to)

    def action_choose(self) -> None:
        if self.rows:
            self.post_message(self.Chosen(self, self.cursor))

    async def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        if self.enter_action:
            event.stop()
            await self.run_action(self.enter_action)

    def _go(self, index: int) -> None:
        if not self.rows:
            return
        index = self._stop(max(0, min(index, len(self.rows) - 1)), 1 if index > self.cursor else -1)
        if index != self.cursor:
            self.cursor = index
            self.post_message(self.Moved(self, index))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        width, height = self.size.width, self._room
        x, y = event.get_content_offset_capture(self)
        y -= self._head
        if y >= 0 and x == width - 1 and len(self.rows) > height:
            self.top = y * len(self.rows) // max(height, 1)
            return
        index = self.top + y
        if index >= len(self.rows) or y < 0:
            return
        index = self._stop(index, -1)
        if index == self.cursor and event.chain == 2:
            self.action_choose()
        elif index != self.cursor:
            self._go(index)
        else:
            self.post_message(self.Moved(self, index))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.top += 3

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.top -= 3
