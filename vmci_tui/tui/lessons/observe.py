"""What the screens show, as the conditions of lessons see it; and where a step points."""

from __future__ import annotations

from typing import Final

from textual.app import App
from textual.screen import Screen

from vmci_tui.lessons.conditions import PANES, Seen
from vmci_tui.tui.panes.panes import EntryList, FindingsList, HexPane, KeysPane, PaneBar
from vmci_tui.tui.screens.main_screen import MainScreen

SCREENS: Final = {
    "MainScreen": "main",
    "ReadersScreen": "readers",
    "MatrixScreen": "matrix",
    "CandidatesScreen": "candidates",
    "RepairScreen": "repair",
    "WhatNowScreen": "next",
    "SaveScreen": "save",
    "Ask": "ask",
    "Choose": "choose",
    "EditText": "text",
    "Told": "told",
    "StartScreen": "start",
    "LessonsScreen": "lessons",
}
"""By the name of the class: most of the screens are not imported before they are opened."""
_POINTED: Final = {"keys": "#keys-pane", "findings": "#findings-pane", "readers": "#title", "choices": ".choices"}


def main_screen(app: App[None]) -> MainScreen | None:
    """The main screen, under whatever lies over it."""
    return next((screen for screen in reversed(app.screen_stack) if isinstance(screen, MainScreen)), None)


def seen(app: App[None], changed: bool) -> Seen:
    """What is open and shown now; `changed` is whether the lesson's file is another than at its beginning."""
    name = SCREENS.get(type(app.screen).__name__, "other")
    main = main_screen(app)
    if main is None or not main.is_mounted:
        return Seen(screen=name, changed=changed)
    entry, keys, view = main.query_one(EntryList), main.query_one(KeysPane), main.query_one(HexPane)
    target, line, finding = entry.target(), keys.line(), main.query_one(FindingsList).finding()
    focused = main.focused.id if main.focused is not None else None
    return Seen(
        document=main.document,
        judgement=main.judgement,
        screen=name,
        pane=focused if focused in PANES else "",
        key=(line.key or b"") if line is not None else b"",
        finding=finding.code if finding is not None else "",
        field=target.key if target is not None and target.kind == "field" else "",
        write=target.number + 1 if target is not None and target.kind == "write" else 0,
        cursor=view.cursor,
        place=view.place(),
        explaining=bool(keys.query("#about")),
        changed=changed,
    )


def point_at(screen: Screen[object], place: str) -> None:
    """Mark what a step points at, and nothing else."""
    wanted = screen.query(_POINTED.get(place, "Footer" if place == "footer" else f"#{place}")) if place else ()
    for widget in screen.query(".pointed"):
        if widget not in wanted:
            widget.remove_class("pointed")
    for widget in wanted:
        widget.add_class("pointed")
    if isinstance(screen, MainScreen):
        screen.query_one(PaneBar).point(place)
