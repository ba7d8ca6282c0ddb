"""Copy the selection of the focused pane: bytes of the entry or the file, or a line."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.layers.waiting import NotReadYet, without_waiting
from vmci_tui.tui.host import host
from vmci_tui.tui.prompts import say
from vmci_tui.tui.terminal import MAX_BYTES, lacks_clipboard
from vmci_tui.tui.widgets.hex_view import HexView
from vmci_tui.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.render.copy_formats import CopiedBytes


class _SelectsBytes(Protocol):
    """A pane whose selected bytes can be copied."""

    def selection_reader(self) -> Callable[[], CopiedBytes | None]:
        """Return what reads the selected bytes, in any thread; it returns None if there are none."""


def copy(screen: Screen[Any]) -> None:
    """Copy the selected text of the focused list, else of the hex view."""
    view, focused, app = screen.query_one(HexView), screen.focused, screen.app
    lost = focused is view and view.highlight[1] - view.highlight[0] > MAX_BYTES

    def put(text: str) -> None:
        app.copy_to_clipboard(text)
        lacking = "; this terminal has no clipboard: C writes a file" if lacks_clipboard(os.environ) else ""
        if lost:
            lacking += f"; only the first {MAX_BYTES} bytes fit into a clipboard: vmci hex prints all"
        say(app, f"copied {len(text)} characters{lacking}", "warning" if lacking else "information")

    def put_bytes(copied: CopiedBytes | None) -> None:
        from vmci_tui.render.copy_formats import as_hexdump

        if copied is None or not copied.data:
            say(app, "nothing is selected", "warning")
        else:
            put(as_hexdump(copied))

    text = focused.selected_text() if isinstance(focused, LineList) else ""
    if text:
        put(text)
    else:
        _read(screen, cast("_SelectsBytes", view), put_bytes)


def copy_as(screen: Screen[Any]) -> None:
    """Let the user choose the format and the target of the selected bytes."""
    from vmci_tui.tui.panes.copy_screen import CopyScreen

    app = screen.app

    def choose(copied: CopiedBytes | None) -> None:
        if copied is None or not copied.data:
            say(app, "the selection has no bytes", "warning")
        elif app.screen is screen:  # else the user went on before they came
            app.push_screen(CopyScreen(copied))

    pane = screen.focused if hasattr(screen.focused, "selection_reader") else screen.query_one(HexView)
    _read(screen, cast("_SelectsBytes", pane), choose)


def _read(screen: Screen[Any], pane: _SelectsBytes, done: Callable[[CopiedBytes | None], None]) -> None:
    """Read the selected bytes: at once, or in a thread where a running VM must be asked for them."""
    app, read = screen.app, pane.selection_reader()

    def failed(error: Exception) -> None:
        if isinstance(error, VmciError):
            say(app, str(error), "error")
        else:
            host(app).failed(error)

    try:
        with without_waiting():
            copied = read()
    except NotReadYet:
        from vmci_tui.tui.background import Asides, Background

        say(app, "asking the VM for these bytes")
        asks: Background[CopiedBytes | None] = Background(app.call_later, Asides())
        asks.ask(lambda _: read(), done, failed, 0)
    except VmciError as error:
        failed(error)
    else:
        done(copied)


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
