"""The table of the main screen's panes, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from textual.widget import Widget

from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsPane
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysPane
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.session import Session


class Pane(NamedTuple):
    """A pane of the main screen."""

    name: str
    """Also the id of its widget that takes the focus."""
    title: str
    box: Callable[[Session], Widget]
    """Makes the widget with the border, which may also be the one that takes the focus."""
    box_id: str
    of_entry: bool = True
    """Whether it is shown for an entry without a dump."""


PANES: Final = (
    Pane("entry", "1 Entry", EntryList, "entry"),
    Pane("notes", "2 Notes", NotesList, "notes", of_entry=False),
    Pane("keys", "3 Keys", KeysPane, "keys-pane", of_entry=False),
    Pane("findings", "4 Findings", FindingsPane, "findings-pane"),
    Pane("hex", "5 Hex", HexPane, "hex"),
)
NAMES: Final = tuple(pane.name for pane in PANES)
COLUMNS: Final = {"left": PANES[:3], "right": (PANES[4], PANES[3])}
"""The panes of each column, from the top."""
