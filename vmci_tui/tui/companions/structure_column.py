"""The pane with the structure of the file: the rows that lead to the byte under the cursor, and their neighbours."""

from __future__ import annotations

from vmci_tui.common.safe_text import Safe
from vmci_tui.document.document import Document
from vmci_tui.structure.head import tree_of
from vmci_tui.structure.outline import find, first_rows
from vmci_tui.tui.widgets.structure_list import StructureList


class StructureColumn(StructureList):
    """Rows of the tree; those that a user opened stay open as long as the focus is here."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    MainScreen #tree { height: 16; border: round $surface-lighten-2; border-title-color: $text-muted; }
    MainScreen #tree:focus { border: round $accent; border-title-color: $accent; border-title-style: bold; }
    MainScreen #tree:focus:nocolor { border: heavy $accent; }
    """

    def __init__(self, document: Document) -> None:
        super().__init__(tree_of(document), lambda _: Safe(""))  # the whole screen has room for symbols
        self.border_title = "Structure (S for the whole screen)"

    def show_state(self, document: Document) -> None:
        """Show another state of a document; the rows are closed until the next place is shown."""
        self._root, self.outline = tree_of(document), ()

    def show_place(self, offset: int) -> None:
        """Open the rows that lead to a byte, and close all others."""
        if not self.has_focus:
            self._set(*find(first_rows(self._root), self._root, offset))
