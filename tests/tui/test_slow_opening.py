"""Test opening a save that is decompressed first: the app answers meanwhile, and Esc stops it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.paths import DATA
from tests.tui.driving import hint, running, shown, type_text, until
from tests.zstd import zstd
from vmci_tui.common.progress import Progress
from vmci_tui.images.wrapped import open_wrapped
from vmci_tui.images.wrapped.decoders import Compression
from vmci_tui.images.wrapped.decompressed import DecompressedSource, open_decompressed
from vmci_tui.layers.file import Source
from vmci_tui.opening import open_file
from vmci_tui.settings.settings import remember
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.screens.open_screen import OpenScreen


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "vm.save"
    path.write_bytes(zstd.decompress((DATA / "wrapped" / "lv-zstd.save.zst").read_bytes()))
    monkeypatch.setattr(open_file, "_QUICK", 1)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Decompressing reports its progress until the event is set."""
    event, real = threading.Event(), open_decompressed

    def slow(source: Source, at: int, compression: Compression, progress: Progress) -> DecompressedSource:
        while not event.is_set():
            progress("decompressing", 1 << 20, 9 << 20)
            time.sleep(0.01)
        return real(source, at, compression, progress)

    monkeypatch.setattr(open_wrapped, "open_decompressed", slow)
    return event


async def test_a_compressed_save_is_read_aside_with_its_progress(save: Path, held: threading.Event) -> None:
    async with running() as pilot:
        await pilot.press("o")
        await type_text(pilot, save.name)
        await pilot.press("enter")
        await until(pilot, lambda: "decompressing" in hint(pilot))
        assert "Esc stops" in hint(pilot) and isinstance(pilot.app.screen, OpenScreen)
        held.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))


async def test_esc_stops_reading_and_the_prompt_stays(save: Path, held: threading.Event) -> None:
    async with running() as pilot:
        await pilot.press("o")
        await type_text(pilot, save.name)
        await pilot.press("enter")
        await until(pilot, lambda: "decompressing" in hint(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in hint(pilot))
        assert isinstance(pilot.app.screen, OpenScreen)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OpenScreen))


async def test_a_recent_save_is_opened_by_the_prompt(save: Path) -> None:
    remember(str(save), None)
    async with running() as pilot:
        await until(pilot, lambda: "vm.save" in shown(pilot))
        await pilot.press("down", "down", "enter")  # after the tour
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
