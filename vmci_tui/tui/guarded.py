"""Widgets whose errors do not end the app: each error is reported in one line and logged.

Textual ends the app at any exception. The classes here catch it in handlers of messages and while
painting; all others (timers, workers, callbacks after a paint) reach the app's `_handle_exception`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.strip import Strip
from textual.widget import Widget

from vmci_tui.tui.host import host

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.message import Message

_NOT_SHOWN = "cannot be shown"


def stands(node: DOMNode) -> bool:
    """Return whether a late result may be shown in a node: it is in the app, and is not being removed.

    Textual calls a screen attached until it is gone, after its children.
    """
    return node.is_attached and not node._pruning


class Guarded(MessagePump):
    """A widget, a screen or the app whose handlers may fail; the next message is still handled.

    One that is being removed may lack what its handlers look for: that is not an error.
    """

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except NoMatches as error:
            if not isinstance(self, DOMNode) or stands(self):
                host(self).failed(error)
        except Exception as error:  # a handler's error must not end the app
            host(self).failed(error)


class GuardedWidget(Guarded, Widget):
    """A widget whose painting may fail; a short text is shown instead."""

    def render_lines(self, crop: Region) -> list[Strip]:
        try:
            return super().render_lines(crop)
        except Exception as error:  # the other widgets are still painted
            host(self).failed(error, painting=True)
            text = _NOT_SHOWN[crop.x : crop.right].ljust(crop.width)
            blank = Strip([Segment(" " * crop.width)], crop.width)
            return [Strip([Segment(text)], crop.width)] + [blank] * (crop.height - 1) if crop.height else []
