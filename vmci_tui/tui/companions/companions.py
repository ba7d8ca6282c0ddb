"""Open and close the panes that follow the others: by a key, or by themselves where there is room."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from textual.timer import Timer
from textual.widget import Widget

from vmci_tui.render.explained.explanation import Explanation
from vmci_tui.structure.node import Node
from vmci_tui.tui.companions.about import About
from vmci_tui.tui.companions.file_map import FileMap
from vmci_tui.tui.companions.inspector import Inspector
from vmci_tui.tui.companions.structure_column import StructureColumn
from vmci_tui.tui.widgets.hex_view import HexView

if TYPE_CHECKING:
    from vmci_tui.adoption.kernel_facts import KernelFound

_REST_SECONDS: Final = 0.15
"""Seconds that a cursor rests before what follows it is shown, so that moving it stays cheap."""
_CLASSES: Final = {"about": "explaining", "inspector": "inspecting"}
"""Classes of the screen while a pane is open: at some sizes another one makes room for it."""
_BESIDE: Final = {"about": "#keys-pane", "inspector": "#hex", "map": "#notes", "tree": "#hex"}
"""The pane after which each is in the order of Tab, in the order in which they are opened."""


class Companions:
    """The explanation, the inspector, the map and the structure of the file, each made when it is first opened."""

    def __init__(
        self,
        panes: Widget,
        view: HexView,
        explanation: Callable[[], Explanation],
        kernel: Callable[[], KernelFound | None],
    ) -> None:
        """`explanation` explains what is under the cursor now; `kernel` returns what the kernel's tables say."""
        self._panes, self._view, self._explanation, self._kernel = panes, view, explanation, kernel
        self._made: dict[str, Widget] = {}
        self._kept: set[str] = set()
        """Those that a key opened: they stay, whatever the room."""
        self._closed: set[str] = set()
        """Those that a key closed: they do not open by themselves again."""
        self._timer: Timer | None = None

    def is_open(self, name: str) -> bool:
        """Return whether a pane is shown."""
        return name in self._made and bool(self._made[name].display)

    def fit(self, fitting: Collection[str]) -> None:
        """Open those of `fitting`, and close others that opened by themselves."""
        for name in _BESIDE:
            if name not in self._kept and (name in fitting and name not in self._closed) != self.is_open(name):
                self._switch(name, not self.is_open(name))

    def toggle(self, name: str) -> bool:
        """Open or close a pane by a key; return whether it is open."""
        if self.is_open(name):
            self.close(name)
            return False
        self._kept.add(name)
        self._closed.discard(name)
        self._switch(name, True)
        return True

    def close(self, name: str) -> bool:
        """Close a pane by a key, for good; return False if it is not open."""
        if not self.is_open(name):
            return False
        self._kept.discard(name)
        self._closed.add(name)
        if self._made[name].has_focus:
            self._view.focus()
        self._switch(name, False)
        return True

    def _switch(self, name: str, on: bool) -> None:
        if on and name not in self._made:
            made = self._made[name] = self._make(name)
            self._panes.mount(made, after=_BESIDE[name])
        self._made[name].display = on
        if name in _CLASSES:
            self._panes.screen.set_class(on, _CLASSES[name])
        if on:
            self._panes.call_after_refresh(self._show, name)

    def _make(self, name: str) -> Widget:
        if name == "about":
            return About()
        if name == "tree":
            return StructureColumn(self._view.document)
        return Inspector(self._view, self._kernel) if name == "inspector" else FileMap()

    def _show(self, name: str) -> None:
        """Fill a pane that has its place now; the hex view may have another height, and Textual sends it no resize."""
        self._view.on_resize()
        self.show_state()
        self._follow(name)

    # Following

    def show_state(self) -> None:
        """Show the parts of the document as it is now."""
        if (widget := self._map) is not None:
            widget.show_state(self._view.document, self._view.changed)
        if (tree := self._tree) is not None:
            tree.show_state(self._view.document)

    def go_to_part(self, index: int) -> None:
        """Go to a part of the file in the hex view."""
        span = self._map.span(index) if self._map is not None else None
        if span is not None:
            self._view.go(span.offset)
            self._view.highlight_place()
            self._view.post_message(self._view.Moved(span.offset))

    @property
    def _map(self) -> FileMap | None:
        widget = self._made.get("map")
        return widget if isinstance(widget, FileMap) and widget.display else None

    def node(self) -> Node | None:
        """Return the node under the cursor of the tree."""
        return self._tree.node() if self._tree is not None else None

    @property
    def _tree(self) -> StructureColumn | None:
        widget = self._made.get("tree")
        return widget if isinstance(widget, StructureColumn) and widget.display else None

    def moved(self) -> None:
        """Follow the cursor: the inspector at once where a key opened it, the others once the cursor rests."""
        if "inspector" in self._kept:
            self._follow("inspector")
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._panes.set_timer(_REST_SECONDS, self._rest) if any(map(self.is_open, _BESIDE)) else None

    def _rest(self) -> None:
        for name in _BESIDE:
            self._follow(name)

    def _follow(self, name: str) -> None:
        """Show in a pane what is under the cursor now."""
        widget = self._made.get(name) if self.is_open(name) else None
        if isinstance(widget, About):
            widget.explain(self._explanation())
        elif isinstance(widget, Inspector):
            widget.show_place()
        elif isinstance(widget, (FileMap, StructureColumn)):
            widget.show_place(self._view.cursor)
