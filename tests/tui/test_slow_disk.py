"""Test files on a disk that does not answer: the app does, and what comes late is shown, or else closed."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT, SAMPLES
from tests.tui.driving import hint, main_screen, running, said, settled, shown, type_text, until
from vmci_tui.common.errors import OpenError
from vmci_tui.document.document import Document
from vmci_tui.opening.open_file import open_document
from vmci_tui.settings.settings import remember
from vmci_tui.tui import load_rest
from vmci_tui.tui.disk import files
from vmci_tui.tui.disk.save_session import undo_save
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.screens import open_screen
from vmci_tui.tui.screens.open_screen import OpenScreen
from vmci_tui.tui.screens.start_screen import StartScreen
from vmci_tui.tui.widgets.dialogs import Waiting


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The disk answers once the event is set."""
    event = threading.Event()

    def slow(real: Callable[..., Any], *given: Any) -> Any:
        event.wait(60)
        return real(*given)

    for module in (files, open_screen):
        monkeypatch.setattr(module, "opens_slowly", partial(slow, module.opens_slowly))
    monkeypatch.setattr(files, "undo_save", partial(slow, undo_save))
    monkeypatch.setattr(files.Files, "patience", 0)
    return event


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Document]:
    """The documents that were opened late."""
    found: list[Document] = []

    def noted(*given: Any) -> Document:
        found.append(open_document(*given))
        return found[-1]

    for module in (files, open_screen):
        monkeypatch.setattr(module, "open_document", noted)
    return found


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(SAMPLES / "amd64-cut-note.elf", tmp_path / "d.elf"))


def _is_open(document: Document) -> bool:
    try:
        return bool(document.source.read(0, 1))
    except OpenError:
        return False


async def test_a_recent_file_is_opened_when_the_disk_answers(answers: threading.Event, dump: Path) -> None:
    remember(str(dump), None)
    async with running() as pilot:
        await until(pilot, lambda: dump.name in shown(pilot))
        await pilot.press("down", "down", "enter")  # after the tour
        await until(pilot, lambda: "opening" in said(pilot))
        assert isinstance(pilot.app.screen, StartScreen)
        answers.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        assert main_screen(pilot).document.path == str(dump)


async def test_what_answers_too_late_is_closed(answers: threading.Event, opened: list[Document], dump: Path) -> None:
    remember(str(dump), None)
    async with running() as pilot:
        await until(pilot, lambda: dump.name in shown(pilot))
        await pilot.press("down", "down", "enter", "o")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        await type_text(pilot, str(dump))
        await pilot.press("enter")
        await until(pilot, lambda: "opening" in hint(pilot))
        await pilot.press("enter", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, StartScreen))
        await pilot.press("L")
        answers.set()
        await until(pilot, lambda: "open it again" in said(pilot))
        await until(pilot, lambda: len(opened) == 3 and not any(map(_is_open, opened)))
        assert len(opened) == 3 and not any(map(_is_open, opened))
        assert not isinstance(pilot.app.screen, MainScreen)


async def test_undoing_a_save_in_place_waits_for_the_disk(answers: threading.Event, dump: Path) -> None:
    before = dump.read_bytes()
    async with running(str(dump)) as pilot:
        await pilot.press("4", "d", "s")
        await settled(pilot)
        await pilot.click("#in-place")
        await settled(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "in place" in said(pilot))
        await settled(pilot)
        assert dump.read_bytes() != before
        await pilot.press("U", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Waiting))
        await pilot.press("escape", "q")
        assert isinstance(pilot.app.screen, Waiting) and dump.read_bytes() != before
        await pilot.press("f1")
        await until(pilot, lambda: not isinstance(pilot.app.screen, Waiting))
        answers.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen) and "undone" in said(pilot))
        await settled(pilot)
        assert dump.read_bytes() == before and not main_screen(pilot).document.modified


async def test_what_the_keys_open_is_imported_once_the_file_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(load_rest, "load_rest", asked.append)
    async with running(str(SAMPLES / "amd64-cut-note.elf")) as pilot:
        await until(pilot, lambda: asked)
        await settled(pilot)
        assert asked == [False], "once, and what lives in the tests is searched for garbage again"
    load_rest.load_rest(False)
    screens = {f"vmci_tui.tui.screens.{path.stem}" for path in (ROOT / "vmci_tui/tui/screens").glob("[a-z]*.py")}
    assert screens - set(sys.modules) <= {"vmci_tui.tui.screens.bench_screen"}
