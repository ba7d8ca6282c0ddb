"""The web server of `vmci serve`: textual-serve, which answers only the page that it served itself."""

from __future__ import annotations

import logging
import re

from aiohttp import web
from textual_serve.server import Server


class LessonServer(Server):
    """One process for each page that is opened."""

    def initialize_logging(self) -> None:
        """What goes wrong to stderr: stdout is data."""
        logging.basicConfig(level=logging.WARNING, format="vmci: %(message)s")

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing on stdout, which is data: `vmci serve` has told the address."""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, without the web font: a closed network would hold it up."""
        page = await super().handle_index(request)
        if isinstance(page, web.Response):
            page.text = re.sub(r"<link[^>]*//fonts\.[^>]*>", "", page.text or "")
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A session; refused for another site's page, which may reach this machine from the same browser."""
        if request.headers.get("Origin") != self.public_url or f"http://{request.host}" != self.public_url:
            raise web.HTTPForbidden(text="this is for the page of vmci serve only")
        response: web.WebSocketResponse = await super().handle_websocket(request)
        return response
