"""Drive a headless Chromium by its DevTools protocol: send keys to the page, read the frames of its socket."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from tests.cli.serving import Screen, Session, settle
from tests.limits import PATIENCE

_CODES = {
    "enter": ("Enter", 13),
    "escape": ("Escape", 27),
    "backspace": ("Backspace", 8),
    "up": ("ArrowUp", 38),
    "right": ("ArrowRight", 39),
    "down": ("ArrowDown", 40),
    **{f"f{number}": (f"F{number}", 111 + number) for number in range(1, 13)},
}
"""Names of keys, and their names in the protocol."""


class Page(Session):
    """One page; pyte draws the bytes that its websocket received, as xterm.js does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, server: int) -> None:
        """Open the page that the process `server` serves."""
        self._socket, self._server = socket, server
        self._screen = Screen()
        self._number = 0
        self._session: str | None = None
        self.asked: list[str] = []
        """The addresses that the page asked for."""

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": self._session} if self._session else {}))
        while (answer := await self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self, url: str) -> None:
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        self._session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        await self.call("Network.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.call("Page.navigate", url=url)

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._socket.receive_json()
        if message.get("method") == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            if frame["opcode"] == 2:
                self._screen.feed(base64.b64decode(frame["payloadData"]))
        elif message.get("method") == "Network.webSocketCreated":
            size = parse_qs(urlsplit(message["params"]["url"]).query)
            self._screen = Screen(int(size["width"][0]), int(size["height"][0]))
        elif message.get("method") == "Network.requestWillBeSent":
            self.asked.append(message["params"]["request"]["url"])
        return message

    async def wait_for(self, *words: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._screen.shows(*words):
                    await self._next()
        except TimeoutError:
            raise AssertionError(f"{words} is not on the screen:\n{self._screen.text}") from None
        return self._screen.text

    async def settle(self) -> str:
        await settle(self._server, self._next)
        return self._screen.text

    async def press(self, *keys: str) -> None:
        for key in keys:
            if key in _CODES:
                name, code = _CODES[key]
                text = {"text": "\r"} if key == "enter" else {}
                for kind in ("keyDown" if text else "rawKeyDown", "keyUp"):
                    more = text if kind == "keyDown" else {}
                    await self.call(
                        "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **more
                    )
            else:
                await self.call("Input.insertText", text=key)
            if key == "escape":  # an escape followed soon by other bytes would be another key
                await self.settle()

    async def evaluate(self, script: str) -> object:
        """Return the value of an expression in the page."""
        result = (await self.call("Runtime.evaluate", expression=script))["result"]
        return result.get("value")

    async def picture(self) -> bytes:
        """Return a PNG of the page."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def chromium(program: str, profile: Path, server: int) -> AsyncIterator[Page]:
    """A browser with an empty profile for the pages of a process, ended at the end."""
    command = (program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
               f"--user-data-dir={profile}", "--window-size=1280,800", "--no-first-run", "about:blank")  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while not (found := re.search(rb"listening on (ws://\S+)", await process.stderr.readline())):
                pass
        url = found[1].decode()
        async with aiohttp.ClientSession() as client, client.ws_connect(url, max_msg_size=0) as socket:
            yield Page(socket, server)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)
