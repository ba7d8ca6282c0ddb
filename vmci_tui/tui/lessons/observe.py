"""Collect the state that conditions of lessons check, and mark the widget that a step is about."""

from __future__ import annotations

from typing import Final

from textual.app import App
from textual.screen import Screen

from vmci_tui.lessons.conditions import UiState
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.hex import BytesPane, HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.pane_table import NAMES, PANES
from vmci_tui.tui.panes.panes import Panes
from vmci_tui.tui.widgets.pane_bar import PaneBar

_SELECTORS: Final = {
    **{pane.name: f"#{pane.box_id}" for pane in PANES},
    "readers": "#readers, #qemu",
    "choices": ".choices",
    "footer": "KeyFooter",
}
"""Selectors for the places that a step can name; any other place is the id of a widget."""


def main_screen(app: App[None]) -> MainScreen | None:
    """Return the topmost main screen of the stack; None if there is none."""
    return next((screen for screen in reversed(app.screen_stack) if isinstance(screen, MainScreen)), None)


def ui_state(app: App[None], changed: bool) -> UiState:
    """Return what is open and shown now; `changed` says whether the lesson's file changed since its start."""
    name = getattr(app.screen, "lesson_name", "other")
    main = main_screen(app)
    if main is None or not main.is_mounted:
        return UiState(screen=name, changed=changed)
    entry, view = main.query_one(EntryList), main.query_one(HexPane)
    shown = next(iter(app.screen.query(BytesPane)), view)
    target, line, finding = entry.target(), main.query_one(KeysList).line(), main.query_one(FindingsList).finding()
    focused = main.focused.id if main.focused is not None else None
    return UiState(
        document=main.document,
        judgement=main.session.judgement,
        screen=name,
        pane=focused if focused in NAMES else "",
        key=(line.key or b"") if line is not None else b"",
        finding=finding.code if finding is not None else "",
        field=target.key if target is not None and target.kind == "field" else "",
        write=target.number + 1 if target is not None and target.kind == "write" else 0,
        cursor=shown.cursor,
        record=getattr(app.screen, "record_number", None),
        place=view.place(),
        explaining=main.query_one(Panes).is_open("about"),
        changed=changed,
    )


def point_at(screen: Screen[object], place: str) -> None:
    """Mark the widget that a step names, and no other."""
    wanted = screen.query(_SELECTORS.get(place, f"#{place}")) if place else ()
    for widget in screen.query(".pointed"):
        if widget not in wanted:
            widget.remove_class("pointed")
    for widget in wanted:
        widget.add_class("pointed")
    if isinstance(screen, MainScreen):
        screen.query_one(PaneBar).point(place)
