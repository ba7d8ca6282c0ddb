"""Keys that come faster than the app can follow go where they would go if they were typed slowly.

Over a slow line keys arrive in bursts. Without this, what is typed behind the key that opens a
dialog is gone, for it was meant for a field that was not there yet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump

    _Base = App[None]
else:
    _Base = object  # a second class of Textual's for one app would be 3 ms of the first paint

_ROUNDS = 2
"""What a key does may itself be a message that goes the same way up once more: a field that was submitted."""
_PATIENCE = 0.5
"""Seconds for a widget to follow; one that is just being taken away never answers."""


_MOVES = frozenset(("up", "down", "left", "right", "pageup", "pagedown", "home", "end"))
"""Keys that leave the focus where it is."""


class TypedAheadApp(_Base):
    """Holds a key (or a paste) back while the one before is being followed."""

    _following: asyncio.Task[None] | None = None
    _released: events.Event | None = None
    _moved = False
    """Whether the last key was one of the moves."""

    def __init__(self, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._held: deque[events.Event] = deque()

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded or self.is_headless:
            await super().on_event(event)
        elif self._following is not None and event is not self._released:
            self._held.append(event)
        else:
            self._moved = isinstance(event, events.Key) and event.key in _MOVES
            await super().on_event(event)
            self._following = self._following or asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        try:
            await self._quiet()
            while self._held:
                if self._may_go_elsewhere(self._held[0]):
                    await _reached(self.screen, painted=True)
                self._released = self._held.popleft()
                self.post_message(self._released)
                await self._quiet()
        finally:
            self._following = self._released = None

    def _may_go_elsewhere(self, held: events.Event) -> bool:
        """Whether the key before may move the focus first; that comes after its paint: another pane was shown.

        A key behind one that only moves the cursor, and a letter for a field, need no wait of a frame each.
        """
        if not isinstance(held, events.Key) or self._moved:
            return False
        focused = self.focused
        return focused is None or not focused.check_consume_key(held.key, held.character)

    async def _quiet(self) -> None:
        """Until the last key was handled by what has the focus and all above it, and what it opened is there."""
        screen = None
        while screen is not self.screen:
            screen = self.screen
            for _ in range(_ROUNDS):
                await _reached(self)
                for node in (self.focused or self.screen).ancestors_with_self:
                    await _reached(node)


async def _reached(node: MessagePump, painted: bool = False) -> None:
    """Until all that was sent to it by now is handled, and painted."""
    done = asyncio.Event()
    if (node.call_after_refresh if painted else node.call_later)(done.set):
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(done.wait(), _PATIENCE)
