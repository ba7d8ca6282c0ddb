"""Test the strip of readers, their screen, the matrix, and the verdicts while the user types."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Static

from tests.tui.driving import main_screen, running, said, settled, shown, type_text, until
from vmci_tui.tui.panes.panes import Panes
from vmci_tui.tui.panes.readers import ReadersPane
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.verdict_strip import VerdictLine

Sample = Callable[[str], str]
_SECTIONS_FIRST = "amd64-note.elf-win4k"


async def test_the_strip_shows_verdicts_now_and_after_a_save(sample: Sample) -> None:
    """Only where one pane is shown at a time; else the readers have a pane."""
    async with running(sample(_SECTIONS_FIRST), size=(80, 24)) as pilot:
        line = shown(pilot).split("\n")[3]
        assert "crash ok" in line and "drgn opens" in line, "the dump holds the note's page alone"
        assert "mkdump no>ok" in line and "eu-elf no>ok" in line
        assert "qemu" not in line, "no entry is open"


async def test_by_keyboard_from_a_refusal_to_an_accepted_file(sample: Sample) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        assert "drgn no" in shown(pilot)
        await pilot.press("v")
        await settled(pilot)
        words = str(pilot.app.screen.query_one("#verdict", Static).content)
        assert "drgn 0.3.0: refuses" in words and "couldn't parse BUILD-ID in VMCOREINFO" in words
        assert "T02 lines end in CR LF" in words and "f: end the lines in LF" in words
        await pilot.press("f")
        await settled(pilot)
        assert "accepts" in str(pilot.app.screen.query_one("#verdict", Static).content).split("After saving")[1]
        await pilot.press("escape")
        await settled(pilot)
        assert "drgn no>opens" in shown(pilot) and "MODIFIED" in shown(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert "drgn no " in shown(pilot) + " " and not main_screen(pilot).document.modified


async def test_a_reader_is_opened_by_mouse_and_a_missing_fix_is_reported(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        await pilot.click(ReadersPane, offset=(5, 3), times=2)  # drgn, below the border, the header and crash
        await settled(pilot)
        words = str(pilot.app.screen.query_one("#verdict", Static).content)
        assert "refuses" in words and "Press R to search guest memory" in words
        await pilot.press("f")
        assert "would still refuse" in said(pilot)


async def test_the_strip_changes_while_a_value_is_typed(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        screen = main_screen(pilot)
        await pilot.press("4", "down", "down", "enter")  # PAGESIZE
        await type_text(pilot, "4095")
        await settled(pilot)
        strip = "".join(text for text, _ in pilot.app.screen.query_one(VerdictLine)._row)
        assert "drgn ok>no" in strip and "readelf ok " in strip
        await pilot.press("escape")
        await settled(pilot)
        assert not screen.document.modified and "drgn ok" in shown(pilot) and "ok>no" not in shown(pilot)
        await pilot.press("e")
        await settled(pilot)
        await type_text(pilot, "PAGESIZE=4096\n")
        await settled(pilot)
        strip = "".join(text for text, _ in pilot.app.screen.query_one(VerdictLine)._row)
        assert "drgn ok>no" in strip and "crash ok>no" in strip


async def test_the_matrix_marks_what_readers_read_differently(sample: Sample) -> None:
    async with running(sample("duplicate-keys.elf"), size=(120, 36)) as pilot:
        await pilot.press("m")
        await settled(pilot)
        assert "Values that each reader reads" in shown(pilot)
        await pilot.press("equals_sign")
        await settled(pilot)
        listed = pilot.app.screen.query_one("#matrix")
        assert 0 < len(listed.rows) < 20  # type: ignore[attr-defined]
        await pilot.press("escape")
        assert main_screen(pilot).is_current


async def test_a_key_is_explained_where_the_cursor_rests(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(200, 60)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: main_screen(pilot).query("#about-text") and "OSREL" in shown(pilot))
        assert "OSRELEASE" in str(main_screen(pilot).query_one("#about-text", Static).content)
        await pilot.press("down", "down")
        text = main_screen(pilot).query_one("#about-text", Static)
        await until(pilot, lambda: "PAGESIZE" in str(text.content))
        assert "PAGESIZE" in str(text.content)
        await pilot.press("i")
        await settled(pilot)
        assert not main_screen(pilot).query_one(Panes).is_open("about")


async def test_a_finding_shows_the_readers_words(sample: Sample) -> None:
    async with running(sample("crlf.elf")) as pilot:
        await pilot.press("1")
        await settled(pilot)
        why = str(main_screen(pilot).query_one("#why-text", Static).content)
        assert why.splitlines()[1] == "f: end the lines in LF"
        assert """drgn, libkdumpfile refuse: "couldn't parse BUILD-ID in VMCOREINFO\"""" in why
        assert main_screen(pilot).query_one("#status", StatusLine)


async def test_qemu_is_judged_if_an_entry_is_open(sample: Sample) -> None:
    files = sample("x86_64-guest-format-2.elf"), sample("x86_64-guest-format-2.entry")
    async with running(*files, size=(80, 24)) as pilot:
        assert "qemu no" in shown(pilot).split("\n")[3]


async def test_before_a_repair_the_pane_shows_what_r_would_bring(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=(120, 36)) as pilot:
        await until(pilot, lambda: "by R" in shown(pilot))
        row = next(line for line in shown(pilot).splitlines() if "crash        no" in line)
        assert 'no    -> ok    "unknown"' in row, "what it prints now"
        assert "6 after R" in shown(pilot)
        await pilot.press("R")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "by R" not in shown(pilot) and "6 once saved" in shown(pilot)
