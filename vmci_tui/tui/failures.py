"""Report the app's errors: one line on the screen, details in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.worker import WorkerFailed

from vmci_tui.common import internal_errors
from vmci_tui.common.errors import VmciError
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import safe
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from textual.app import App


class Failures:
    """Reports the errors of an app."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._shown: frozenset[internal_errors.InternalError] = frozenset()

    def say(self, error: BaseException, painting: bool = False) -> None:
        """Report an error in one line; while painting only once, because a report paints too."""
        if isinstance(error, WorkerFailed):
            error = error.error
        if isinstance(error, VmciError):
            self.show(safe(str(error)))
            return
        found = internal_errors.record(error)
        if not (painting and found in self._shown):
            self._shown |= {found}
            self._app.call_later(self._show, found)

    def show_mishaps(self) -> None:
        """Report readers that failed in a judgement; it continues without them."""
        for found in internal_errors.recorded:
            if found not in self._shown:
                self._shown |= {found}
                self._show(found)

    def _show(self, found: internal_errors.InternalError) -> None:
        from vmci_tui.common.error_log import log_error

        kept = log_error(found)
        # A user in a browser must not see paths of this machine.
        where = f"; to report it, send {kept}" if kept is not None and host(self._app).allowed is None else ""
        self.show(f"{found}{where}")

    def show(self, words: str) -> None:
        """Show the words in the status line, and as a message, because the line soon changes."""
        for line in self._app.screen.query("#status, #progress").results(StatusLine):
            line.set_text(words)
        self._app.notify(words, severity="error", markup=False)
