"""Explain what is under the cursor of the pane that has the focus."""

from __future__ import annotations

from textual.widget import Widget

from vmci_tui.containers import Layout
from vmci_tui.render.explained.entry_parts import of_entry, of_step
from vmci_tui.render.explained.explanation import Explanation, of_finding, of_line
from vmci_tui.render.explained.file_parts import of_byte, of_node, of_note
from vmci_tui.render.explained.reader_verdict import verdict_lines
from vmci_tui.structure.head import tree_of
from vmci_tui.structure.node import Node
from vmci_tui.tui.companions.companions import Companions
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.qemu import QemuPane
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.session import Session
from vmci_tui.tui.widgets.structure_list import StructureList

_PANES = {
    **{name: name for name in ("findings", "readers", "notes", "keys", "entry", "qemu", "hex", "tree")},
    "why": "findings",
    "inspector": "hex",
    "filter": "keys",
}
"""The pane that is explained while a widget has the focus; for any other one it stays the last pane."""
_NOT_YET = Explanation("not checked yet", ("The readers are judging the file.",))


def make_companions(panes: Widget, view: HexPane, session: Session) -> Companions:
    """Return the panes that follow the cursor of the others."""
    return Companions(panes, view, Subjects(panes, session).now, lambda: session.kernel)


class Subjects:
    """Knows the panes of one main screen."""

    def __init__(self, panes: Widget, session: Session) -> None:
        self._panes, self._session = panes, session
        self._pane = "keys"
        self._tree: tuple[Layout, Node] | None = None
        """The structure of the layout that was shown last."""

    def now(self) -> Explanation:
        """Return the explanation of what is under the cursor now."""
        focused = self._panes.screen.focused
        self._pane = _PANES.get(focused.id or "", self._pane) if focused is not None else self._pane
        find, document = self._panes.query_one, self._session.document
        match self._pane:
            case "findings":
                finding = find(FindingsList).finding()
                return of_finding(finding) if finding is not None else _finding_none(find(FindingsList))
            case "readers":
                return self._reader(find(ReadersPane).reader)
            case "notes" if find(NotesList).cursor < len(document.layout.notes):
                return of_note(document, find(NotesList).cursor)
            case "entry":
                entry = find(EntryList)
                target = entry.target()
                write = target.number if target is not None and target.kind == "write" else None
                return of_entry(document.state.entry, target.key if target else "", write, entry.described())
            case "qemu":
                return of_step(find(QemuPane).columns, find(QemuPane).cursor - 1)
            case "hex":
                return self._byte(find(HexPane))
            case "tree" if (node := find(StructureList).node()) is not None:
                return of_node(node, find(StructureList).names())
        keys = find(KeysList)
        return of_line(keys.shown.shown_line(keys.cursor), keys.proof())

    def _reader(self, name: str | None) -> Explanation:
        judgement = self._session.judgement
        if judgement is None or name is None:
            return _NOT_YET
        way = "Press R to search guest memory"
        lines = verdict_lines(judgement.both.now[name], judgement.both.after[name], judgement.found, (), way)
        return Explanation(f"reader {name}", tuple(lines))

    def _byte(self, view: HexPane) -> Explanation:
        document, place = self._session.document, view.place()
        if place is None:
            return Explanation("no bytes", ("There is no byte in this file.",))
        if self._tree is None or self._tree[0] is not document.layout:
            self._tree = document.layout, tree_of(document)
        return of_byte(document, self._tree[1], place, view.cursor, self._session.kernel)


def _finding_none(listed: FindingsList) -> Explanation:
    return Explanation("findings", (listed.selected_text() or listed.empty,))
