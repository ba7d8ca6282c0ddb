"""Test what is stored between two runs, whatever the files contain, and that every key can be changed."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import Static

import vmci_tui.tui
from tests.limits import PATIENCE
from tests.opened_files import open_document
from tests.tui.driving import choose_theme, running, said, settled, shown, until
from vmci_tui.settings import settings
from vmci_tui.tui.app import VmciApp
from vmci_tui.tui.screens.save_screen import SaveScreen
from vmci_tui.tui.widgets import recent_files


def _file(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "vmci-tui" / "recent.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _recent() -> tuple[tuple[str, str | None], ...]:
    return tuple(item[:2] for item in settings.recent())


def test_a_file_of_an_older_version_is_read_and_bookmarks_stay_with_their_file(tmp_path: Path) -> None:
    one, two = (str(tmp_path / name) for name in ("one", "two"))
    for path in (one, two):
        Path(path).touch()
    _file(tmp_path).write_text(json.dumps([[one, None], [two, one]]))
    assert _recent() == ((one, None), (two, one)) and settings.bookmarks(one) == ()
    settings.store_bookmarks(two, ("0x10", "p0x1000"))
    assert _recent() == ((two, one), (one, None))
    settings.remember(one)
    settings.remember(two)
    assert settings.bookmarks(two) == ("0x10", "p0x1000") and settings.bookmarks(one) == ()
    assert _recent()[0] == (two, None), "the entry beside it is the one that was opened last"
    settings.store_bookmarks(two, tuple(str(number) for number in range(1000)))
    assert len(settings.bookmarks(two)) == settings.MOST_BOOKMARKS
    Path(two).unlink()
    settings.remember(one)
    assert len(settings.bookmarks(two)) == settings.MOST_BOOKMARKS, "its folder may be mounted again"
    assert list(map(settings.on_disk, settings.recent())) == [(one, None, ()), None]


@pytest.mark.parametrize("opens", [False, True])
async def test_a_recent_file_that_does_not_answer_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    paths = [str(tmp_path / name) for name in ("one", "on-a-dead-server", "two")]
    for path in paths:
        Path(path).touch()
        settings.remember(path)
    answers, there = Event(), settings.on_disk

    def slow(item: settings.RecentFile) -> settings.RecentFile | None:
        if item.path == paths[1]:
            answers.wait(PATIENCE)
        return there(item)

    monkeypatch.setattr(recent_files, "on_disk", slow)
    monkeypatch.setattr(recent_files.RecentFiles, "patience", 0.05)
    async with VmciApp(None).run_test(size=(80, 30)) as pilot:
        if opens:
            await pilot.press("o")
        await until(pilot, lambda: "one " in shown(pilot) and "two " in shown(pilot))
        assert "dead" not in shown(pilot)
        answers.set()
        await until(pilot, lambda: "dead" in shown(pilot))
        assert shown(pilot).index("two ") < shown(pilot).index("dead") < shown(pilot).index("one ")
        settings.remember(paths[0])
        assert _recent()[0] == (paths[0], None)


@pytest.mark.parametrize("kept", ['["0x1", 5, null]', '"text"', "7", "null", '{"a": 1}'])
def test_garbage_is_left_out(tmp_path: Path, kept: str) -> None:
    one = tmp_path / "one"
    one.touch()
    _file(tmp_path).write_text(f'[["{one}", null, {kept}], ["{one}"], 4, ["{one}", 1, [], 2], [7, null]]')
    assert _recent() == ((str(one), None),)
    assert settings.bookmarks(str(one)) in ((), ("0x1",))
    _file(tmp_path).write_bytes(b"\xff{")
    assert _recent() == () and settings.bookmarks(str(one)) == ()


def test_every_key_has_a_name_for_the_settings_and_most_a_description() -> None:
    seen: dict[str, str] = {}
    for module in pkgutil.walk_packages(vmci_tui.tui.__path__, "vmci_tui.tui."):
        for item in vars(importlib.import_module(module.name)).values():
            if not (isinstance(item, type) and issubclass(item, DOMNode) and item.__module__.startswith("vmci_tui")):
                continue
            for binding in item.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding) and binding.id, (item, binding)
                assert binding.tooltip or binding.description or not binding.show, (item, binding)
                action = binding.action.removeprefix("screen.").removeprefix("app.")
                assert seen.setdefault(f"{binding.id} {action}", action) == action
    assert len(seen) > 100


async def test_the_theme_that_was_chosen_is_there_at_the_next_start(sample: Callable[[str], str]) -> None:
    async with running(sample("crlf.elf")) as pilot:
        assert pilot.app.theme == "textual-dark"
        await choose_theme(pilot, "dracula")
    async with running() as pilot:
        assert pilot.app.theme == "dracula"
    settings.config_file().parent.mkdir(parents=True, exist_ok=True)
    settings.config_file().write_text('theme = "nord"\n')
    app = VmciApp(None, settings.load())
    async with app.run_test() as pilot:
        assert app.theme == "nord"
        await choose_theme(pilot, "dracula")
        assert "settings.toml names the theme nord" in said(pilot)
    settings.config_file().write_text("")
    settings.store_theme("\x1b[31m is none")
    app = VmciApp(None, settings.load())
    async with app.run_test():
        assert app.theme == "textual-dark"


async def test_a_command_shows_the_settings_and_the_names_of_keys(sample: Callable[[str], str]) -> None:
    async with running(sample("crlf.elf")) as pilot:
        commands = list(pilot.app.get_system_commands(pilot.app.screen))
        next(item for item in commands if item.title.startswith("Settings")).callback()
        await settled(pilot)
        lines = str(pilot.app.screen.query_one("#lines", Static).content)
        path = settings.config_file()
        example = "\n".join(line.strip() for line in lines.split(str(path))[1].splitlines()[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example)
    chosen = settings.load()
    assert chosen.theme == "nord" and not chosen.blink
    assert chosen.keymap["save"] == "s,ctrl+s" and chosen.keymap["list.down"] == "down,j", chosen.keymap
    path.write_text(example.replace('"s,ctrl+s"', '"f5"'))
    app = VmciApp(open_document(sample("crlf.elf")), settings.load())
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("f5")
        assert isinstance(app.screen, SaveScreen)
        await pilot.press("escape")
        app.allowed = "/nowhere"
        titles = [item.title for item in app.get_system_commands(app.screen_stack[0])]
        assert not any(title.startswith("Settings") for title in titles), "in a browser"
