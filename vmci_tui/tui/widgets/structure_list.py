"""The tree of the file's head as a list whose rows open and close."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from vmci_tui.common.safe_text import Safe
from vmci_tui.structure.node import Node
from vmci_tui.structure.outline import Rows, closed, find, first_rows, opened, parent_of
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.style.cells import LazyRows, Row
from vmci_tui.tui.widgets.line_list import LineList

_OFFSET = 12
_WIDE = 100
"""Cells from which the columns are wider."""
_LEAST = 8
"""Cells of a meaning; in fewer it is not shown."""
_COLUMNS = {False: (27, 19), True: (36, 26)}
"""Cells of the columns of names and values, narrow and wide."""


class StructureList(LineList):
    """Rows of a tree: offset, name, value, meaning; only what is open has been read."""

    about = (
        "Structure: headers, tables, notes and registers, each with its value, its meaning and its offset. "
        "A row with + opens. The hex view below shows the bytes of the row, and moving there moves the rows."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter,space", "open_or_close", "Open", "Open or close the row", "structure.toggle"),
        bind("right,l", "open_row", "Open", "Open the row, or go into it", "structure.open", show=False),
        bind("left,h", "close_row", "Close", "Close the row, or go to its parent", "structure.close", show=False),
    ]

    def __init__(self, root: Node, symbol_of: Callable[[Node], Safe]) -> None:
        """`symbol_of` returns the kernel's symbol that a leaf holds, or an empty text."""
        super().__init__(id="tree", empty="the file is empty")
        self._root, self._symbol_of = root, symbol_of
        self.outline: Rows = ()

    def node(self) -> Node | None:
        """Return the node under the cursor; None in an empty file."""
        return self.outline[self.cursor].node if self.outline else None

    def names(self) -> str:
        """Return the names of the row under the cursor and of all that it is in, outermost first."""
        at, names = self.cursor, [self.outline[self.cursor].node.name]
        while (up := parent_of(self.outline, at)) != at:
            at = up
            names.insert(0, self.outline[at].node.name)
        return " / ".join(names)

    def show_at(self, offset: int) -> None:
        """Open the rows down to a byte, and put the cursor there; post no message."""
        self._set(*find(self.outline or first_rows(self._root), self._root, offset))

    def on_resize(self) -> None:
        self.set_rows(_Shown(self.outline, self.size.width, self._symbol_of))
        super().on_resize()

    def _set(self, outline: Rows, cursor: int) -> None:
        self.outline = outline
        self.set_rows(_Shown(outline, self.size.width, self._symbol_of))
        self.select(cursor)

    def action_open_or_close(self) -> None:
        if self.outline and self.outline[self.cursor].is_open:
            self._set(closed(self.outline, self.cursor), self.cursor)
        elif self.outline:
            self._set(opened(self.outline, self.cursor), self.cursor)

    def action_open_row(self) -> None:
        if not self.outline or self.outline[self.cursor].node.is_leaf:
            return
        if self.outline[self.cursor].is_open:
            self.action_move(1)
        else:
            self.action_open_or_close()

    def action_close_row(self) -> None:
        if not self.outline:
            return
        if self.outline[self.cursor].is_open:
            self.action_open_or_close()
        else:
            self._go(parent_of(self.outline, self.cursor))

    def action_choose(self) -> None:
        """Do on a double click what Enter does."""
        self.action_open_or_close()


class _Shown(LazyRows):
    """The rows as cells, in `width` cells."""

    def __init__(self, rows: Rows, width: int, symbol_of: Callable[[Node], Safe]) -> None:
        self._rows, self._columns, self._symbol_of = rows, _COLUMNS[width >= _WIDE], symbol_of
        self._means = width - _OFFSET - sum(self._columns) >= _LEAST
        """Whether there is room for the meaning."""

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row:
        row = self._rows[index]
        node, (names, values) = row.node, self._columns
        mark = "  " if node.is_leaf else "- " if row.is_open else "+ "
        name = "  " * row.depth + mark + node.name
        symbol = self._symbol_of(node) if node.is_leaf else ""
        return (
            (f"{node.offset:#010x}".ljust(_OFFSET), "dim"),
            (_fitted(name, names), "value" if node.is_leaf else "key"),
            (_fitted(node.value, values), "good" if node.is_leaf else "value"),
            (f"{symbol}  " if symbol else "", "key"),
            (node.meaning if self._means else "", "dim"),
        )


def _fitted(text: str, cells: int) -> str:
    """Return the text in a column, cut if it is too long; a space follows."""
    return (text if len(text) < cells else text[: cells - 3] + "..").ljust(cells)
