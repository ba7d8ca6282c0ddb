"""The footer: the keys that work and make sense now, those of the pane at the left, those of the screen at the right.

Textual's footer is one widget for each key, made anew whenever the focus moves, and is cut at the border of the
screen without a sign. This is one line of text: where the keys do not fit, the last ones are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Button, Input

from vmci_tui.tui.bindings import Choosy, key_name
from vmci_tui.tui.guarded import GuardedWidget
from vmci_tui.tui.style.cells import Cell, Row, line_styles, strip_of

_HELP: Final = ("toggle_keys", "app.toggle_keys")
"""The action of the key for the help."""
_LEAVES: Final = ("Quit", "Back", "Cancel", "Close")
"""The labels of the keys that leave a screen; with the help they are always in the footer."""
_GAP: Final = 2


class FooterKey(NamedTuple):
    """A key of the footer."""

    key: str
    """As Textual names it."""
    shown: str
    label: str

    @property
    def width(self) -> int:
        """Return the cells that it takes, with the gap after it."""
        return len(self.shown) + 1 + len(self.label) + _GAP


class FooterKeys(NamedTuple):
    """All keys of a footer, in the order of their importance."""

    here: tuple[FooterKey, ...]
    """Of the widget with the focus."""
    around: tuple[FooterKey, ...]
    """Of its screen."""
    always: tuple[FooterKey, ...]
    """The keys that are never left out."""

    def fitted(self, width: int) -> FooterKeys:
        """Return the keys that fit into `width` cells: the longer side loses its last key first."""
        here, around = list(self.here), list(self.around)
        room = width - 1 - _wide(self.always)
        while (here or around) and _wide(here) + _wide(around) > room:
            (here if _wide(here) > _wide(around) else around).pop()
        return FooterKeys(tuple(here), tuple(around), self.always)


def _wide(keys: Sequence[FooterKey]) -> int:
    return sum(key.width for key in keys)


def footer_keys(screen: Screen[object]) -> FooterKeys:
    """Return the keys that work and make sense now, but for those that the footer hides."""
    here = list(_enter(screen))
    around: list[FooterKey] = []
    leave: list[FooterKey] = []
    help_key: list[FooterKey] = []
    seen: set[str] = set()
    for node, binding, enabled, _ in screen.active_bindings.values():
        if not enabled or binding.action in seen or not (binding.show or binding.action in _HELP):
            continue
        seen.add(binding.action)
        if isinstance(node, Choosy) and not node.is_useful(binding.action.partition("(")[0]):
            continue
        key = FooterKey(binding.key, key_name(screen.app.get_key_display(binding)), binding.description)
        if binding.action in _HELP:
            help_key = [key]
        elif binding.description in _LEAVES:
            leave = leave or [key]
        else:
            (around if isinstance(node, Screen | App) else here).append(key)
    return FooterKeys(tuple(here), tuple(around), (*leave, *help_key))


def _as_more(key: FooterKey) -> FooterKey:
    """Return the key for the help with a label that says that there are more keys; any other key as it is."""
    return key._replace(label="more") if key.label == "Help" else key


def _enter(screen: Screen[object]) -> Iterator[FooterKey]:
    """Yield what Enter does in a field or on a button, whose own binding for it has no name."""
    focused = screen.focused
    if isinstance(focused, Button):
        yield FooterKey("enter", "Enter", str(focused.label))
    elif isinstance(focused, Input) and (label := getattr(screen, "enter_label", "")):
        yield FooterKey("enter", "Enter", label)


class KeyFooter(GuardedWidget):
    """The line of keys; a click on one presses it."""

    def __init__(self) -> None:
        super().__init__()
        self._at: list[tuple[int, FooterKey]] = []
        """The first column of each key, from the left."""
        self._row: Row = ()
        self._laid = 0
        """The width of the line for which the keys were laid; 0 before the first paint."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _: Screen[object]) -> None:
        if self._laid:  # else the coming paint finds the keys
            before = self._row
            self._lay()
            if self._row != before:
                self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._laid != self.size.width:
            self._lay()
        return strip_of(self._row, self.size.width, line_styles(self.app), self.rich_style)

    def _lay(self) -> None:
        """Put the keys into the line."""
        self._laid = width = self.size.width
        every = footer_keys(self.screen)
        keys = every.fitted(width)
        if keys != every:
            keys = keys._replace(always=tuple(map(_as_more, keys.always)))
        right = (*keys.around, *keys.always)
        self._at, at = [], 1
        for key in keys.here:
            self._at.append((at, key))
            at += key.width
        at = max(at, width - 1 + _GAP - _wide(right)) if keys.here else at
        for key in right:
            self._at.append((at, key))
            at += key.width
        row: list[Cell] = []
        end = 0
        for start, key in self._at:
            row += [(" " * (start - end), "dim"), (key.shown, "press"), (f" {key.label}", "value")]
            end = start + key.width - _GAP
        self._row = tuple(row)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        for first, key in self._at:
            if first <= event.x < first + key.width - _GAP:
                self.app.simulate_key(key.key)
