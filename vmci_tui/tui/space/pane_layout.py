"""The layout of Textual that puts panes where the arrangement says."""

from __future__ import annotations

from typing import ClassVar

from textual.geometry import Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from vmci_tui.tui.space.arrangement import arrange

_NO_MARGIN = Spacing()


class PaneLayout(Layout):
    """Places the children of the main screen's panes; a child with its own height says how many lines it wants."""

    name: ClassVar[str] = "panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        named = {(child.id or "").removesuffix("-pane"): child for child in children}
        rows = {name: lines for name, child in named.items() if (lines := _wanted(child, size)) is not None}
        boxes = arrange(size.width, size.height, named, rows)
        return [WidgetPlacement(Region(*box), Region().offset, _NO_MARGIN, named[name]) for name, box in boxes.items()]


def _wanted(child: Widget, size: Size) -> int | None:
    """Return the lines that a child wants with its border; None if it takes what is left."""
    if child.styles.is_auto_height:
        return child.get_content_height(size, size, size.width) + child.gutter.height
    height = child.styles.height
    return height.cells if height is not None else None
