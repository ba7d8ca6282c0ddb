"""Where an error of vmci's own ends: it is told in a line, kept in a log, and everything else goes on.

Textual ends the app at any exception. What handles messages here catches it before, or the loop of
messages behind it would end; what paints gives a word instead of its lines; all that is left
(timers, workers, what runs after a paint) comes to `_handle_exception`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.message_pump import MessagePump
from textual.strip import Strip
from textual.widget import Widget

from vmci_tui.tui.host import host

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.message import Message

_NOT_SHOWN = "cannot be shown"


class Guarded(MessagePump):
    """A widget, a screen or the app whose handlers may fail: the next message is handled all the same."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # the edge: nothing that a handler raises may end the app
            host(self).failed(error)


class GuardedWidget(Guarded, Widget):
    """A widget whose painting may fail: a word stands for it."""

    def render_lines(self, crop: Region) -> list[Strip]:
        try:
            return super().render_lines(crop)
        except Exception as error:  # the edge: the other widgets are painted
            host(self).failed(error, painting=True)
            text = _NOT_SHOWN[crop.x : crop.right].ljust(crop.width)
            blank = Strip([Segment(" " * crop.width)], crop.width)
            return [Strip([Segment(text)], crop.width)] + [blank] * (crop.height - 1) if crop.height else []
