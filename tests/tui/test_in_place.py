"""Test that a save in place shows its plan, asks first and can be undone; a second vmci may only read."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from tests.limits import PATIENCE
from tests.opened_files import file_source, open_document
from tests.tui.driving import hint, main_screen, running, said, settled, shown, type_text, until
from vmci_tui.common.progress import Progress
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.layers.file import FileSource
from vmci_tui.saving.plan import Plan
from vmci_tui.saving.save_copy import SaveResult
from vmci_tui.saving.save_in_place import save_in_place
from vmci_tui.saving.undo_journal import SUFFIX
from vmci_tui.tui.screens.save_screen import SaveScreen
from vmci_tui.tui.widgets.dialogs import Choose
from vmci_tui.tui.widgets.plan_list import PlanText

Sample = Callable[[str], str]


def _copy(sample: Sample, tmp_path: Path, name: str = "amd64-cut-nonote.elf") -> Path:
    return Path(shutil.copy(sample(name), tmp_path / "dump.elf"))


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_note_is_appended_in_place_and_undone(sample: Sample, tmp_path: Path) -> None:
    dump = _copy(sample, tmp_path)
    before = _sha(dump)
    async with running(str(dump)) as pilot:
        await pilot.press("a", "enter")
        await type_text(pilot, sample("amd64.note"))
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("s")
        await pilot.click("#in-place")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Choose) and "Change " in shown(pilot) and _sha(dump) == before
        assert "Lift: the new headers" in shown(pilot) and "dump.elf.vmci-undo" in shown(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, SaveScreen) and _sha(dump) == before, "the first choice changes nothing"
        await pilot.pause(0.3)  # a second click that comes at once is a slip: Textual's buttons ignore it
        await pilot.click("#in-place")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "in place" in said(pilot), shown(pilot)
        assert open_document(str(dump)).state.note is not None
        screen = main_screen(pilot)
        assert screen.document.state.note is not None and not screen.document.modified
        await pilot.press("u")
        assert "dump.elf" in shown(pilot), "without an edit to undo, u asks about the save"
        await pilot.press("escape", "U")
        assert "dump.elf" in shown(pilot), "it names the file whose save it would undo"
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "undone" in said(pilot)
        assert main_screen(pilot).document.state.note is None
    assert _sha(dump) == before and not Path(f"{dump}{SUFFIX}").exists()


async def test_a_save_in_place_shows_its_progress_and_is_undone_by_esc(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump, reached, go_on = _copy(sample, tmp_path, "amd64-cut-note.elf"), Event(), Event()
    before, real = _sha(dump), save_in_place

    def slow(document: Document, plan: Plan, progress: Progress) -> SaveResult:
        def wait(what: str, done: int, total: int) -> None:
            if what == "check":  # the bytes are written
                reached.set()
                go_on.wait(PATIENCE)
            progress(what, done, total)

        return real(document, plan, wait)

    monkeypatch.setattr("vmci_tui.tui.disk.save_session.save_in_place", slow)
    async with running(str(dump)) as pilot:
        main_screen(pilot).session.edit(Edit.of(edit_text.set_key, b"NEWKEY", b"x" * 5000))
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        await pilot.click("#in-place")
        await settled(pilot)
        await pilot.press("down", "enter")
        await until(pilot, reached.is_set)
        assert _sha(dump) != before and "(Esc stops)" in shown(pilot)
        await pilot.press("escape")
        go_on.set()
        await until(pilot, lambda: "the open one is as it was" in hint(pilot))
        assert isinstance(pilot.app.screen, SaveScreen) and main_screen(pilot).document.unsaved
    assert _sha(dump) == before and not Path(f"{dump}{SUFFIX}").exists()


async def test_a_second_vmci_may_only_read(sample: Sample, tmp_path: Path) -> None:
    dump = _copy(sample, tmp_path, "amd64-cut-note.elf")
    other = file_source(str(dump))
    assert other.lock()
    before = _sha(dump)
    async with running(str(dump)) as pilot:
        assert "READ-ONLY" in shown(pilot)
        assert f"open in another vmci (process {os.getpid()}); s saves a copy" in said(pilot)
        await pilot.press("4", "d", "s")
        await settled(pilot)
        assert pilot.app.screen.query_one("#in-place").disabled and "open in another vmci" in hint(pilot)
    other.close()
    assert _sha(dump) == before


async def test_a_save_that_was_cut_short_is_asked_about(sample: Sample, tmp_path: Path) -> None:
    from vmci_tui.document import edit_notes
    from vmci_tui.opening.note_inputs import note_from
    from vmci_tui.saving.plan import plan_in_place

    dump = _copy(sample, tmp_path)
    before = dump.read_bytes()
    document = open_document(str(dump))
    document.edit(Edit.of(edit_notes.append_note, note_from(sample("amd64.note")), "little"))
    save_in_place(document, plan_in_place(document))
    assert isinstance(document.source, FileSource)
    document.source.close()
    after = dump.read_bytes()
    dump.write_bytes(before + after[len(before) :])  # killed between the tail and the head

    async with running(str(dump)) as pilot:
        await settled(pilot)
        assert isinstance(pilot.app.screen, Choose) and "interrupted" in shown(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
    assert dump.read_bytes() == before


async def test_of_two_files_the_named_one_is_undone(sample: Sample, tmp_path: Path) -> None:
    dump = Path(shutil.copy(sample("x86_64-linux-good.elf"), tmp_path / "d.elf"))
    blob = Path(shutil.copy(sample("x86_64-linux-good.entry"), tmp_path / "d.entry"))
    before = _sha(dump), _sha(blob)

    async def save_in_place() -> None:
        await pilot.click("#in-place")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)

    async with running(str(dump), str(blob)) as pilot:
        await pilot.press("4", "down", "d", "s")
        await save_in_place()
        await pilot.press("7", "end", "enter")
        await type_text(pilot, "0x3000")
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("s")
        await save_in_place()
        assert _sha(dump) != before[0] and _sha(blob) != before[1], shown(pilot)
        await pilot.press("U", "down", "down", "enter")
        await settled(pilot)
        assert _sha(dump) != before[0] and _sha(blob) == before[1]
        await pilot.press("U", "down", "enter")
        await settled(pilot)
    assert (_sha(dump), _sha(blob)) == before


async def test_a_list_of_writes_is_saved_as_the_entry_that_it_left(sample: Sample, tmp_path: Path) -> None:
    writes = Path(shutil.copy(sample("two-halves.write.json"), tmp_path))
    async with running(str(writes)) as pilot:
        await pilot.press("s")
        await pilot.click("#target")  # nothing was edited, so it is on Cancel
        await type_text(pilot, str(tmp_path / "two-halves.entry"))
        assert "cannot record that the note is not" in pilot.app.screen.query_one("#summary", PlanText).text
        await pilot.press("enter")
        await settled(pilot)
    assert (tmp_path / "two-halves.entry").stat().st_size == 16


async def test_a_list_of_writes_is_saved_as_one_under_such_a_name(sample: Sample, tmp_path: Path) -> None:
    writes = Path(shutil.copy(sample("two-halves.write.json"), tmp_path))
    async with running(str(writes)) as pilot:
        await pilot.press("s")
        await pilot.click("#target")
        await type_text(pilot, str(tmp_path / "x.write.json"))
        assert "as JSON" in pilot.app.screen.query_one("#summary", PlanText).text
        await pilot.press("enter")
        await settled(pilot)
    history = open_document(str(tmp_path / "x.write.json")).state.entry
    assert history is not None and len(history.writes) == 2
