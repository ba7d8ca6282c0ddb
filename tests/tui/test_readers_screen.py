"""Test that readers lead to their finding, that the strip fits, the matrix, and an explained key."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from types import SimpleNamespace

import pytest
from textual.screen import ModalScreen
from textual.widgets import Static

from tests.limits import PATIENCE
from tests.opened_files import open_document
from tests.tui.driving import main_screen, running, settled, shown, until
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers import installed as asking
from vmci_tui.readers.verdicts import NAMES, VerdictPair
from vmci_tui.render.tables.value_table import value_rows
from vmci_tui.tui.panes.findings import FindingsList
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.panes import Panes
from vmci_tui.tui.screens.readers_screen import ReadersScreen
from vmci_tui.tui.widgets.dialogs import Ask
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.verdict_strip import strip_cells

Sample = Callable[[str], str]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_enter_on_a_reader_leads_to_the_decisive_finding(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("crlf.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        await pilot.press("v")
        await settled(pilot)
        words = str(pilot.app.screen.query_one("#verdict", Static).content)
        assert "Enter shows the bytes of T02" in words
        await pilot.press("enter")
        await settled(pilot)
        assert screen.is_current
        finding = screen.query_one(FindingsList).finding()
        assert finding is not None and finding.code == "T02" and finding.span is not None
        assert screen.query_one(HexPane).highlight[0] == finding.span.offset
        assert screen.focused is screen.query_one(KeysList), "its line of the text"


async def test_each_reader_has_its_verdict_now_and_after_saving(sample: Sample) -> None:
    async with running(sample("crlf.elf"), size=(80, 24)) as pilot:
        await pilot.press("v")
        await settled(pilot)
        words = str(pilot.app.screen.query_one("#verdict", Static).content)
        assert 'Output:  "couldn\'t parse BUILD-ID in VMCOREINFO"' in words
        await pilot.press("f")
        await settled(pilot)
        lines = shown(pilot).split("\n")
        heads, line = (
            next(line for line in lines if "Readers " in line),
            next(line for line in lines if "│makedumpfile" in line),
        )
        assert heads.index("now") == line.index("refuses") and heads.index("saved") == line.index("accepts")


async def test_enter_on_a_reader_that_accepts_the_file_shows_its_words(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("v", "enter")
        assert pilot.app.focused is pilot.app.screen.query_one("#told")


@pytest.mark.parametrize("width", [72, 78, 80, 110, 200])
def test_the_strip_holds_all_seven_readers(width: int) -> None:
    no, yes = ({name: SimpleNamespace(state=state) for name in NAMES} for state in ("refuses", "accepts"))
    cells = strip_cells(VerdictPair(no, yes), width)  # type: ignore[arg-type]
    text = "".join(part for _, row in cells for part, _ in row).rstrip()
    assert len(cells) == 7 and len(text) <= width and text.count(">ok") == 7, text
    assert ("makedumpfile no>ok" in text) == (width == 200)


@pytest.mark.parametrize("width", [72, 80, 200])
def test_the_strip_has_readers_that_only_open_the_file(width: int) -> None:
    no, yes = ({name: SimpleNamespace(state=state) for name in NAMES} for state in ("refuses", "accepts"))
    yes |= {name: SimpleNamespace(state="opens") for name in ("drgn", "libkdumpfile")}
    text = "".join(part for _, row in strip_cells(VerdictPair(no, yes), width) for part, _ in row).rstrip()  # type: ignore[arg-type]
    assert len(text) <= width and (">op " if width < 200 else ">opens ") in text, text


def test_a_reader_that_only_checks_for_a_key_reads_no_other_value(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    text = document.state.vmcoreinfo
    assert text is not None
    _, lines = value_rows(text, Judgement.of(document).both.now)
    offset = next(line for line in lines if line.key == b"KERNELOFFSET")
    kinds = {value.how for value in offset.values.values() if value is not None}
    assert "presence only" in kinds and len(kinds) > 1 and not offset.differs


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_matrix_shows_first_what_differs_and_marks_it(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("duplicate-keys.elf"), size=size) as pilot:
        await pilot.press("m")
        await settled(pilot)
        lines = shown(pilot).split("\n")
        heads, first = lines[1], lines[3]
        assert "OSRELEASE" in first and "rescue" in first and "amd64" in first
        assert heads.index("drgn") == first.index("!") + 2, "the value is below its reader"
        await pilot.press("slash", *"phys_base", "enter")
        await settled(pilot)
        assert "OSRELEASE" not in shown(pilot) and "NUMBER(phys_base)" in shown(pilot)
        await pilot.press("i")
        await settled(pilot)
        assert "Explain: NUMBER(phys_base)" in shown(pilot)
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert "OSRELEASE" in shown(pilot)


async def test_the_matrix_names_its_readers_at_80_columns(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("m")
        await settled(pilot)
        heads = shown(pilot).split("\n")[1].split()
        assert set(heads) <= {*NAMES, "libkd", "mkdump", "eu-elf"}, heads


@pytest.mark.parametrize(("size", "least"), [((80, 24), 8), ((120, 36), 12), ((200, 60), 12)])
async def test_a_key_is_explained_with_room_and_what_matters_first(
    sample: Sample, size: tuple[int, int], least: int
) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        await pilot.press("4", "slash", *"KERNELOFFS", "enter")
        await until(pilot, lambda: size[0] < 160 or screen.query_one(Panes).is_open("about"))
        if size[0] < 160:  # else it is open by itself
            await pilot.press("i")
        await settled(pilot)
        await until(pilot, lambda: "KERNELOFFSET" in str(screen.query_one("#about-text", Static).content))
        words = str(screen.query_one("#about-text", Static).content)
        assert words.index("if wrong") < words.index("read by")
        assert "the kernel is moved to a random address at each boot" in " ".join(words.split())
        assert screen.query_one("#about").size.height >= least and "if wrong" in shown(pilot)
        await pilot.press("down", "i")
        await pilot.pause(0.2)
        await settled(pilot)
        assert not screen.query_one(Panes).is_open("about"), "a resting cursor does not show it again"
        await pilot.press("i", "i", "i", "i")
        assert not screen.query_one(Panes).is_open("about")
        assert size[0] == 80 or screen.query_one("#findings-pane").size.height > 0


async def test_the_meaning_of_a_key_says_how_to_close_it_and_gives_way(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        screen = main_screen(pilot)
        for key in ("escape", "I"):
            await pilot.press("4", "i")
            await settled(pilot)
            assert "Explain: OSRELEASE (i or Esc closes)" in shown(pilot)
            await pilot.press(key)
            await settled(pilot)
            assert not screen.query_one(Panes).is_open("about"), key
            assert ("Inspector" if key == "I" else "1 Findings") in shown(pilot)
        await pilot.press("escape", "4", "i", "1")
        await settled(pilot)
        assert "1 Findings" in shown(pilot) and "2 Readers" not in shown(pilot), "beside the findings"


async def test_a_key_shows_what_further_programs_make_of_the_file(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        await pilot.press("v")
        await settled(pilot)
        readers = pilot.app.screen
        assert isinstance(readers, ReadersScreen) and "gdb" not in shown(pilot)
        await pilot.press("plus")
        assert readers._job is not None
        readers._job.finish()
        await settled(pilot)
        listed = readers.query_one("#verdicts", LineList)
        listed.select(len(NAMES) - 1)
        await pilot.press("down")
        await settled(pilot)
        words = str(readers.query_one("#verdict", Static).content)
        assert words.startswith("gdb 13.1: accepts") and "Try it:  gdb -batch -c FILE" in words
        await pilot.press("f")
        await settled(pilot)
        assert "no fix is for gdb alone" in shown(pilot)
        await pilot.press("down")
        await settled(pilot)
        assert str(readers.query_one("#verdict", Static).content).startswith("volatility3 2.28.2: accepts")
        await pilot.press("plus")
        await settled(pilot)
        assert "volatility3" not in shown(pilot)


async def test_another_version_is_chosen_and_named(sample: Sample) -> None:
    async with running(sample("x86_64-bad-phys-base.elf"), size=(120, 36)) as pilot:
        screen = main_screen(pilot)
        await pilot.press("v")
        await settled(pilot)
        readers = pilot.app.screen
        assert isinstance(readers, ReadersScreen)
        readers.query_one("#verdicts", LineList).select(NAMES.index("drgn"))
        await settled(pilot)
        words = str(readers.query_one("#verdict", Static).content)
        assert words.startswith("drgn 0.3.0: refuses") and "accepts before 0.0.27, refuses from 0.0.27 on" in words
        await pilot.press("V")
        await settled(pilot)
        await pilot.press(*["backspace"] * 5, *"0.0.22", "enter")
        await settled(pilot)
        words = str(readers.query_one("#verdict", Static).content)
        assert words.startswith("drgn 0.0.22: accepts") and screen.session.judgement is not None
        assert screen.session.judgement.now["drgn"].accepts
        assert screen.session.shell_words("check FILE READERS").endswith("--reader drgn=0.0.22")
        await pilot.press("V")
        await settled(pilot)
        await pilot.press(*["backspace"] * 6, *"new", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Ask)
        assert "is not a version" in str(pilot.app.screen.query_one("#hint", Static).content)
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, ModalScreen) and screen.session.judgement.now["drgn"].accepts


async def test_the_programs_of_this_machine_are_asked(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "installed", lambda: {"crash": "99.0", "gdb": None})
    async with running(sample("amd64-cut-note.elf"), size=(120, 36)) as pilot:
        session = main_screen(pilot).session
        await pilot.press("v")
        await settled(pilot)
        readers = pilot.app.screen
        readers.query_one("#verdicts", LineList).select(NAMES.index("crash"))
        await pilot.press("V")
        await settled(pilot)
        await pilot.press(*["backspace"] * 5, *"installed", "enter")
        deadline = monotonic() + PATIENCE
        while session.readers.dumps[NAMES.index("crash") - 1].version != "99.0" and monotonic() < deadline:
            await pilot.pause(0.05)
        await settled(pilot)
        words = str(readers.query_one("#verdict", Static).content)
        assert words.startswith("crash 99.0 (x86-64): accepts\n  checked up to 9.0.2")
