"""Test that a save shows its plan, can be stopped and replaces nothing unasked, and that quitting asks."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.limits import PATIENCE
from tests.opened_files import open_document
from tests.tui.driving import choose, hint, main_screen, running, settled, shown, type_text, until
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.tui.disk import save_session as saving
from vmci_tui.tui.screens.save_screen import SaveScreen
from vmci_tui.tui.screens.start_screen import StartScreen
from vmci_tui.tui.widgets.dialogs import Choose

Sample = Callable[[str], str]


def _sha(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


async def test_a_copy_is_saved_and_the_source_is_not_touched(sample: Sample, tmp_path: Path) -> None:
    source, folder = sample("amd64-cut-note.elf"), tmp_path / "to"
    folder.mkdir()
    out = str(folder / "out.elf")
    before = _sha(source)
    async with running(source) as pilot:
        screen = main_screen(pilot)
        await pilot.press("down", "d", "s")
        assert isinstance(pilot.app.screen, SaveScreen)
        assert "delete line 2" in shown(pilot) and "bytes at" not in shown(pilot)
        assert "Details" in shown(pilot).split("\n")[-1], "the footer names the key"
        await pilot.press("down")
        await settled(pilot)
        assert "before and after" in shown(pilot)
        await pilot.click("#target")
        await type_text(pilot, out)
        await pilot.press("enter")
        await settled(pilot)
        assert screen.is_current and "MODIFIED" not in shown(pilot)
        assert "memory verified" in shown(pilot)
    assert _sha(source) == before
    saved = open_document(out)
    assert saved.state.vmcoreinfo is not None and saved.state.vmcoreinfo.get(b"BUILD-ID") is None
    assert os.listdir(folder) == ["out.elf"]


async def test_an_existing_file_is_replaced_only_at_the_second_press(sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "there"
    out.write_text("mine")
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("down", "d", "s")
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
        assert "exists" in hint(pilot) and out.read_text() == "mine"
        await pilot.press("enter")
        await settled(pilot)
    assert out.read_bytes()[:4] == b"\x7fELF"


async def test_saving_over_the_open_dump_is_refused(sample: Sample, tmp_path: Path) -> None:
    source = tmp_path / "dump.elf"
    source.write_bytes(Path(sample("amd64-cut-note.elf")).read_bytes())
    before = _sha(str(source))
    async with running(str(source)) as pilot:
        await pilot.press("down", "d", "s")
        await type_text(pilot, str(source))
        await pilot.press("enter")
        await settled(pilot)
        assert "is the dump that is open" in hint(pilot)
    assert _sha(str(source)) == before


async def test_escape_stops_a_save_and_leaves_no_file(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    reached, go_on = threading.Event(), threading.Event()
    real = save_copy

    def slow(document, plan, target, progress):  # type: ignore[no-untyped-def]
        def wait(what: str, done: int, total: int) -> None:
            reached.set()
            go_on.wait(PATIENCE)
            progress(what, done, total)

        return real(document, plan, target, wait)

    monkeypatch.setattr(saving, "save_copy", slow)
    folder = tmp_path / "out"
    folder.mkdir()
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("down", "d", "s")
        await type_text(pilot, str(folder / "x.elf"))
        await pilot.press("enter")
        assert reached.wait(PATIENCE)
        off = {widget.id for widget in pilot.app.screen.query("Button, Input") if widget.disabled}
        assert off == {"target", "ok", "in-place", "details"}, "only Cancel is left"
        await pilot.press("escape")
        go_on.set()
        await until(pilot, lambda: "no file was written" in hint(pilot))
        assert "no file was written" in hint(pilot)
    assert os.listdir(folder) == []


async def test_a_copy_of_an_unedited_file_is_not_offered_as_a_fixed_one(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    source = Path(shutil.copy(sample("crlf.elf"), folder))
    async with running(str(source)) as pilot:
        await pilot.press("s")
        await settled(pilot)
        assert "Nothing was changed yet: R repairs the file, f fixes one finding." in shown(pilot)
        assert str(pilot.app.screen.query_one("#target", Input).value) == str(folder / "crlf-copy.elf")
        await pilot.press("enter")  # the default button is Cancel
        await settled(pilot)
        assert main_screen(pilot).is_current
    assert os.listdir(folder) == ["crlf.elf"]


async def test_leaving_with_unsaved_edits_asks(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("d", "q")
        assert isinstance(pilot.app.screen, Choose)
        await pilot.press("enter")  # the first choice is the safe one
        await pilot.pause()
        assert main_screen(pilot).document.unsaved and pilot.app.is_running
        await pilot.press("q", "down", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, SaveScreen)
        await pilot.press("escape")
        await pilot.press("u", "q")
        await pilot.pause()
        assert not pilot.app.is_running or pilot.app._exit


async def test_an_entry_is_made_from_nothing_and_saved(tmp_path: Path) -> None:
    out = tmp_path / "new.blob"
    async with running() as pilot:
        assert isinstance(pilot.app.screen, StartScreen)
        await choose(pilot, "New entry")
        await settled(pilot)
        screen = main_screen(pilot)
        await pilot.press("7", "home", *["down"] * 4, "enter")
        await type_text(pilot, "0x100c66000")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.document.unsaved
        await pilot.press("s")
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
        assert not screen.document.unsaved
    assert out.read_bytes().hex() == "00000100241000000060c60001000000"


async def test_the_start_screen_opens_samples_and_recent_files(sample: Sample) -> None:
    async with running() as pilot:
        await choose(pilot, "Samples")
        await choose(pilot, "amd64-cut-note.elf")
        first = main_screen(pilot).document.name
        await pilot.press("o")
        await type_text(pilot, "/no/such/file")
        await pilot.press("enter")
        await pilot.pause()
        assert "no such file" in hint(pilot)
        await type_text(pilot, sample("good.entry"))
        await pilot.press("enter")
        await settled(pilot)
        assert main_screen(pilot).document.container == "entry"
    async with running() as pilot:
        assert "Recent files" in shown(pilot) and str(first).split("/")[-1] in shown(pilot)


async def test_a_dump_and_its_entry_are_saved_one_by_one(sample: Sample, tmp_path: Path) -> None:
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files) as pilot:
        screen = main_screen(pilot)
        await pilot.press("4", "down", "d", "7", "end", "enter")
        await type_text(pilot, "0x3000")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.document.dump_unsaved and screen.document.entry_unsaved
        for down, name in ((0, "out.elf"), (0, "out.entry")):
            await pilot.press("s")
            if isinstance(pilot.app.screen, Choose):
                await pilot.press(*["down"] * down, "enter")
                await settled(pilot)
            await type_text(pilot, str(tmp_path / name))
            await pilot.press("enter")
            await settled(pilot)
            if name == "out.elf":
                await pilot.press("escape")  # the panel with what the copy is worth
        assert not screen.document.unsaved
    assert (tmp_path / "out.elf").stat().st_size > 16
    assert (tmp_path / "out.entry").read_bytes()[8:10] == b"\0\x30"


async def test_a_save_that_makes_a_reader_refuse_asks_first(sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "out.elf"
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("4", "d", "s")
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
        assert "crash, drgn" in hint(pilot) and "would refuse the saved file" in shown(pilot) and not out.exists()
        await pilot.press("enter")
        await settled(pilot)
        assert "memory verified" in shown(pilot)
    assert out.exists()


async def test_a_name_that_is_shown_escaped_can_be_changed(sample: Sample, tmp_path: Path) -> None:
    source = Path(shutil.copy(sample("amd64-cut-note.elf"), tmp_path / "gr\u00f6\u00dfe.elf"))
    async with running(str(source)) as pilot:
        await pilot.press("4", "down", "d", "s")
        await settled(pilot)
        field = pilot.app.screen.query_one("#target", Input)
        assert field.value.endswith("gr\\xc3\\xb6\\xc3\\x9fe-fixed.elf")
        await type_text(pilot, field.value.replace("-fixed", "-2"))
        await pilot.press("enter")
        await settled(pilot)
    assert (tmp_path / "gr\u00f6\u00dfe-2.elf").exists() and len(list(tmp_path.glob("*.elf"))) == 2
