"""`vmci serve`: on this machine only, a session of one's own, and nothing outside its folder."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.conftest import SAMPLES
from tests.serving import ROOT, served
from vmci_tui.cli import main

_OUTSIDE = "outside the lesson's folder"


def _folders(scratch: Path) -> list[Path]:
    """The folders of lessons that are there now."""
    return sorted(scratch.glob("vmci-serve-*/vmci-lessons-*/vmci-lesson-*"))


async def test_a_lesson_is_done_and_every_visitor_has_his_own(tmp_path: Path) -> None:
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
        for _ in range(200):
            if not _folders(tmp_path):
                break
            await asyncio.sleep(0.05)
        assert not _folders(tmp_path), "a session that ends takes its files with it"
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
            await visitor.wait_for(_OUTSIDE)
            await visitor.press("escape")
        await visitor.press("s")
        await visitor.wait_for("save as")
        for path in (str(tmp_path / "new"), "../new", "/dev/shm/new"):
            await visitor.press("ctrl+u", path, "enter")
            await visitor.wait_for(_OUTSIDE)
        await visitor.press("escape", "1", "b")
        await visitor.wait_for("The entry of this dump")
        await visitor.press(str(secret), "enter")
        await visitor.wait_for(_OUTSIDE)
        await visitor.press("escape", "o")
        await visitor.wait_for("Lessons")
        await visitor.press("o")
        await visitor.wait_for("Open a file")
        await visitor.press(str(secret), "enter")
        await visitor.wait_for(_OUTSIDE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch", "secret"]
    assert not Path("/dev/shm/new").exists()


async def test_only_its_own_page_and_only_this_machine(tmp_path: Path) -> None:
    async with served(tmp_path) as serve:
        for origin in ("http://evil.example", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with serve.visit(origin):
                    pass
            assert refused.value.status == 403
        async with aiohttp.ClientSession() as client, client.get(serve.url) as response:
            page = await response.text()
        assert "https://" not in page, "nothing is fetched from elsewhere"
        port = urlsplit(serve.url).port
        for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}:
            if not str(address).startswith("127."):
                with pytest.raises(OSError):
                    socket.create_connection((str(address), port), timeout=2).close()


def test_python_itself_refuses_what_no_dialog_asked_about(tmp_path: Path) -> None:
    """Whatever an action would do: the gate is below all of them."""
    inside = tmp_path / "inside"
    inside.mkdir()
    script = """
import os, sys, subprocess, shutil, tempfile
from vmci_tui.confined import confine
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
]
for number, refused in enumerate(tries):
    try:
        refused()
    except PermissionError:
        continue
    print("not refused:", number)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(inside), str(tmp_path)],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port=" + port]) == 2
    assert "is no port" in capsys.readouterr().err


def test_a_lesson_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "nothing"]) == 2
    assert "there is no lesson nothing" in capsys.readouterr().err
