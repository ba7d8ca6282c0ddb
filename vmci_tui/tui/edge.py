"""Where an error of vmci's own ends: it is told in a line, kept in a log, and everything else goes on.

Textual ends the app at any exception. What handles messages here catches it before, or the loop of
messages behind it would end; what paints gives a word instead of its lines; all that is left
(timers, workers, what runs after a paint) comes to `_handle_exception`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rich.segment import Segment
from textual.strip import Strip
from textual.worker import WorkerFailed

from vmci_tui.common import mishap
from vmci_tui.common.errors import VmciError
from vmci_tui.tui.style.cells import safe

if TYPE_CHECKING:
    from textual.app import App
    from textual.geometry import Region
    from textual.message import Message
    from textual.message_pump import MessagePump
    from textual.widget import Widget

    _App = App[None]
    _Pump = MessagePump
    _Widget = Widget
else:
    _App = _Pump = _Widget = object  # each further class of Textual's is 0.4 ms of the first paint

_NOT_SHOWN = "cannot be shown"


class Guarded(_Pump):
    """A widget, a screen or the app whose handlers may fail: the next message is handled all the same."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # the edge: nothing that a handler raises may end the app
            cast("EdgeApp", self.app).failed(error)


class Painted(Guarded, _Widget):
    """A widget whose painting may fail: a word stands for it."""

    def render_lines(self, crop: Region) -> list[Strip]:
        try:
            return super().render_lines(crop)
        except Exception as error:  # the edge: the other widgets are painted
            cast("EdgeApp", self.app).failed(error, painting=True)
            text = _NOT_SHOWN[crop.x : crop.right].ljust(crop.width)
            blank = Strip([Segment(" " * crop.width)], crop.width)
            return [Strip([Segment(text)], crop.width)] + [blank] * (crop.height - 1) if crop.height else []


class EdgeApp(Guarded, _App):
    """Tells of what failed."""

    allowed: Any
    _up = False
    """Whether the first picture was painted: before, a failure ends the app, and is printed."""
    _told: frozenset[mishap.Mishap] = frozenset()

    def failed(self, error: BaseException, painting: bool = False) -> None:
        """Say in a line what went wrong. While painting, only the first time: telling paints too."""
        if isinstance(error, WorkerFailed):
            error = error.error
        if isinstance(error, VmciError):
            self.tell_failure(safe(str(error)))
            return
        found = mishap.note(error)
        if not (painting and found in self._told):
            self._told |= {found}
            self.call_later(self._tell, found)

    def tell_mishaps(self) -> None:
        """Say what went wrong in a judgement, which goes on without the reader in which it did."""
        for found in mishap.seen:
            if found not in self._told:
                self._told |= {found}
                self._tell(found)

    def _tell(self, found: mishap.Mishap) -> None:
        from vmci_tui.common.error_log import keep

        kept = keep(found)
        # Whoever opens a page in a browser is not told where the files of this machine lie.
        where = f"; to report it, send {kept}" if kept is not None and self.allowed is None else ""
        self.tell_failure(f"{found}{where}")

    def tell_failure(self, words: str) -> None:
        """In the status line of the screen, and as a message: the line is soon another one."""
        from vmci_tui.tui.widgets.status_line import StatusLine

        for line in self.screen.query("#status, #progress").results(StatusLine):
            line.tell(words)
        self.notify(words, severity="error", markup=False)

    def _handle_exception(self, error: Exception) -> None:
        if self._up:
            self.failed(error, painting=True)
        else:
            super()._handle_exception(error)
