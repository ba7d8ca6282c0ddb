"""Copying what is selected in the pane that has the focus."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, cast

from vmci_tui.common.errors import VmciError
from vmci_tui.tui.asking import say
from vmci_tui.tui.clipboard import MOST, lacks_clipboard
from vmci_tui.tui.panes.hex import BytesPane
from vmci_tui.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.render.copy_formats import Piece


class _HasPiece(Protocol):
    """A pane whose selection has bytes."""

    def selected_piece(self) -> Piece | None:
        """Return them; None where nothing is selected, or it is not bytes of a file."""


def copy(screen: Screen[None]) -> None:
    """Copy the selection: printable ASCII, one line where it is a value; of other widgets the hex view's."""
    view, focused = screen.query_one(BytesPane), screen.focused
    text = focused.selected_text() if isinstance(focused, LineList) else ""
    text = text or view.selected_text()
    if not text:
        say(screen, "nothing is selected", "warning")
        return
    screen.app.copy_to_clipboard(text)
    lacking = "; this terminal takes no clipboard: C writes a file" if lacks_clipboard(os.environ) else ""
    if focused is view and view.mark[1] - view.mark[0] > MOST:
        lacking += f"; that is the first {MOST} bytes, a clipboard takes no more: vmci hex prints all"
    say(screen, f"copied {len(text)} characters{lacking}", "warning" if lacking else "information")


def copy_as(screen: Screen[None]) -> None:
    """Choose the form, and where it goes."""
    from vmci_tui.tui.screens.copy_screen import CopyScreen

    pane = screen.focused if hasattr(screen.focused, "selected_piece") else screen.query_one(BytesPane)
    try:
        piece = cast("_HasPiece", pane).selected_piece()
    except VmciError as error:
        say(screen, str(error), "error")
        return
    if piece is None or not piece.data:
        say(screen, "nothing is selected that has bytes", "warning")
    else:
        screen.app.push_screen(CopyScreen(piece))
