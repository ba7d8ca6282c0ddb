"""Drive the app in tests: open it on a sample, read what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from tests.limits import PATIENCE
from tests.opened_files import open_document
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.settings.settings import Settings
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.session import BEING_JUDGED
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.verdict_strip import VerdictLine

# Textual waits 30 seconds for widgets to process what is pending: not enough on a busy machine.
Pilot._wait_for_screen.__defaults__ = (PATIENCE,)


@asynccontextmanager
async def running(
    *files: str, size: tuple[int, int] = (120, 36), choice: ImageChoice | None = None
) -> AsyncIterator[Pilot[None]]:
    """Run the app on a file (and its blob), opened as `choice` says, or on the start screen."""
    path, blob = (*files, None, None)[:2]
    app = VmciApp(open_document(path, blob, choice) if path is not None else None, Settings(blink=False))
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until no work is running."""
    with suppress(WorkerCancelled):  # a dialog that closes cancels the worker that closed it
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.pause()
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:  # the readers are judged after the first paint
        screen = pilot.app.screen
        judging = (
            isinstance(screen, MainScreen)
            and screen.session.judgement is None
            and screen.session.not_judged == BEING_JUDGED
        )
        if isinstance(screen, MainScreen) and screen.session.judgement is not None:
            judging = screen.session.ahead is None or screen.session.ahead.running
        if not judging and all(strip._row != ((BEING_JUDGED, "dim"),) for strip in screen.query(VerdictLine)):
            return
        await pilot.pause(0.01)
    raise AssertionError("the readers are not judged")


async def until(pilot: Pilot[Any], seen: Callable[[], object]) -> None:
    """Wait until something is to be seen; the assertion that follows says what is missing."""
    deadline = monotonic() + PATIENCE
    while not seen() and monotonic() < deadline:
        await pilot.pause(0.02)


def main_screen(pilot: Pilot[Any]) -> MainScreen:
    screen = next(screen for screen in reversed(pilot.app.screen_stack) if isinstance(screen, MainScreen))
    assert isinstance(screen, MainScreen)
    return screen


async def choose(pilot: Pilot[Any], text: str) -> None:
    """Choose the line of the start screen with a text."""
    listed = pilot.app.screen.query_one("#start", LineList)
    listed.select(next(at for at, row in enumerate(listed.rows) if any(text in cell for cell, _ in row)))
    await pilot.press("enter")
    await settled(pilot)


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Put a text into the field that has the focus, as a paste does: faster than key by key."""
    from textual.widgets import Input, TextArea

    field = pilot.app.focused
    if isinstance(field, TextArea):
        field.text = text
    else:
        assert isinstance(field, Input), field
        field.value = text
    await pilot.pause()


def shown(pilot: Pilot[Any]) -> str:
    """Return the text on the screen."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def said(pilot: Pilot[Any]) -> str:
    """Return the messages so far without their times, unwrapped."""
    assert isinstance(pilot.app, VmciApp)
    return "\n".join(message.partition("  ")[2] for message in pilot.app.messages)


def forget(pilot: Pilot[Any]) -> None:
    """Forget the messages so far."""
    assert isinstance(pilot.app, VmciApp)
    pilot.app.messages.clear()


async def choose_theme(pilot: Pilot[Any], name: str) -> None:
    """Choose a theme in the list."""
    pilot.app.action_change_theme()
    await settled(pilot)
    await pilot.press("home")
    for _ in pilot.app.available_themes:
        if pilot.app.theme != name:
            await pilot.press("down")
    await pilot.press("enter")
    await settled(pilot)


def hint(pilot: Pilot[Any]) -> str:
    """Return a dialog's hint, unwrapped."""
    from textual.widgets import Static

    return str(pilot.app.screen.query_one("#hint", Static).content)
