"""Copy the selection of the focused pane: bytes of the entry or the file, or a line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol, cast

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.tui.prompts import say
from vmci_tui.tui.terminal import MAX_BYTES, lacks_clipboard
from vmci_tui.tui.widgets.hex_view import HexView
from vmci_tui.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.render.copy_formats import CopiedBytes


class _SelectsBytes(Protocol):
    """A pane that can copy its selection."""

    def selected_text(self) -> str:
        """Return the selection as text."""

    def selected_bytes(self) -> CopiedBytes | None:
        """Return the selected bytes; None if there are none."""


def copy(screen: Screen[Any]) -> None:
    """Copy the selected text of the focused list, else of the hex view."""
    view, focused = screen.query_one(HexView), screen.focused
    text = focused.selected_text() if isinstance(focused, LineList) else ""
    text = text or cast("_SelectsBytes", view).selected_text()
    if not text:
        say(screen, "nothing is selected", "warning")
        return
    screen.app.copy_to_clipboard(text)
    lacking = "; this terminal has no clipboard: C writes a file" if lacks_clipboard(os.environ) else ""
    if focused is view and view.highlight[1] - view.highlight[0] > MAX_BYTES:
        lacking += f"; only the first {MAX_BYTES} bytes fit into a clipboard: vmci hex prints all"
    say(screen, f"copied {len(text)} characters{lacking}", "warning" if lacking else "information")


def copy_as(screen: Screen[Any]) -> None:
    """Let the user choose the format and the target of the selected bytes."""
    from vmci_tui.tui.panes.copy_screen import CopyScreen

    pane = screen.focused if hasattr(screen.focused, "selected_bytes") else screen.query_one(HexView)
    try:
        copied = cast("_SelectsBytes", pane).selected_bytes()
    except VmciError as error:
        say(screen, str(error), "error")
        return
    if copied is None or not copied.data:
        say(screen, "the selection has no bytes", "warning")
    else:
        screen.app.push_screen(CopyScreen(copied))


def entry_bytes(document: Document, span: Span | None) -> CopiedBytes | None:
    """Return bytes of the entry, all 16 without a span; None if no entry is open."""
    from vmci_tui.render.copy_formats import CopiedBytes

    history = document.state.entry
    if history is None:
        return None
    start, length = (span.offset, span.length) if span is not None else (0, 16)
    what = Safe("the entry" if length == 16 else "a field of the entry")
    return CopiedBytes(history.entry.pack()[start : start + length], what, start)


def file_bytes(document: Document, start: int, length: int, what: Safe) -> CopiedBytes:
    """Return bytes of the file as shown, at most MAX_BYTES of them."""
    from vmci_tui.render.copy_formats import CopiedBytes

    if length > MAX_BYTES:
        what = Safe(f"the first {MAX_BYTES >> 10} KiB of {what}")
    left = document.layout.image.size - start
    return CopiedBytes(document.read(start, max(min(length, MAX_BYTES, left), 0)), what, start)
