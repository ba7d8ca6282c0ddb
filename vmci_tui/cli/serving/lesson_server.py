"""The web server of `vmci serve`: the page of textual-serve, for its own origin only, with a limit of sessions."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiohttp import WSCloseCode, web
from textual_serve.server import Server

from vmci_tui.cli.serving.lesson_page import lesson_page
from vmci_tui.cli.serving.lesson_session import MESSAGE_LIMIT, clamped, run_session

_HEARTBEAT: Final = 15.0
"""Seconds between two pings of a page."""
_PATIENCE: Final = 1.0
"""Seconds to wait for a page to close its websocket, and for the server to end."""
_RETRY: Final = 5
"""Seconds after which a page that got no session reloads."""
_BACKLOG: Final = 1024
_FULL_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="{retry}"><title>vmci lessons: no free session</title></head>
<body><h1>No free session</h1><p>{words}.</p><p>This page tries again every {retry} seconds.</p></body></html>
"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LessonServer(Server):
    """Run one process for each open page, `most` at a time."""

    def __init__(self, command: Sequence[str], listening: socket.socket, most: int, scratch: str, title: str) -> None:
        """Serve on `listening`; each run of `command`, which draws the lessons, gets its own folder in `scratch`.

        `title` is that of the page.
        """
        host, port = listening.getsockname()[:2]
        super().__init__("", host, port, title)
        self._command, self._listening, self._most, self._scratch = command, listening, most, scratch
        self._sessions: set[asyncio.Task[Any]] = set()

    def serve(self, debug: bool = False) -> None:
        """Serve until SIGINT or SIGTERM; then end all sessions at once."""
        self.initialize_logging()
        application = self._make_app()
        web.run_app(
            application, sock=self._listening, print=None, shutdown_timeout=_PATIENCE, backlog=_BACKLOG, access_log=None
        )

    def initialize_logging(self) -> None:
        """Log warnings to stderr; stdout carries data only."""
        logging.basicConfig(level=logging.WARNING, format="vmci: %(message)s")

    async def _make_app(self) -> web.Application:
        application: web.Application = await super()._make_app()
        application.middlewares.append(self._only_by_its_name)
        application.on_cleanup.append(self._wait_for_sessions)
        return application

    async def on_startup(self, app: web.Application) -> None:
        """End on SIGHUP, SIGQUIT and the user signals as on SIGTERM; unlike the base class, print nothing to stdout."""
        for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self.request_exit)

    async def on_shutdown(self, app: web.Application) -> None:
        """Cancel every session; else the server would wait for them."""
        for task in self._sessions:
            task.cancel()

    async def _wait_for_sessions(self, app: web.Application) -> None:
        """Wait until every process is reaped: the loop closes next and would leave their pipes open."""
        if self._sessions:
            await asyncio.wait(self._sessions)

    @web.middleware
    async def _only_by_its_name(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests for another host name: a foreign site may let its name resolve to this machine."""
        if f"http://{request.host}" != self.public_url:
            raise web.HTTPForbidden(text=f"open {self.public_url}")
        return await handler(request)

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Return the page, or why there is none; nothing in it is fetched from elsewhere."""
        if self._is_full:
            text = _FULL_PAGE.format(words=self._full_words, retry=_RETRY)
            headers = {"Retry-After": str(_RETRY)}
            return web.Response(text=text, content_type="text/html", status=503, headers=headers)
        static = f"{self.public_url}/static/"
        websocket = f"{self.public_url.replace('http', 'ws', 1)}/ws"
        text = lesson_page(self.title, static, websocket, request.query.get("fontsize"))
        return web.Response(text=text, content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a session. Refuse pages of other sites, which can reach this machine from the same browser."""
        if request.headers.get("Origin") != self.public_url:
            raise web.HTTPForbidden(text="this is for the page of vmci serve only")
        websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT, timeout=_PATIENCE, max_msg_size=MESSAGE_LIMIT)
        await websocket.prepare(request)
        if self._is_full:
            await websocket.send_bytes(f"\x1b[2J\x1b[H{self._full_words}. Close one, then reload\r\n".encode())
            await websocket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=self._full_words.encode())
            return websocket
        size = clamped(request.query.get("width"), request.query.get("height"))
        session = asyncio.create_task(run_session(websocket, self._command, size, self._scratch))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)
        await asyncio.shield(session)  # on a busy machine the ending server cancels this twice
        await websocket.close()
        return websocket

    @property
    def _is_full(self) -> bool:
        return len(self._sessions) >= self._most

    @property
    def _full_words(self) -> str:
        return f"{self._most} sessions are open, the most that vmci serve allows"
