"""Test that no error of vmci ends the app: it is reported in one line and logged, and the app continues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from textual.pilot import Pilot

from tests.tui.driving import forget, main_screen, running, said, settled, shown, type_text, until
from vmci_tui.common import internal_errors
from vmci_tui.common.error_log import log_file
from vmci_tui.common.errors import OpenError
from vmci_tui.readers import makedumpfile
from vmci_tui.readers.verdicts import verdicts_after
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.session import Session

Sample = Callable[[str], str]
_SECRET = "bytes of a dump"
_DUMP = "amd64-cut-note.elf"
pytestmark = pytest.mark.usefixtures("internal_errors_allowed")


def _fail(*_: Any, **__: Any) -> NoReturn:
    raise IndexError(_SECRET)


async def _told(pilot: Pilot[Any]) -> None:
    """Check that the error was reported without values, and that the panes still work."""
    assert "vmci failed here: IndexError at vmci_tui/" in said(pilot) or "IndexError" in said(pilot), said(pilot)
    assert _SECRET not in said(pilot) + log_file().read_text() and str(log_file()) in said(pilot)
    assert internal_errors.recorded[0].kinds[0] == "IndexError"
    while pilot.app.screen is not main_screen(pilot):
        await pilot.press("escape")
        await settled(pilot)
    view = main_screen(pilot).query_one(HexPane)
    await pilot.press("5")
    await settled(pilot)
    before = view.cursor
    await pilot.press("down", "right")
    await settled(pilot)
    assert view.cursor == before + view.per_row + 1
    assert pilot.app.is_running and pilot.app.return_code is None


@pytest.mark.parametrize(
    "place",
    [
        "vmci_tui.findings.judgement.verdicts_now",
        "vmci_tui.findings.judgement.findings",
        "vmci_tui.findings.judgement.proof_of",
    ],
)
async def test_a_judgement_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr(place, _fail)
    async with running(sample(_DUMP)) as pilot:
        await until(pilot, lambda: "not checked" in shown(pilot))
        await settled(pilot)
        assert "not checked" in shown(pilot) and main_screen(pilot).session.judgement is None
        await pilot.press("v")
        await settled(pilot)
        assert isinstance(pilot.app.screen, MainScreen) and "the file is not checked" in said(pilot)
        await _told(pilot)


async def test_the_model_of_one_reader_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(makedumpfile.READER.__dict__, "read", _fail)
    async with running(sample(_DUMP)) as pilot:
        judgement = main_screen(pilot).session.judgement
        assert judgement is not None and judgement.now["crash"].accepts
        assert judgement.now["makedumpfile"].accepts is None
        await _told(pilot)


async def test_a_judgement_while_typing_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(sample(_DUMP)) as pilot:
        await pilot.press("4", "down", "down", "enter")
        monkeypatch.setattr("vmci_tui.findings.judgement.verdicts_after", _fail)
        await type_text(pilot, "4097")
        await settled(pilot)
        await _told(pilot)


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("F", "vmci_tui.tui.screens.candidates_screen.find"),
        ("F", "vmci_tui.tui.screens.candidates_screen.rank_candidates"),
        ("R", "vmci_tui.tui.screens.repair_screen.repair"),
    ],
)
async def test_work_in_a_thread_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch, keys: str, place: str) -> None:
    __import__(place.rpartition(".")[0])
    monkeypatch.setattr(place, _fail)
    async with running(sample(_DUMP)) as pilot:
        await pilot.press(keys)
        await settled(pilot)
        await _told(pilot)


async def test_a_search_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmci_tui.document.find_bytes.search", _fail)
    async with running(sample(_DUMP)) as pilot:
        await pilot.press("5", "slash")
        await type_text(pilot, "CORE")
        await pilot.press("enter")
        await settled(pilot)
        await _told(pilot)


@pytest.mark.parametrize(
    "painter",
    [
        "panes.findings.FindingsList.render_line",
        "panes.keys.KeysList.render_line",
        "panes.notes.NotesList.render_line",
        "panes.readers.ReadersPane.render_line",
        "widgets.pane_bar.PaneBar.render",
        "widgets.verdict_strip.TitleBar.render_line",
        "widgets.status_line.StatusLine.render_line",
    ],
)
async def test_a_painter_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch, painter: str) -> None:
    async with running(sample(_DUMP)) as pilot:
        monkeypatch.setattr(f"vmci_tui.tui.{painter}", _fail)
        for widget in main_screen(pilot).query("*"):
            widget.refresh()
        await settled(pilot)
        assert "cannot be shown" in shown(pilot) or painter.endswith("PaneBar.render")
        await pilot.resize_terminal(90, 40)
        await settled(pilot)
        await _told(pilot)


@pytest.mark.parametrize("action", ["matrix", "memory", "save", "find", "next", "undo", "toggle_keys", "quit"])
async def test_a_key_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    async with running(sample(_DUMP)) as pilot:
        of = pilot.app if action in ("toggle_keys", "quit") else main_screen(pilot)
        monkeypatch.setattr(type(of), f"action_{action}", _fail)
        await pilot.press({"undo": "u", "matrix": "m", "memory": "M", "save": "s", "find": "F", "next": "W",
                           "toggle_keys": "f1", "quit": "ctrl+q"}[action])  # fmt: skip
        await settled(pilot)
        await _told(pilot)


@pytest.mark.parametrize("method", ["compose", "on_mount"])
async def test_a_screen_that_is_opened_fails(sample: Sample, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(f"vmci_tui.tui.screens.matrix_screen.MatrixScreen.{method}", _fail, raising=False)
    async with running(sample(_DUMP)) as pilot:
        await pilot.press("m")
        await settled(pilot)
        assert "IndexError" in said(pilot)
        pilot.app.pop_screen()
        await settled(pilot)
        await _told(pilot)


async def test_a_message_a_timer_and_what_follows_a_paint_fail(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(sample(_DUMP)) as pilot:
        screen = main_screen(pilot)
        ways: tuple[Callable[[], object], ...] = (
            lambda: screen.set_timer(0.01, _fail),
            lambda: screen.call_after_refresh(_fail),
            lambda: screen.query_one(HexPane).call_later(_fail),
            lambda: screen.run_worker(_fail, thread=True),
        )
        for begin in ways:
            forget(pilot)
            internal_errors.recorded.clear()
            app = pilot.app
            assert isinstance(app, VmciApp)
            app._failures._shown = frozenset()
            begin()
            await until(pilot, lambda: said(pilot))
            await _told(pilot)


async def test_a_disk_error_is_reported_and_not_an_internal_error(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> NoReturn:
        raise OpenError("cannot read it at 0x10", "copy it elsewhere")

    async with running(sample(_DUMP)) as pilot:
        monkeypatch.setattr("vmci_tui.layers.file.FileSource.read", fail)
        await pilot.press("ctrl+x")
        await until(pilot, lambda: "cannot read it" in said(pilot))
        assert "cannot read it at 0x10" in said(pilot) and not internal_errors.recorded and not log_file().exists()


async def test_a_long_judgement_is_reported_and_the_next_key_stops_it(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vmci_tui.findings import judgement

    real, asked = verdicts_after, list[str]()

    def slow(document: Any, now: Any, readers: Any, budget: Any) -> Any:
        asked.append("begun")
        if document.modified and len(document.steps) == 1:
            while True:  # as long as no one stops it
                budget.refill().spend()
        return real(document, now, readers, budget)

    async with running(sample(_DUMP)) as pilot:
        screen = main_screen(pilot)
        monkeypatch.setattr(Session, "patience", 0.01)
        monkeypatch.setattr(judgement, "verdicts_after", slow)
        await pilot.press("ctrl+x")
        await until(pilot, lambda: "being checked" in shown(pilot))
        assert screen.session.judgement is None and screen.session.found == () and "being checked" in shown(pilot)
        await pilot.press("v")
        assert isinstance(pilot.app.screen, MainScreen) and "the file is being checked" in said(pilot)
        await pilot.press("5", "down")
        assert screen.query_one(HexPane).cursor > 0
        await pilot.press("u")
        await settled(pilot)
        forget(pilot)
        await settled(pilot)
        assert screen.session.judgement is not None and "being checked" not in shown(pilot) and len(asked) >= 2
