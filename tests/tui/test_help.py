"""Test help, palette, pictures and quitting: each key can be found on each screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text
from textual.binding import Binding
from textual.widgets import Static

from tests.tui.driving import main_screen, running, said, settled, shown, type_text, until
from vmci_tui.settings.settings import Settings
from vmci_tui.tui.bindings import group_of
from vmci_tui.tui.commands.all_bindings import fitness
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.panes.pane_table import PANES
from vmci_tui.tui.screens.help_screen import HelpScreen, matching
from vmci_tui.tui.widgets.dialogs import Choose

Sample = Callable[[str], str]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_help_describes_the_pane_and_every_key(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        for number, pane_of in enumerate(pane for pane in PANES if pane.fits(screen.document)):
            await pilot.press(pane_of.number)
            await settled(pilot)
            pane = screen.focused
            assert pane is not None
            await pilot.press("f1" if number % 2 else "question_mark")
            await settled(pilot)
            assert isinstance(pilot.app.screen, HelpScreen)
            words = str(pilot.app.screen.query_one("#lines", Static).content)
            text = " ".join(words.split())
            for item in [*type(pane).BINDINGS, *MainScreen.BINDINGS]:
                assert isinstance(item, Binding)
                if str(item.id).startswith("alone.") or item.id in ("pane.entry", "pane.qemu"):
                    continue  # no entry is open
                assert (item.tooltip or item.description) in text, (pane_of, item)
            room = pilot.app.screen.query_one("#scroll").scrollable_content_region.width
            assert max(map(len, words.splitlines())) <= room, "lines are wrapped below their own text"
            keys = words.partition("\nMove\n")[2]
            assert all(line[:1] in ("", " ") or line.isalpha() for line in keys.splitlines())
            assert words.isascii() and pane_of.words in shown(pilot)
            for heading in ("Move", "Edit", "Repair", "Save", "See", "Signs", "Colours"):
                assert f"\n{heading}\n" in words, heading
            assert "Esc Close" in shown(pilot).splitlines()[-1]
            assert "keymap" not in words and "return to the command prompt" not in words
            assert pilot.app.screen.query_one(".dialog").region.bottom < size[1], "the footer stays free"
            for key in ("end", "escape"):
                await pilot.press(key)
                await settled(pilot)
            assert screen.is_current and screen.focused is pane


async def test_the_palette_has_every_action_from_every_pane(sample: Sample) -> None:
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files, size=(80, 24)) as pilot:
        screen = main_screen(pilot)
        all_of = set()
        for number in (1, 2, 3, 4, 5, 7):
            await pilot.press(str(number))
            await settled(pilot)
            all_of.add(frozenset(c.title for c in pilot.app.get_system_commands(screen)))
        assert len({len(titles) for titles in all_of}) == 1, "as many from each"
        titles = [c.title for c in pilot.app.get_system_commands(screen)]
        for pane in (EntryList, NotesList, KeysList, FindingsList, HexPane, MainScreen):
            for item in pane.BINDINGS:
                if isinstance(item, Binding) and item.tooltip and not item.id.startswith(("pane.", "alone.")):  # type: ignore[union-attr]
                    assert sum(item.tooltip in title for title in titles) == 1, item
        await pilot.press("4")
        await settled(pilot)
        run = next(c.callback for c in pilot.app.get_system_commands(screen) if "Go to a file offset" in c.title)
        run()
        await settled(pilot)
        assert "Go to" in shown(pilot)
        await pilot.press("escape")
        assert screen.focused is screen.query_one(HexPane)


async def test_a_picture_goes_into_the_folder(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("f12", "v")
        await settled(pilot)
        await pilot.press("f12")
        assert "saved vmci-2.svg" in said(pilot)
    first, second = ((tmp_path / f"vmci-{n}.svg").read_text() for n in (1, 2))
    assert first.startswith("<svg") and "OSRELEASE" in first and "@font-face" not in first and first != second


async def test_leaving_by_any_key_asks_about_edits(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("ctrl+x", "s")
        await settled(pilot)
        await pilot.press("ctrl+q")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Choose) and "unsaved edits" in shown(pilot)
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert screen.is_current and pilot.app.is_running


async def test_keys_of_the_settings_are_in_the_palette(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        pilot.app.settings = Settings(keymap={"goto": "ctrl+g"})  # type: ignore[attr-defined]
        titles = [c.title for c in pilot.app.get_system_commands(main_screen(pilot))]
        assert any(title.endswith("(Ctrl+G)") for title in titles)
        await pilot.press("slash")
        await type_text(pilot, "PAGE")
        await pilot.press("f1")
        await settled(pilot)
        assert isinstance(pilot.app.screen, HelpScreen), "also while something is typed"


async def test_an_action_of_the_app_works_from_the_palette(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(sample("good.entry")) as pilot:
        command = next(c for c in pilot.app.get_system_commands(pilot.app.screen) if "Save a picture" in c.title)
        await command.callback()
        await settled(pilot)
        assert len(list(tmp_path.glob("*.svg"))) == 1


async def test_a_command_is_one_line_and_is_found_by_other_words(sample: Sample) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        await settled(pilot)
        found = list(pilot.app.get_system_commands(main_screen(pilot)))
        for query, words in (
            ("screenshot", "Save a picture"),
            ("undo", "Undo the last edit"),
            ("exit", "Quit;"),
            ("help", "Explain this pane"),
            ("fix crash", "Apply all safe fixes"),
        ):
            best = max(found, key=lambda command: fitness(query, command.title, command.help))
            assert words in best.title and fitness(query, best.title, best.help) > 0, (query, best)
        assert [c.title for c in found if fitness("theme", c.title, c.help)] == [
            "Theme: choose other colours, such as high contrast"
        ]
        await pilot.press("colon")
        await settled(pilot)
        await pilot.press(*"screenshot")
        await until(pilot, lambda: "Save a picture" in shown(pilot))
        assert "Save: Save a picture of the screen (SVG)  (F12)" in shown(pilot)


async def test_the_settings_are_explained_in_a_command(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        command = next(c for c in pilot.app.get_system_commands(pilot.app.screen) if c.title.startswith("Settings"))
        command.callback()
        await settled(pilot)
        assert "[keymap]" in shown(pilot) and '"' in shown(pilot)


def test_actions_have_groups() -> None:
    groups = {name: group_of(name) for name in ("repair", "delete_line", "save", "search_next", "readers", "move(1)")}
    assert list(groups.values()) == ["Repair", "Edit", "Save", "Move", "Repair", "Move"]
    assert (group_of("move_line(-1)"), group_of("app.craft")) == ("Edit", "See")


async def test_the_help_is_searched_and_paints_its_legend(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("f1")
        await settled(pilot)
        text = pilot.app.screen.query_one("#lines", Static).content
        assert isinstance(text, Text) and len({str(span.style) for span in text.spans}) > 6, (
            "samples have their colours"
        )
        await pilot.press("slash")
        await type_text(pilot, "LAST save undo")
        words = str(pilot.app.screen.query_one("#lines", Static).content)
        assert words.splitlines() == [
            "Edit",
            "  u Ctrl+Z         Undo the last edit; then the last save in place",
            "  U                Undo the last save in place",
        ]
        await type_text(pilot, "rename the Q q ?")
        assert "no line has these words" in shown(pilot), "letters are typed, they are no keys here"
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, HelpScreen) and "MODIFIED" in str(
            pilot.app.screen.query_one("#lines", Static).content
        )
        await pilot.press("escape")
        await settled(pilot)
        assert main_screen(pilot).is_current


def test_a_search_finds_all_words_below_a_heading() -> None:
    lines = ["About it", "", "Edit", "  Enter   Change the value", "  d       Remove the line", "", "Save", "  s  Copy"]
    assert matching(lines, "") == lines
    assert matching(lines, "remove LINE") == ["Edit", "  d       Remove the line"]
    assert matching(lines, "edit the") == ["Edit", "  Enter   Change the value", "  d       Remove the line"]
    assert matching(lines, "zebra") == ["no line has these words"]


async def test_words_of_a_command_in_the_name_of_a_file_stay(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "FILE-CUT-COPY.elf"
    path.write_bytes(Path(sample("crlf.elf")).read_bytes())
    async with running(str(path)) as pilot:
        assert isinstance(pilot.app.screen, MainScreen)
        words = pilot.app.screen.session.shell_words("cut FILE -o CUT")
    assert words == f"$ vmci cut {path} -o {tmp_path}/FILE-CUT-COPY-cut.elf"


async def test_the_commands_name_one_of_the_command_line(sample: Sample) -> None:
    """The app has no screen for it."""
    async with running(sample("amd64-cut-note.elf")) as pilot:
        known = list(pilot.app.get_system_commands(pilot.app.screen))
        (symbols,) = (c for c in known if fitness("symbols shell", c.title, c.help))
        symbols.callback()
        assert pilot.app.clipboard.startswith("vmci symbols ") and "amd64-cut-note.elf" in pilot.app.clipboard
        (cut,) = (c for c in known if fitness("mail", c.title, c.help))
        cut.callback()
        assert pilot.app.clipboard.endswith("amd64-cut-note-cut.elf --mask")
        assert any("Craft" in c.title for c in known if fitness("bench", c.title, c.help))
        await pilot.press("ctrl+x")
        symbols.callback()
        assert "save the edits first" in said(pilot)


async def test_a_picture_has_the_footer_of_its_screen(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is taken by the commands, at once after they close."""
    monkeypatch.chdir(tmp_path)
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        await pilot.press("f12", "v")
        await settled(pilot)
        await pilot.press("f12", "escape", "colon")
        await type_text(pilot, "screenshot")
        await until(pilot, lambda: "Save a picture" in shown(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "saved vmci-3.svg" in said(pilot))
    pictures = [(tmp_path / f"vmci-{n}.svg").read_text().replace("&#160;", " ") for n in (1, 2, 3)]
    for picture, label in zip(pictures, ("Repair", "Show bytes", "Repair"), strict=True):
        assert (label in picture and "more" in picture) or "Help" in picture


async def test_the_list_of_commands_opens_by_ctrl_p_too(sample: Sample) -> None:
    async with running(sample("good.entry"), size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Search for commands" in shown(pilot))
        assert "Search for commands" in shown(pilot)
