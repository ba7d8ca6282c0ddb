"""The web server of `vmci serve`: the page of textual-serve, which answers only itself, and so many sessions."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiohttp import WSCloseCode, web
from textual_serve.server import Server

from vmci_tui.cli.commands.lesson_session import MESSAGE_LIMIT, clamped, run_session

_HEARTBEAT: Final = 15.0
"""Seconds between two questions whether a page is still there."""
_PATIENCE: Final = 1.0
"""Seconds that a page has to close its websocket, and the server to end."""
_RETRY: Final = 5
"""Seconds after which a page that found no room asks again."""
_BACKLOG: Final = 1024
_FULL_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="{retry}"><title>vmci lessons: no room</title></head>
<body><h1>No room</h1><p>{words}.</p><p>This page tries again every {retry} seconds.</p></body></html>
"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LessonServer(Server):
    """One process for each page that is opened, and no more than `most` at a time."""

    def __init__(self, command: Sequence[str], listening: socket.socket, most: int, scratch: str) -> None:
        """`command` draws the lessons; each run of it has a folder of its own in `scratch`."""
        host, port = listening.getsockname()[:2]
        super().__init__("", host, port, "vmci lessons")
        self._command, self._listening, self._most, self._scratch = command, listening, most, scratch
        self._sessions: set[asyncio.Task[Any]] = set()

    def serve(self, debug: bool = False) -> None:
        """Serve until SIGINT or SIGTERM; then the sessions end at once."""
        self.initialize_logging()
        application = self._make_app()
        web.run_app(
            application, sock=self._listening, print=None, shutdown_timeout=_PATIENCE, backlog=_BACKLOG, access_log=None
        )

    def initialize_logging(self) -> None:
        """What goes wrong to stderr: stdout is data."""
        logging.basicConfig(level=logging.WARNING, format="vmci: %(message)s")

    async def _make_app(self) -> web.Application:
        application: web.Application = await super()._make_app()
        application.middlewares.append(self._only_by_its_name)
        application.on_cleanup.append(self._wait_for_sessions)
        return application

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing on stdout, which is data; the terminal that closes ends the server as SIGTERM does."""
        for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self.request_exit)

    async def on_shutdown(self, app: web.Application) -> None:
        """End every session; else they would be waited for."""
        for task in self._sessions:
            task.cancel()

    async def _wait_for_sessions(self, app: web.Application) -> None:
        """Wait until every process is reaped: the loop closes next, and would leave its pipes open."""
        if self._sessions:
            await asyncio.wait(self._sessions)

    @web.middleware
    async def _only_by_its_name(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests for another host: a foreign site may have its name lead to this machine."""
        if f"http://{request.host}" != self.public_url:
            raise web.HTTPForbidden(text=f"open {self.public_url}")
        return await handler(request)

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, without the web font: a closed network would hold it up."""
        if self._is_full:
            text = _FULL_PAGE.format(words=self._full_words, retry=_RETRY)
            headers = {"Retry-After": str(_RETRY)}
            return web.Response(text=text, content_type="text/html", status=503, headers=headers)
        page = await super().handle_index(request)
        if isinstance(page, web.Response):
            page.text = re.sub(r"<link[^>]*//fonts\.[^>]*>", "", page.text or "")
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A session; refused for another site's page, which may reach this machine from the same browser."""
        if request.headers.get("Origin") != self.public_url:
            raise web.HTTPForbidden(text="this is for the page of vmci serve only")
        websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT, timeout=_PATIENCE, max_msg_size=MESSAGE_LIMIT)
        await websocket.prepare(request)
        if self._is_full:
            await websocket.send_bytes(f"\x1b[2J\x1b[H{self._full_words}: close one, and reload\r\n".encode())
            await websocket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=self._full_words.encode())
            return websocket
        size = clamped(request.query.get("width"), request.query.get("height"))
        session = asyncio.create_task(run_session(websocket, self._command, size, self._scratch))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)
        await asyncio.shield(session)  # the server's end cancels this twice where the machine is busy
        await websocket.close()
        return websocket

    @property
    def _is_full(self) -> bool:
        return len(self._sessions) >= self._most

    @property
    def _full_words(self) -> str:
        return f"{self._most} sessions are open, and vmci serve has no more"
