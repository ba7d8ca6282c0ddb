"""Deliver each queued key to the widget that has the focus after the previous key was fully handled.

Over a slow line keys arrive in bursts. Without the queue, text typed right after the key that
opens a dialog would be lost, because its field does not exist yet.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events

from vmci_tui.common.safe_text import pasted

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump

_ROUNDS = 2
"""A key may post a message that is handled by the same widgets again, as a submitted field does."""
_PATIENCE = 0.5
"""Seconds to wait for a widget; one that is being removed never answers."""
_MOVES = frozenset(("up", "down", "left", "right", "pageup", "pagedown", "home", "end"))
"""Keys that leave the focus where it is."""


class KeyQueue:
    """Delays a key (or a paste) of an app until the one before is handled."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._following: asyncio.Task[None] | None = None
        self._released: events.Event | None = None
        self._moved = False
        """Whether the last key was one of `_MOVES`."""
        self._held: deque[events.Event] = deque()

    async def take(self, event: events.Event, handle: Callable[[events.Event], Awaitable[None]]) -> None:
        """Let the app `handle` an event, now or when the keys before it are done."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded or self._app.is_headless:
            await self._deliver(event, handle)
        elif self._following is not None and event is not self._released:
            self._held.append(event)
        else:
            self._moved = isinstance(event, events.Key) and event.key in _MOVES
            await self._deliver(event, handle)
            self._following = self._following or asyncio.create_task(self._follow())

    async def _deliver(self, event: events.Event, handle: Callable[[events.Event], Awaitable[None]]) -> None:
        """Handle an event; a text that is pasted into a field is shown by the terminal as it is."""
        if isinstance(event, events.Paste) and self._app.screen_stack:
            focused = self._app.focused
            if focused is not None and focused.check_consume_key("x", "x"):
                event.text = pasted(event.text)
        await handle(event)

    async def _follow(self) -> None:
        try:
            await self._quiet()
            while self._held:
                if self._may_go_elsewhere(self._held[0]):
                    await _reached(self._app.screen, painted=True)
                self._released = self._held.popleft()
                self._app.post_message(self._released)
                await self._quiet()
        finally:
            self._following = self._released = None

    def _may_go_elsewhere(self, held: events.Event) -> bool:
        """Return whether the key before may move the focus, which happens after a paint.

        A key after a move of the cursor, and a letter for a field, need not wait for a frame.
        """
        if not isinstance(held, events.Key) or self._moved:
            return False
        focused = self._app.focused
        return focused is None or not focused.check_consume_key(held.key, held.character)

    async def _quiet(self) -> None:
        """Wait until the focused widget and its ancestors have handled the last key, and its new screen is there."""
        screen = None
        while screen is not self._app.screen:
            screen = self._app.screen
            for _ in range(_ROUNDS):
                await _reached(self._app)
                for node in (self._app.focused or self._app.screen).ancestors_with_self:
                    await _reached(node)


async def _reached(node: MessagePump, painted: bool = False) -> None:
    """Wait until all messages sent to the node so far are handled, and painted if asked."""
    done = asyncio.Event()
    if (node.call_after_refresh if painted else node.call_later)(done.set):
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(done.wait(), _PATIENCE)
