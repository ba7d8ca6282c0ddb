"""Test the inspector, the status line, copying and bookmarks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import pytest
from textual.widgets import Input

from tests.dumps.factory import elf, note
from tests.tui.driving import main_screen, running, said, settled, shown, type_text, until
from vmci_tui.tui.companions.inspector import Inspector
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.panes import Panes
from vmci_tui.tui.widgets.status_line import StatusLine

Sample = Callable[[str], str]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_inspector_follows_the_cursor(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        screen = main_screen(pilot)
        await pilot.press("4", *["I"] * (size[0] < 192))
        await until(pilot, lambda: screen.query_one(Panes).is_open("inspector"))
        await settled(pilot)
        assert screen.query_one(HexPane).has_focus == (size[0] == 80), "where there is room it only follows"
        await pilot.press("5", "ctrl+home")
        await until(pilot, lambda: "magic, byte 1 of 4" in shown(pilot))  # it follows once the cursor rests
        seen = shown(pilot)
        assert "offset 0x0 = 0" in seen and "ELF header: magic, byte 1 of 4" in seen
        assert "32 bit little" in seen and str(int.from_bytes(b"\x7fELF", "little")) in seen
        assert "64 bit big" in seen and "0x7f454c4602010100" in seen
        await pilot.press("right")
        await until(pilot, lambda: "byte 2 of 4" in shown(pilot))
        assert "byte 2 of 4" in shown(pilot)
        await pilot.press("I", "I", "I")
        await settled(pilot)
        assert "64 bit big" not in shown(pilot)


async def test_a_number_is_followed_to_memory(sample: Sample) -> None:
    async with running(sample("x86_64-linux-good.entry")) as pilot:
        await pilot.press("3", "I", "home", "down")
        await settled(pilot)
        assert "16 bit little" in shown(pilot) and "entry: " in shown(pilot)
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        layout = screen.document.layout
        header = next(r for r in layout.regions if r.kind == "segments")
        await pilot.press("5", "I")
        screen.query_one(HexPane).arrive(header.offset + header.record + 24, 8)  # p_paddr of the second program header
        await settled(pilot)
        assert "p_paddr" in shown(pilot)
        pane = screen.query_one(Inspector)
        pane.focus()
        await pilot.press("home", "enter")
        assert "put the cursor on a number" in said(pilot)
        await pilot.press("end", "up", "enter")  # 64 bit little
        await settled(pilot)
        view = screen.query_one(HexPane)
        number = layout.memory.paddr_of(view.cursor)
        assert number is not None and layout.memory.range_at(number).paddr == number  # type: ignore[union-attr]


async def test_the_status_line_shows_file_addresses_and_edits(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, name = os.path.split(sample("amd64-cut-note.elf"))
    monkeypatch.chdir(folder)
    async with running(name, size=(200, 60)) as pilot:
        screen = main_screen(pilot)
        last = screen.document.layout.image.size - 1
        paddr = screen.document.layout.memory.paddr_of(last)
        await pilot.press("5", "ctrl+end")
        line = screen.query_one("#status", StatusLine).render_line(0).text
        assert f"offset {last:#x} = {last}  paddr {paddr:#x} = {paddr}" in line
        assert "amd64-cut-note.elf  elf  not modified" in line
        await pilot.press("ctrl+x", "escape")
        await settled(pilot)
        assert "amd64-cut-note.elf  elf  modified" in shown(pilot)


async def test_the_title_has_the_name_of_a_file_with_a_long_path(sample: Sample, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    async with running(str(shutil.copy(sample("crlf.elf"), str(deep))), size=(80, 24)) as pilot:
        assert "vmci  .../crlf.elf  ELF 64 bit LE x86_64, 4 KiB, 2 CPUs" in shown(pilot)


@pytest.mark.parametrize(
    ("key", "words"), [("1", "the bytes of T02"), ("3", "note "), ("4", "OSRELEASE, "), ("5", "the ")]
)
async def test_copying_takes_the_bytes_of_the_focused_pane(sample: Sample, key: str, words: str) -> None:
    async with running(sample("crlf.elf")) as pilot:
        await settled(pilot)
        await pilot.press(key, "C")
        await settled(pilot)
        assert f"Copy {words}" in shown(pilot)


async def test_copying_while_a_field_is_typed_in_takes_the_bytes_at_the_cursor(sample: Sample) -> None:
    async with running(sample("crlf.elf")) as pilot:
        await pilot.press("4", "slash")
        await settled(pilot)
        assert isinstance(pilot.app.focused, Input)
        await pilot.app.screen.run_action("copy_as")
        await settled(pilot)
        assert "Copy the " in shown(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_copying_in_each_form(sample: Sample, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("VTE_VERSION", raising=False)
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        await pilot.press("4", "down", "down")
        wanted = (
            "PAGESIZE=4096",
            b"PAGESIZE=4096".hex(),
            "50 41 47 45 53 49 5A 45  3D 34 30 39 36",
            "0x50, 0x41",
            "data = b'PAGESIZE=4096'  # PAGESIZE at 0x",
            '"length": 13',
        )
        for number, word in enumerate(wanted):
            await pilot.press("C", *["down"] * number)
            await settled(pilot)
            assert "Copy PAGESIZE, 13 bytes, as" in shown(pilot) and "s To a file" in shown(pilot)
            await pilot.press("enter")
            await settled(pilot)
            assert word in pilot.app.clipboard
        assert json.loads(pilot.app.clipboard)["text"] == "PAGESIZE=4096"


async def test_copying_into_a_file_replaces_none(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("mine")
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files) as pilot:
        raw = main_screen(pilot).document.state.entry.raw  # type: ignore[union-attr]
        await pilot.press("7", "home", "c")
        assert "C writes a file" in said(pilot)
        await pilot.press("C", "s")
        await settled(pilot)
        await type_text(pilot, "there")
        await pilot.press("enter")
        await settled(pilot)
        assert "there exists" in shown(pilot) and (tmp_path / "there").read_text() == "mine"
        for name, data in (("entry.txt", None), ("entry.bin", raw)):
            await type_text(pilot, name)
            await pilot.press("enter")
            await settled(pilot)
            assert main_screen(pilot).is_current
            assert data is None or (tmp_path / name).read_bytes() == data
            await pilot.press("C", "s")
            await settled(pilot)


async def test_bookmarks_are_set_found_listed_and_kept(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        view = screen.query_one(HexPane)
        await pilot.press("5", "apostrophe")
        assert "no bookmarks" in said(pilot)
        for offset in (0x100, 0x10, screen.document.layout.image.size - 1):
            screen.query_one(HexPane).arrive(offset, 1)
            await pilot.press("b")
        memory = screen.session.bookmarks.all[2]
        assert screen.session.bookmarks.all[:2] == ("0x100", "0x10") and memory.startswith("p0x")
        seen = []
        for _ in range(4):
            await pilot.press("apostrophe")
            seen.append(view.cursor)
        assert seen == [0x10, 0x100, screen.document.layout.image.size - 1, 0x10]
        await pilot.press("b")
        assert "bookmark at 0x10 removed" in said(pilot)
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        screen = main_screen(pilot)
        assert screen.session.bookmarks.all == ("0x100", memory)
        await pilot.press("5", "B")
        await settled(pilot)
        assert memory in shown(pilot) and "program header" in shown(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert screen.query_one(HexPane).cursor == 0x100
        await pilot.press("B", "down", "d", "escape")
        assert list(screen.session.bookmarks.all) == ["0x100"]


async def test_a_hundred_thousand_lines_scroll_and_filter_as_fast_as_a_hundred(sample: Sample, tmp_path: Path) -> None:
    """Measure the time from a key until the screen is stable in both; the pilot adds the rest of the second."""
    text = b"OSRELEASE=6.1.0\n" + b"".join(b"%05x=1\n" % number for number in range(100_000))
    big = tmp_path / "big.elf"
    big.write_bytes(elf((note(text),)))
    took: dict[str, float] = {}
    for path in (sample("amd64-cut-note.elf"), str(big)):
        async with running(path, size=(200, 60)) as pilot:
            keys = main_screen(pilot).query_one(KeysList)
            keys.focus()  # a file with an error opens on its findings
            await pilot.pause()
            times = []
            for key in ("down", "pagedown", "end", "up", "pageup", "home", "pagedown", "slash", "9", "9"):
                start = process_time()
                await pilot.press(key)
                times.append(process_time() - start)
            took[path] = median(times)
            assert all(b"99" in line.raw for line in keys.shown.lines)
            await pilot.press("escape", "end")
            assert "1869f" in shown(pilot) or path != str(big)
            assert len(keys.rows) == (100_001 if path == str(big) else 109)
    assert took[str(big)] < 1.5 * took[sample("amd64-cut-note.elf")] + 0.03, took
