"""Run `vmci serve` as a process, and visit it without a browser: send keys, draw the output with pyte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import aiohttp
import pyte

from tests.limits import PATIENCE
from tests.paths import ROOT
from tests.processes import descendants, is_at_work, is_there

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "ctrl+u": "\x15",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
}
"""The bytes that xterm.js sends for a key."""
OUTSIDE_SCRIPT = """
import os, sys, socket, subprocess, shutil, tempfile
from vmci_tui.common.confinement import confine
folder, outside = sys.argv[1:]
os.symlink(outside, folder + "/link")
confine(folder, ())
import textual.app, vmci_tui.tui.app  # code is read from wherever it lies
open(folder + "/a", "w").write("x"); os.rename(folder + "/a", folder + "/b")
tempfile.TemporaryFile().close(); os.listdir(folder); os.unlink(folder + "/b")
tries = [
    lambda: open("/etc/passwd"), lambda: open(outside + "/new", "w"), lambda: os.open(outside + "/new", os.O_CREAT),
    lambda: open(folder + "/link/new", "w"), lambda: open(folder + "/../new", "w"), lambda: os.listdir("/"),
    lambda: os.rename(folder, outside + "/x"), lambda: os.mkdir(outside + "/x"), lambda: os.unlink(sys.executable),
    lambda: os.symlink("/etc/passwd", outside + "/l"), lambda: os.link("/etc/passwd", folder + "/l"),
    lambda: os.chmod(outside, 0o777), lambda: os.truncate(outside, 0), lambda: os.scandir("/etc"),
    lambda: subprocess.run(["true"]), lambda: os.system("true"), lambda: shutil.copy("/etc/passwd", folder),
    lambda: open(textual.app.__file__, "a"), lambda: os.open(b"/etc/passwd", os.O_RDONLY),
    lambda: socket.socket(socket.AF_UNIX).connect(outside + "/vm"),
]
for number, refused in enumerate(tries):
    try:
        refused()
    except PermissionError:
        continue
    print("not refused:", number)
"""
"""A script that confines itself to a folder, then tries to leave it in every way, and prints the ways that worked.

Arguments: the folder, and the one around it.
"""
_GLANCE = 0.02
"""Seconds between two polls of a process."""
_QUIET = 0.3
"""Seconds of silence that count as settled: Textual waits twice 0.1 s to see whether an escape was only that."""


class Screen:
    """The screen of a terminal that received these bytes."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def shows(self, *words: str) -> bool:
        """Return whether the screen shows all of these texts."""
        return _shows(self.text, *words)


def _shows(text: str, *words: str) -> bool:
    """Return whether all of these texts are there, also wrapped by a dialog."""
    flowing = re.sub(r"[\s│]+", " ", text)
    return all(word in text or word in flowing for word in words)


class Session(ABC):
    """A session of the lessons as the browser of a visitor runs it."""

    @abstractmethod
    async def wait_for(self, *words: str) -> str:
        """Wait until the screen shows all of these texts; return the screen."""

    @abstractmethod
    async def settle(self) -> str:
        """Wait until the keys are processed and no more output arrives; return the screen."""

    @abstractmethod
    async def press(self, *keys: str) -> None:
        """Press keys by name; send any other text unchanged."""

    async def press_until(self, key: str, *words: str, most: int = 40) -> str:
        """Press the key repeatedly until the screen shows all of these texts."""
        for _ in range(most):
            await self.press(key)
            if _shows(text := await self.settle(), *words):
                return text
        raise AssertionError(f"{words} is not on the screen:\n{text}")

    async def to_the_size(self) -> None:
        """Go from the beginning of the first lesson to the field where its third step expects 11."""
        await self.press_until("down", "[F7 Next]")
        await self.press("f7", "3")
        await self.press_until("right", "2/5", "[F7 Next]")
        await self.press("f7", "1")
        await self.press_until("up", "3/5", "size 4132 = 0x1024 [24 10 00 00]")
        await self.press("enter")
        await self.wait_for("size = 4132")


class Visitor(Session):
    """A visitor without a browser."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, server: int) -> None:
        """Visit the server with this process."""
        self._websocket, self._server = websocket, server
        self._screen = Screen()

    async def wait_for(self, *words: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._screen.shows(*words):
                    await self._receive()
        except TimeoutError:
            raise AssertionError(f"{words} is not on the screen:\n{self._screen.text}") from None
        return self._screen.text

    async def settle(self) -> str:
        await settle(self._server, self._receive)
        return self._screen.text

    async def _receive(self) -> None:
        message = await self._websocket.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            self._screen.feed(message.data)
        elif message.type != aiohttp.WSMsgType.TEXT:
            raise AssertionError(f"the session ended: {message.type}\n{self._screen.text}")

    async def resize_until(self, width: int, height: int, *words: str) -> str:
        """Resize until the screen shows all of these texts: the app ignores a resize while it starts."""
        for _ in range(20):
            await self.send(json.dumps(["resize", {"width": width, "height": height}]))
            if _shows(text := await self.settle(), *words):
                return text
            await self.send(json.dumps(["resize", {"width": width + 1, "height": height}]))
        raise AssertionError(f"{words} is not on the screen:\n{text}")

    async def send(self, *messages: str) -> None:
        """Send any message that a page could send."""
        for message in messages:
            await self._websocket.send_str(message)

    async def received(self, until: str) -> int:
        """Return the bytes received before a text."""
        count = 0
        async with asyncio.timeout(PATIENCE):
            while (message := await self._websocket.receive()).data != until:
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                if message.type == aiohttp.WSMsgType.BINARY:
                    self._screen.feed(message.data)
                count += len(message.data)
        return count

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._websocket.send_json(["stdin", KEYS.get(key, key)])
            if key == "escape":  # an escape followed soon by other bytes would be another key
                await self.settle()


class Served:
    """A running `vmci serve`."""

    def __init__(self, url: str, process: asyncio.subprocess.Process, stderr: IO[bytes]) -> None:
        self.url, self.process, self._stderr = url, process, stderr

    @property
    def said(self) -> str:
        """Return its stderr so far."""
        return os.pread(self._stderr.fileno(), 1 << 20, 0).decode()

    @asynccontextmanager
    async def visit(self, origin: str | None = None, size: str = "width=80&height=24") -> AsyncIterator[Visitor]:
        headers = {"Origin": origin or self.url}
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{self.url}/ws?{size}", headers=headers) as websocket,
        ):
            yield Visitor(websocket, self.process.pid)

    def sessions(self) -> list[int]:
        """Return the processes of visitors, and their children."""
        return descendants(self.process.pid)

    def memory(self) -> int:
        """Return the memory of server and sessions in bytes; shared pages count once."""
        return sum(map(_held, [self.process.pid, *self.sessions()]))


def _held(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


async def gone(*pids: int) -> bool:
    """Return whether all of these processes end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while any(map(is_there, pids)):
                await asyncio.sleep(0.02)
            return True
    return False


async def settle(pid: int, receive: Callable[[], Awaitable[object]]) -> None:
    """Receive until a process and its children have neither sent nor worked for a while."""
    since = begun = time.monotonic()
    while (now := time.monotonic()) - since < _QUIET and now - begun < PATIENCE:
        receiving = asyncio.ensure_future(receive())
        done, _ = await asyncio.wait((receiving,), timeout=_GLANCE)
        if done:
            receiving.result()
        else:
            receiving.cancel()
            await asyncio.wait((receiving,))
            if not is_at_work(pid):
                continue
        since = time.monotonic()


@asynccontextmanager
async def served(scratch: Path, *arguments: str, program: Sequence[str] = ()) -> AsyncIterator[Served]:
    """Start the server on a free port, with its temporary files in `scratch`; SIGTERM ends it at once.

    `program` is an installed vmci; without one it is this checkout's.
    """
    run = program or (sys.executable, "-m", "vmci_tui")
    command = (*run, "serve", "--json", "--port", str(_free_port()), *arguments)
    environment = os.environ | {"TMPDIR": str(scratch)} | ({} if program else {"PYTHONPATH": str(ROOT)})
    with tempfile.TemporaryFile() as stderr:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=stderr, env=environment
        )
        serve = Served("", process, stderr)
        try:
            assert process.stdout is not None
            told: dict[str, Any] = json.loads(b"".join([await process.stdout.readline() for _ in range(4)]) or b"{}")
            assert "url" in told, serve.said
            serve.url = told["url"]
            await _answers(serve.url)
            yield serve
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE)
            assert "Traceback" not in serve.said, serve.said


async def _answers(url: str) -> None:
    async with aiohttp.ClientSession() as client:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                async with client.get(url) as response:
                    assert response.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    raise AssertionError(f"nothing answers at {url}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
