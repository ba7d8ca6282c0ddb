"""Test `vmci serve`: this machine only, one session per page, and no file outside its folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from tests.cli.serving import OUTSIDE_SCRIPT, Served, gone, served
from tests.limits import PATIENCE
from tests.paths import ROOT, SAMPLES
from vmci_tui.cli.commands.serve import SESSIONS
from vmci_tui.cli.run import main
from vmci_tui.cli.serving import lesson_server as webserver
from vmci_tui.cli.serving.lesson_page import lesson_page
from vmci_tui.cli.serving.lesson_session import COLUMNS, ROWS
from vmci_tui.settings import settings

_OUTSIDE = ("outside", "lesson's")
"""A part of the message without a line break: where the lines wrap depends on the length of the path."""


def _folders(scratch: Path) -> list[Path]:
    """Return the folders of lessons that exist now."""
    return sorted(scratch.glob("vmci-serve-*/session-*/vmci-lessons-*/vmci-lesson-*"))


async def test_a_lesson_is_done_and_every_visitor_has_a_copy(tmp_path: Path) -> None:
    before = (SAMPLES / "good.entry").read_bytes()
    async with served(tmp_path, "entry") as serve:
        async with serve.visit() as visitor, serve.visit() as other:
            await visitor.wait_for("Lesson: What an entry is  1/5", "size")
            await other.wait_for("Lesson: What an entry is  1/5", "size")
            assert len(_folders(tmp_path)) == 2
            await visitor.to_the_size()
            await visitor.press("ctrl+u", "11", "enter")
            await visitor.wait_for("3/5", "[F7 Next]", "size         11")
            await visitor.press("f7", "s")
            await visitor.wait_for("save as")
            await visitor.press("enter")
            await visitor.wait_for("saved")
            assert [path.name for folder in _folders(tmp_path) for path in sorted(folder.iterdir())] in (
                ["good-fixed.entry", "good.entry", "good.entry"],
                ["good.entry", "good-fixed.entry", "good.entry"],
            )
        async with asyncio.timeout(PATIENCE):
            while _folders(tmp_path):  # an ended session removes its files
                await asyncio.sleep(0.05)
    assert (SAMPLES / "good.entry").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


async def test_nothing_outside_is_opened_or_saved(tmp_path: Path) -> None:
    secret, scratch = tmp_path / "secret", tmp_path / "scratch"
    scratch.mkdir()
    secret.write_bytes((SAMPLES / "good.entry").read_bytes())
    async with served(scratch, "missing-note") as serve, serve.visit() as visitor:
        await visitor.wait_for("1/4", "N01")
        for path in (str(secret), "../../../secret", "~/.profile", "/proc/self/environ", str(SAMPLES / "amd64.note")):
            await visitor.press("a", "enter")
            await visitor.wait_for("Append the note of")
            await visitor.press(path, "enter")
            await visitor.wait_for(*_OUTSIDE)
            await visitor.press("escape")
        await visitor.press("s")
        await visitor.wait_for("save as", "Nothing was changed yet")
        await visitor.press("shift+tab")  # Cancel has the focus, as nothing was changed
        for path in (str(tmp_path / "new"), "../../new", "/dev/shm/new"):
            await visitor.press("ctrl+u", path, "enter")
            await visitor.settle()  # the one before was refused with the same message
            await visitor.wait_for(*_OUTSIDE)
        await visitor.press("escape", "3", "E")
        await visitor.wait_for("The entry of this dump")
        await visitor.press(str(secret), "enter")
        await visitor.wait_for(*_OUTSIDE)
        await visitor.press("escape", "o")
        await visitor.wait_for("Open a dump")
        await visitor.press(str(secret), "enter")
        await visitor.wait_for(*_OUTSIDE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch", "secret"]
    assert not Path("/dev/shm/new").exists()


async def test_only_the_page_of_this_machine_is_served(tmp_path: Path) -> None:
    async with served(tmp_path) as serve:
        for origin in ("http://evil.example", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with serve.visit(origin):
                    pass
            assert refused.value.status == 403
        async with aiohttp.ClientSession() as client, client.get(serve.url) as response:
            page = await response.text()
        assert "https://" not in page, "nothing is fetched from elsewhere"
        assert "<title>vmci lessons</title>" in page and "Inspect and repair" in page
        port = urlsplit(serve.url).port
        for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}:
            if not str(address).startswith("127."):
                with pytest.raises(OSError):
                    socket.create_connection((str(address), port), timeout=2).close()


def test_the_page_escapes_its_title_and_bounds_the_size_of_its_font() -> None:
    page = lesson_page("<i>&", "http://x/static/", "ws://x/ws", "12")
    assert "<title>&lt;i&gt;&amp;</title>" in page and "<i>&" not in page and 'data-font-size="12"' in page
    for size, wanted in (("1", 8), ("999", 40), ("x", 16), ("9" * 5000, 16), (None, 16), ("\u0663", 16)):
        assert f'data-font-size="{wanted}"' in lesson_page("", "", "", size)


async def test_every_page_is_refused_under_another_name(tmp_path: Path) -> None:
    """The static files are refused too: a foreign site whose name resolves to this machine cannot read them."""
    async with served(tmp_path) as serve, aiohttp.ClientSession() as client:
        port = urlsplit(serve.url).port
        for path in ("/", "/static/js/textual.js", "/static/", "/download/x", "/nothing", "/ws"):
            for host in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example", "127.0.0.1:1", ""):
                async with client.get(serve.url + path, headers={"Host": host, "Origin": serve.url}) as response:
                    assert response.status in ({403} if host else {400, 403}), (path, host)
        async with client.get(serve.url + "/static/js/textual.js") as response:
            assert response.status == 200


async def test_the_session_after_the_limit_is_refused_with_a_message(tmp_path: Path) -> None:
    async with served(tmp_path, "entry", "--sessions", "2") as serve:
        assert "2 at a time" in serve.said
        async with AsyncExitStack() as stack:
            for _ in range(2):  # neither is read: the server would drop them after 22 seconds
                await stack.enter_async_context(serve.visit())
            await _is_full(serve, 2)
            pids = serve.sessions()
            assert len(pids) == 2
        assert await gone(*pids)
        await _has_room(serve)
        async with serve.visit() as visitor:
            await visitor.wait_for("Lesson: What an entry is  1/5")


async def _has_room(serve: Served) -> None:
    """Wait until the page is served again: a session counts until its files are removed."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(PATIENCE):
        while True:
            async with client.get(serve.url) as page:
                if page.status == 200:
                    return
            await asyncio.sleep(0.1)


async def _is_full(serve: Served, most: int) -> None:
    """Check that page and websocket report the limit, and that the websocket is closed cleanly."""
    words, headers = f"{most} sessions are open", {"Origin": serve.url}
    async with aiohttp.ClientSession() as client:
        async with client.get(serve.url) as page:
            assert page.status == 503 and words in await page.text() and page.headers["Retry-After"] == "5"
        async with client.ws_connect(f"{serve.url}/ws", headers=headers) as websocket:
            said = await websocket.receive_bytes()
            assert words in said.decode()
            assert (await websocket.receive()).type == aiohttp.WSMsgType.CLOSE
            assert websocket.close_code == aiohttp.WSCloseCode.TRY_AGAIN_LATER


def _sizes_of(pid: int) -> set[str]:
    names = (b"COLUMNS=", b"ROWS=")
    return {item.decode() for item in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if item.startswith(names)}


async def test_sizes_are_clamped_and_invalid_messages_ignored(tmp_path: Path) -> None:
    async with served(tmp_path, "entry") as serve:
        async with serve.visit(size="width=20000&height=20000") as visitor:
            await visitor.resize_until(80, 24, "Lesson: What an entry is  1/5")
            assert _sizes_of(serve.sessions()[0]) == {f"COLUMNS={COLUMNS[-1]}", f"ROWS={ROWS[-1]}"}
            for junk in _JUNK:
                await visitor.send(junk)
            await visitor.send('["resize", {"width": 100000, "height": 100000}]', '["ping", 7]')
            assert await visitor.received(until='["pong", 7]') < 16 << 20
            assert serve.memory() < 300 << 20
            await visitor.resize_until(80, 24, "Lesson: What an entry is  1/5")
            pids = serve.sessions()
        assert await gone(*pids)


_JUNK = (
    "", "{", "[]", "7", "null", "[" * 100_000, "9" * 5000, '["stdin"]', '["stdin", 5]', '["stdin", "\\ud800"]',
    '["resize"]', '["resize", {}]', '["resize", [1, 2]]', '["resize", {"width": null, "height": "x"}]',
    '["resize", {"width": NaN, "height": 1e999}]', '["resize", {"width": -5, "height": 99999999999999999999}]',
    '["ping"]', '["ping", {"a": [1]}]', '["focus", 1, 2]', '["quit"]', '{"type": "quit"}', "[[]]", '[["stdin", "x"]]',
)  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_it_ends_at_once_with_sessions_open(tmp_path: Path, number: signal.Signals) -> None:
    async with served(tmp_path, "entry") as serve, AsyncExitStack() as stack:
        for _ in range(2):
            await (await stack.enter_async_context(serve.visit())).wait_for("What an entry is  1/5")
        await stack.enter_async_context(serve.visit())  # a session that has only begun
        pids = serve.sessions()
        serve.process.send_signal(number)
        assert await asyncio.wait_for(serve.process.wait(), PATIENCE) == 0
        assert await gone(*pids)
    assert list(tmp_path.iterdir()) == []


async def test_sessions_end_with_a_server_that_was_killed(tmp_path: Path) -> None:
    async with served(tmp_path, "entry") as serve, serve.visit() as visitor:
        await visitor.wait_for("Lesson: What an entry is  1/5")
        pids = serve.sessions()
        serve.process.kill()
        assert await gone(*pids)


@pytest.mark.long
async def test_two_hundred_at_once_with_giant_sizes(tmp_path: Path) -> None:
    """Total memory stays below 1 GiB, and all processes end within 5 seconds of the disconnect."""
    async with served(tmp_path, "entry") as serve:
        most, pids = 0, set[int]()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

            async def visitor() -> int:
                url = f"{serve.url}/ws?width=100000&height=100000"
                async with client.ws_connect(url, headers={"Origin": serve.url}) as websocket:
                    resizing = asyncio.ensure_future(_resize_for_ever(websocket))
                    received = [message async for message in websocket if message.type == aiohttp.WSMsgType.ERROR]
                    resizing.cancel()
                    assert not received
                    return websocket.close_code or 0

            visitors = [asyncio.ensure_future(visitor()) for _ in range(200)]
            until = time.monotonic() + 60
            while time.monotonic() < until:
                await asyncio.sleep(0.5)
                most, pids = max(most, serve.memory()), pids | set(serve.sessions())
            refused = [task for task in visitors if task.done()]
            assert len(refused) == 200 - SESSIONS
            assert {task.result() for task in refused} == {aiohttp.WSCloseCode.TRY_AGAIN_LATER}
            for task in visitors:
                task.cancel()
            await asyncio.gather(*visitors, return_exceptions=True)
        started = time.monotonic()
        assert await gone(*pids)
        print(f"{len(pids)} processes, at most {most >> 20} MiB; gone after {time.monotonic() - started:.1f} s")
        assert len(pids) == SESSIONS and most < 1 << 30
    assert list(tmp_path.iterdir()) == []


async def _resize_for_ever(websocket: aiohttp.ClientWebSocketResponse) -> None:
    number = 0
    while True:
        number += 1
        size = 100_000 if number % 2 else 300
        await websocket.send_json(["resize", {"width": size, "height": size}])
        await asyncio.sleep(0.05)  # a page that sends more is closed


async def test_the_server_waits_until_every_process_is_reaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the loop closes first, and the pipes of the process cannot be closed."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow_session(*_: object) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)  # five times as long as the server waits for a handler
            ended.set()

    monkeypatch.setattr(webserver, "run_session", slow_session)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = webserver.LessonServer([], listening, 2, str(tmp_path), "x")
        runner = web.AppRunner(await server._make_app(), shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        url = server.public_url
        async with aiohttp.ClientSession(headers={"Origin": url}) as client, client.ws_connect(f"{url}/ws"):
            await begun.wait()
            await runner.cleanup()
    assert ended.is_set()


@pytest.mark.parametrize("message", [["stdin", "x" * 50_000], ["stdin", "x"], ["resize", {"width": 9, "height": 9}]])
async def test_a_page_that_floods_the_server_is_closed(tmp_path: Path, message: list[object]) -> None:
    async with served(tmp_path, "entry") as serve, serve.visit() as visitor:
        await visitor.wait_for("Lesson: What an entry is  1/5")
        before, pids = serve.memory(), serve.sessions()
        with contextlib.suppress(ConnectionError):
            for _ in range(200_000):
                await visitor.send(json.dumps(message))
        assert await gone(*pids)
        assert serve.memory() < before + (100 << 20)


def test_the_number_of_sessions_is_a_setting_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.config_file().parent.mkdir(parents=True)
    for text, wanted in (("sessions = 3", 3), ("sessions = 0", None), ("sessions = true", None), ("", None)):
        settings.config_file().write_text(text)
        chosen = settings.load()
        assert chosen.sessions == wanted and bool(chosen.trouble) is (wanted is None and bool(text))
    for number in ("0", "-1", "257", "many", "9" * 5000):
        assert main(["serve", f"--sessions={number}"]) == 2
        assert "is not a number of sessions" in capsys.readouterr().err


def test_a_port_in_use_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["serve", f"--port={other.getsockname()[1]}"]) == 3
    assert "address already in use; choose another with --port" in capsys.readouterr().err


def test_python_refuses_files_outside_the_folder(tmp_path: Path) -> None:
    """The gate is below all actions."""
    inside = tmp_path / "inside"
    inside.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", OUTSIDE_SCRIPT, str(inside), str(tmp_path)],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
def test_an_invalid_port_is_reported(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port=" + port]) == 2
    assert "is not a port" in capsys.readouterr().err


def test_an_unknown_lesson_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "nothing"]) == 2
    assert "unknown lesson nothing" in capsys.readouterr().err
