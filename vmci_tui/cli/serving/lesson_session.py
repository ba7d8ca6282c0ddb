"""Run one browser's session: a process that draws the lessons, connected to the page by a websocket.

The process speaks the protocol of Textual's web driver: packets of a letter, a length and a payload. The page is
untrusted: sizes are clamped, malformed messages ignored, and the rate of keys is limited.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from aiohttp import WSCloseCode, WSMsgType, web

from vmci_tui.common.safe_text import visible

COLUMNS: Final = range(20, 501)
ROWS: Final = range(5, 201)
"""Allowed sizes of the terminal, in cells; a 4K monitor with a browser's smallest font has 640 by 166."""
MESSAGE_LIMIT: Final = 1 << 17
"""Most bytes of one message from the page."""
_PACKET_LIMIT: Final = 1 << 24
"""Most bytes of one packet from the process."""
_PACKET: Final = struct.Struct(">cI")
_READY: Final = b"__GANGLION__\n"
_PRELUDE: Final = 10
"""Most lines that the process prints before it is ready, as in textual-serve."""
_AT_ONCE: Final = 20_000
"""Keys that a page may send at once, as in a paste. A vmcoreinfo text has at most 4,096 bytes."""
_EACH_SECOND: Final = 1000
"""Keys a second that it may send after that, because the app's own queue has no bound. A mouse sends 200."""
_RESIZING: Final = 20
"""Keys that a resize counts for: the app lays out everything again."""
_KEY: Final = re.compile(r"\x1b\[[0-9;<]*[A-Za-z~]|.", re.DOTALL)
_PENDING: Final = 1 << 20
"""Most bytes buffered for a process that does not read."""
_LAST_WORDS: Final = 4096
"""Most bytes kept of the process's stderr."""


class Size(NamedTuple):
    """The size of a terminal, in cells."""

    columns: int
    rows: int


def clamped(columns: object, rows: object) -> Size:
    """Return the nearest allowed size; a value that is not a number counts as 80 by 24."""
    return Size(_near(columns, COLUMNS, 80), _near(rows, ROWS, 24))


def _near(value: object, allowed: range, default: int) -> int:
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else default
    number = value if isinstance(value, int) else default
    return min(max(number, allowed.start), allowed.stop - 1)


def packet_of(message: object) -> bytes | None:
    """Return the packet for the process that a message of the page makes; None if malformed or not for the process."""
    match message:
        case ["stdin", str(text)]:
            return _packet(b"D", text.encode("utf-8", "replace"))
        case ["resize", {"width": width, "height": height}]:
            size = clamped(width, height)
            return _meta(type="resize", width=size.columns, height=size.rows)
        case ["blur" | "focus" as kind, *_]:
            return _meta(type=kind)
    return None


def _meta(**values: object) -> bytes:
    return _packet(b"M", json.dumps(values).encode())


def _packet(kind: bytes, payload: bytes) -> bytes:
    return _PACKET.pack(kind, len(payload)) + payload


async def run_session(websocket: web.WebSocketResponse, command: Sequence[str], size: Size, scratch: str) -> None:
    """Run the process until it ends or the page is gone; then kill it and remove its files."""
    folder = tempfile.mkdtemp(prefix="session-", dir=scratch)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=_environment(size, folder), start_new_session=True,
        )  # fmt: skip
        try:
            await _talk(websocket, process)
        finally:
            await _end(process)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


def _environment(size: Size, folder: str) -> dict[str, str]:
    return os.environ | {
        "TEXTUAL_DRIVER": "vmci_tui.tui.lessons.web_driver:BrowserDriver",
        "TEXTUAL_FPS": "60",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM_PROGRAM": "textual",
        "COLUMNS": str(size.columns),
        "ROWS": str(size.rows),
        "TMPDIR": folder,
    }


async def _talk(websocket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    said = asyncio.ensure_future(_last_words(process.stderr))
    both = {
        asyncio.ensure_future(_from_page(websocket, process.stdin)),
        asyncio.ensure_future(_to_page(process.stdout, websocket)),
    }
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if process.stdout.at_eof() and (words := await said):
            await websocket.send_bytes(b"\x1b[2J\x1b[H" + visible(words).encode())
    except ConnectionError:
        pass
    finally:
        for task in (*both, said):
            task.cancel()
        await asyncio.gather(*both, said, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the process and its children. Their files are in a folder that the caller removes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    reaped = asyncio.ensure_future(process.communicate())  # read its pipes to the end, else they outlive the loop
    while not reaped.done():
        with contextlib.suppress(asyncio.CancelledError):  # the process is killed already
            await asyncio.shield(reaped)


async def _from_page(websocket: web.WebSocketResponse, stdin: asyncio.StreamWriter) -> None:
    """Pass on the page's messages. Never block on the process, so that the end of the page is not missed."""
    allowed, at = float(_AT_ONCE), time.monotonic()
    async for message in websocket:
        if message.type != WSMsgType.TEXT:
            continue
        now = time.monotonic()
        said = _parsed(message.data)
        allowed, at = min(_AT_ONCE, allowed + (now - at) * _EACH_SECOND) - cost_of(said, len(message.data)), now
        if allowed < 0 or stdin.transport.get_write_buffer_size() > _PENDING:
            await websocket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many keys at once")
            return
        match said:
            case ["ping", int() | float() | str() as data]:
                await websocket.send_json(["pong", data])
            case _ if packet := packet_of(said):
                stdin.write(packet)


def cost_of(message: object, length: int) -> int:
    """Return how many keys a message of `length` characters counts for."""
    match message:
        case ["stdin", str(text)]:
            return max(1, sum(1 for _ in _KEY.finditer(text)))
        case ["resize", *_]:
            return _RESIZING
    return 1 + length // 64


def _parsed(text: str) -> Any:
    """Return a message parsed as JSON; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


async def _to_page(stdout: asyncio.StreamReader, websocket: web.WebSocketResponse) -> None:
    """Pass on what the process draws, until it exits or sends a malformed packet."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
        for _ in range(_PRELUDE):
            if await stdout.readuntil(b"\n") == _READY:
                break
        while True:
            kind, length = _PACKET.unpack(await stdout.readexactly(_PACKET.size))
            if length > _PACKET_LIMIT:
                return
            payload = await stdout.readexactly(length)
            if kind == b"D":
                await websocket.send_bytes(payload)
            elif kind == b"M" and b'"exit"' in payload:
                return


async def _last_words(stderr: asyncio.StreamReader) -> bytes:
    """Return the last line that the process wrote to stderr."""
    kept = b""
    while part := await stderr.read(_LAST_WORDS):
        kept = (kept + part)[-_LAST_WORDS:]
    return (kept.strip().splitlines() or [b""])[-1]
