"""Copying what is selected from the main screen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.tui.actions.navigate_actions import WayActions
from vmci_tui.tui.panes.panes import EntryList, FindingsList, HexPane, KeysList, NotesList
from vmci_tui.tui.widgets.line_list import LineList

if TYPE_CHECKING:
    from vmci_tui.common.span import Span
    from vmci_tui.render.copy_formats import Piece

_LIMIT = 64 << 10
"""Bytes that are copied at most: a terminal takes no larger clipboard over ssh."""
_NO_CLIPBOARD = ("linux", "dumb", "vt100", "vt102", "vt220", "ansi")
"""Terminals, by TERM, that know no clipboard."""


def lacks_clipboard(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known not to take OSC 52; most others take it."""
    return (
        environment.get("TERM", "") in _NO_CLIPBOARD
        or environment.get("TERM_PROGRAM") == "Apple_Terminal"
        or ("VTE_VERSION" in environment and "TMUX" not in environment)
    )


class CopyActions(WayActions):
    """Copying from the main screen."""

    def action_copy(self) -> None:
        """Copy what the focused pane has selected: printable ASCII, one line where it is a value."""
        text = self._selected_text()
        if not text:
            self.say("nothing is selected", "warning")
            return
        self.app.copy_to_clipboard(text)
        lacking = "; this terminal takes no clipboard: C writes a file" if lacks_clipboard(os.environ) else ""
        if isinstance(self.focused, HexPane) and self.focused.mark[1] - self.focused.mark[0] > _LIMIT:
            lacking += f"; that is the first {_LIMIT} bytes, a clipboard takes no more: vmci hex prints all"
        self.say(f"copied {len(text)} characters{lacking}", "warning" if lacking else "information")

    def action_copy_as(self) -> None:
        """Choose the form, and where it goes."""
        from vmci_tui.tui.screens.copy_screen import CopyScreen

        try:
            piece = self.selected_piece()
        except VmciError as error:
            self.say(str(error), "error")
            return
        if piece is None or not piece.data:
            self.say("nothing is selected that has bytes", "warning")
            return
        self.app.push_screen(CopyScreen(piece, self.vmci.settings.blink))

    def _selected_text(self) -> str:
        focused = self.focused
        if isinstance(focused, KeysList) and focused.shown.lines:
            return visible(focused.shown.lines[focused.cursor].body)
        if isinstance(focused, FindingsList) and (finding := focused.finding()):
            return f"{finding.code} {finding.severity}: {finding.message}"
        if isinstance(focused, LineList) and focused.rows:
            return "".join(text for text, _ in focused.rows[focused.cursor]).strip()
        from vmci_tui.render.copy_formats import as_hexdump

        return as_hexdump(self._of_hex_view())

    def selected_piece(self) -> Piece | None:
        """The bytes of what the focused pane has selected; None where they are none, or lie in no file."""
        from vmci_tui.render.copy_formats import Piece

        focused, document = self.focused, self.document
        if isinstance(focused, KeysList):
            if focused.cursor >= len(focused.shown.lines):
                return None
            line, index = focused.shown.lines[focused.cursor], document.state.index
            assert index is not None
            start = document.layout.note_offsets[index] + document.layout.notes[index].desc_start
            return Piece(line.body, Safe(visible(line.key or b"a line")[:40]), start + line.offset)
        if isinstance(focused, NotesList):
            if focused.cursor >= len(document.layout.notes):
                return None
            at, note = document.layout.note_offsets[focused.cursor], document.layout.notes[focused.cursor]
            return self._of_file(at, len(note.raw), Safe(f"note {focused.cursor}"))
        if isinstance(focused, EntryList):
            target = focused.target()
            return self._of_entry(target.span if target is not None else None)
        if isinstance(focused, FindingsList):
            finding = focused.finding()
            if finding is None or finding.span is None:
                return None
            if finding.span.of == "entry":
                return self._of_entry(finding.span)
            return self._of_file(finding.span.offset, finding.span.length, Safe(f"the bytes of {finding.code}"))
        return self._of_hex_view()

    def _of_entry(self, span: Span | None) -> Piece | None:
        history = self.document.state.entry
        if history is None:
            return None
        from vmci_tui.render.copy_formats import Piece

        start, length = (span.offset, span.length) if span is not None else (0, 16)
        what = Safe("the entry" if length == 16 else "a field of the entry")
        return Piece(history.entry.pack()[start : start + length], what, start)

    def _of_hex_view(self) -> Piece:
        """The marked field, or the row of 16 bytes."""
        view = self.query_one(HexPane)
        start, end = view.mark
        if start != end:
            return self._of_file(start, end - start, Safe("what is marked"))
        start = view.cursor - view.cursor % 16
        return self._of_file(start, 16, Safe("the row"))

    def _of_file(self, start: int, length: int, what: Safe) -> Piece:
        from vmci_tui.render.copy_formats import Piece

        total = self.query_one(HexPane).total
        if length > _LIMIT:
            what = Safe(f"the first {_LIMIT >> 10} KiB of {what}")
        return Piece(self.document.read(start, max(min(length, _LIMIT, total - start), 0)), what, start)
