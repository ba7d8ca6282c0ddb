"""The table of the panes: their names, their keys, and for which files each is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from textual.binding import Binding
from textual.widget import Widget

from vmci_tui.document.document import Document
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsPane
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysPane
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.session import Session


class Pane(NamedTuple):
    """A pane of the main screen."""

    name: str
    """Also the id of its widget that takes the focus."""
    words: str
    """Its title, without the number."""
    box: Callable[[Session], Widget]
    """Makes the widget with the border, which may also be the one that takes the focus."""
    box_id: str
    number: str = ""
    """Its key if a dump is open; empty if it is not shown for a dump."""
    alone: str = ""
    """Its key if only an entry is open; empty if it is not shown then."""

    def fits(self, document: Document) -> bool:
        """Return whether it is shown for this document; what is about the entry of a dump only if one is open."""
        if document.dump is None:
            return bool(self.alone)
        return bool(self.number) and (self.name not in ("entry", "qemu") or document.state.entry is not None)

    def title(self, document: Document) -> str:
        """Return its title with the number that is its key."""
        return f"{self.key(document)} {self.words}"

    def key(self, document: Document) -> str:
        """Return the key that goes to it; empty if it is not shown."""
        return self.alone if document.dump is None else self.number


def _qemu_pane(session: Session) -> Widget:
    from vmci_tui.tui.panes.qemu import QemuPane

    return QemuPane(session)


PANES: Final = (
    Pane("findings", "Findings", FindingsPane, "findings-pane", "1", "4"),
    Pane("readers", "Readers", ReadersPane, "readers", "2"),
    Pane("notes", "Notes", NotesList, "notes", "3"),
    Pane("keys", "Note text", KeysPane, "keys-pane", "4"),
    Pane("hex", "Bytes", HexPane, "hex", "5", "3"),
    Pane("qemu", "What QEMU will do", _qemu_pane, "qemu", "6", "2"),
    Pane("entry", "Entry", EntryList, "entry", "7", "1"),
)
"""The panes of a dump in their order. Tab goes through them by their keys."""
NAMES: Final = tuple(pane.name for pane in PANES)


def tabs(document: Document, findings: str) -> tuple[tuple[str, str], ...]:
    """Return (pane, label) for each pane of this document; `findings` says how many there are."""
    panes = sorted((pane for pane in PANES if pane.fits(document)), key=lambda pane: pane.key(document))
    titles = ((pane.name, _tab(pane, document)) for pane in panes)
    return tuple((name, f"{title} ({findings})" if name == "findings" else title) for name, title in titles)


def _tab(pane: Pane, document: Document) -> str:
    """Return the label of a tab; beside the panes of a dump there is only room for a word."""
    return f"{pane.number} QEMU" if pane.name == "qemu" and document.dump is not None else pane.title(document)


def _bindings(alone: bool) -> Iterator[Binding]:
    for pane in PANES:
        if key := pane.alone if alone else pane.number:
            action, group = ("pane_alone", "alone") if alone else ("pane", "pane")
            yield bind(
                key, f"{action}('{pane.name}')", pane.words, f"Go to {pane.words}", f"{group}.{pane.name}", False
            )


PANE_BINDINGS: Final = (*_bindings(False), *_bindings(True))
"""The keys of the panes, for a dump and for an entry alone."""
