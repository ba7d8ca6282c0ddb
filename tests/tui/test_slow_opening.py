"""Test opening a saved VM that is read to its end first: the app answers meanwhile, and Esc stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.paths import DATA
from tests.tui.driving import hint, running, shown, type_text, until
from tests.zstd import zstd
from vmci_tui.images.stream_image import stream
from vmci_tui.images.wrapped import open_wrapped
from vmci_tui.images.wrapped.decompressed import open_decompressed
from vmci_tui.opening import open_file
from vmci_tui.settings.settings import remember
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.screens.open_screen import OpenScreen


@pytest.fixture(params=["save", "stream"])
def large(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compressed save, or a stream, that counts as a large one."""
    kind, packed = ("save", "wrapped/lv-zstd.save") if request.param == "save" else ("qevm", "streams/pc-7.2.qevm")
    path = tmp_path / f"vm.{kind}"
    path.write_bytes(zstd.decompress((DATA / f"{packed}.zst").read_bytes()))
    monkeypatch.setattr(open_file, "_QUICK" if kind == "save" else "_LARGE", 1)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Decompressing, and finding the pages of a stream, report their progress until the event is set."""
    event = threading.Event()

    def slow(real: Callable[..., Any], *given: Any) -> Any:
        while not event.is_set():
            given[-1]("reading it all", 1 << 20, 9 << 20)
            time.sleep(0.01)
        return real(*given)

    monkeypatch.setattr(open_wrapped, "open_decompressed", partial(slow, open_decompressed))
    monkeypatch.setattr(stream, "_indexed", partial(slow, stream._indexed))
    return event


async def test_a_large_saved_vm_is_read_aside_with_its_progress(large: Path, held: threading.Event) -> None:
    async with running() as pilot:
        await pilot.press("o")
        await type_text(pilot, large.name)
        await pilot.press("enter")
        await until(pilot, lambda: "reading it all" in hint(pilot))
        assert "Esc stops" in hint(pilot) and isinstance(pilot.app.screen, OpenScreen)
        held.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))


async def test_esc_stops_reading_and_the_prompt_stays(large: Path, held: threading.Event) -> None:
    async with running() as pilot:
        await pilot.press("o")
        await type_text(pilot, large.name)
        await pilot.press("enter")
        await until(pilot, lambda: "reading it all" in hint(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in hint(pilot))
        assert isinstance(pilot.app.screen, OpenScreen)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OpenScreen))


async def test_a_recent_one_is_opened_by_the_prompt(large: Path) -> None:
    remember(str(large), None)
    async with running() as pilot:
        await until(pilot, lambda: large.name in shown(pilot))
        await pilot.press("down", "down", "enter")  # after the tour
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
