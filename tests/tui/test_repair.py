"""Test that a note in guest memory is found and adopted, and that a repair is tried, shown and applied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kernel.cut_guests import scrubbed, unpacked
from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.tui.driving import hint, main_screen, running, said, settled, shown, type_text
from vmci_tui.tui.screens.repair_screen import RepairScreen
from vmci_tui.tui.widgets.plan_list import PlanText

Sample = Callable[[str], str]
_BARE = "amd64-cut-nonote.elf"


def true_text() -> bytes:
    text = open_document(str(SAMPLES / "amd64-cut-note.elf")).state.vmcoreinfo
    assert text is not None
    return text.text


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_from_no_note_to_a_repaired_copy_by_three_keys(
    sample: Sample, tmp_path: Path, size: tuple[int, int]
) -> None:
    out = tmp_path / "out.elf"
    async with running(sample(_BARE), size=size) as pilot:
        assert "No reader can use this dump" in shown(pilot)
        await pilot.press("R")
        await settled(pilot)
        words = pilot.app.screen.query_one("#repair", PlanText).text
        assert "restore the note found at paddr 0x19c8000" in words
        assert words.startswith("After the repair ") and "crash         refuses     accepts " in words
        await pilot.press("enter")
        await settled(pilot)
        assert "6 of 6 readers accept" in shown(pilot) and "u undoes each" in said(pilot)
        await pilot.press("s")
        await settled(pilot)
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
    text = open_document(str(out)).state.vmcoreinfo
    assert text is not None and text.text == true_text()


async def test_a_repair_is_applied_and_saved_by_one_key(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # so that the name is short, and the panel's first line is not broken
    out = "out.elf"
    async with running(sample(_BARE)) as pilot:
        await pilot.press("R")
        await settled(pilot)
        assert "Enter applies 1 fix; s applies and saves" in shown(pilot)
        await pilot.press("s")
        await settled(pilot)
        summary = pilot.app.screen.query_one("#summary", PlanText).text
        assert "restore the note found at paddr 0x19c8000" in summary and "memory stays as it is" in summary
        await type_text(pilot, out)
        await pilot.press("enter")
        await settled(pilot)
        assert "memory verified" in shown(pilot)
    text = open_document(out).state.vmcoreinfo
    assert text is not None and text.text == true_text()


async def test_the_candidates_lead_back_to_the_repair(sample: Sample) -> None:
    async with running(sample(_BARE)) as pilot:
        await pilot.press("R")
        await settled(pilot)
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, RepairScreen)
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert main_screen(pilot).is_current and main_screen(pilot).document.state.note is not None


async def test_a_candidate_is_adopted_and_undone(sample: Sample) -> None:
    async with running(sample(_BARE)) as pilot:
        await pilot.press("F")
        await settled(pilot)
        assert "0x0000019c8000" in shown(pilot) and "proved" in shown(pilot)
        assert "Press Enter to adopt it" in shown(pilot)
        await pilot.press("enter")
        await settled(pilot)
        document = main_screen(pilot).document
        assert document.state.vmcoreinfo is not None and document.state.vmcoreinfo.text == true_text()
        assert "lines, proved" in str(main_screen(pilot).query_one("#keys-pane").border_subtitle)
        assert "1 fix applied" not in said(pilot), "one message for one action"
        await pilot.press("u")
        assert not document.modified


async def test_an_unproved_candidate_needs_consent(sample: Sample) -> None:
    async with running(sample("zero-note.elf")) as pilot:
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "not provable" in shown(pilot) and not main_screen(pilot).document.modified
        await pilot.press("enter")  # the first button is the safe one
        await settled(pilot)
        assert not main_screen(pilot).document.modified
        await pilot.press("enter", "right", "enter")
        await settled(pilot)
        assert main_screen(pilot).document.state.vmcoreinfo is not None


async def test_repair_that_has_to_ask_leads_to_the_candidates(sample: Sample) -> None:
    async with running(sample("zero-note.elf")) as pilot:
        await pilot.press("R")
        await settled(pilot)
        assert "You have to decide" in shown(pilot)
        for key in ("enter", "s"):
            await pilot.press(key)
            assert not main_screen(pilot).document.modified and "you have to decide first" in said(pilot)
        await pilot.press("F")
        await settled(pilot)
        assert "Candidates, best first" in shown(pilot)


async def test_the_entry_of_a_candidate_is_saved(sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "new.entry"
    async with running(sample(_BARE)) as pilot:
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("E")
        await settled(pilot)
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
    assert out.read_bytes().hex() == "00000100241000000080" + "9c01" + "00000000"


async def test_a_candidate_beside_the_note_of_the_dump(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("equals_sign")
        await settled(pilot)
        assert "equal byte for byte" in shown(pilot)


async def test_an_entry_has_no_memory_to_look_into(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        await pilot.press("F")
        assert "an entry has no memory" in said(pilot)
        await pilot.press("R")
        assert "nothing to repair in this entry" in said(pilot)


@pytest.mark.parametrize("pane", ["2", "3"], ids=["readers", "notes"])
async def test_an_entry_is_pasted_as_gdb_prints_it(sample: Sample, pane: str) -> None:
    """The pane of the entry comes with an entry; before, the readers and the notes take it."""
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press(pane, "p")
        await settled(pilot)
        assert "p/x *((VMCoreInfoState *) vmcoreinfo_realize::vmcoreinfo_state)" in shown(pilot)
        await type_text(pilot, "nothing")
        await pilot.press("ctrl+s")
        assert "gdb printed no entry here" in hint(pilot) or "no entry" in hint(pilot)
        await type_text(pilot, "$1 = {host_format = 0x0, guest_format = 0x1, size = 0x1024, paddr = 0x19c8000}")
        await pilot.press("ctrl+s")
        await settled(pilot)
        document = main_screen(pilot).document
        assert document.state.entry is not None and document.state.entry.entry.paddr == 0x19C8000
        assert "qemu ok" in shown(pilot)
        await pilot.press("u")
        assert document.state.entry is None and not document.modified


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_where_memory_has_no_note_one_is_made_by_r_and_enter_twice(tmp_path: Path, size: tuple[int, int]) -> None:
    path = unpacked("amd64-61", tmp_path)
    scrubbed(path)
    async with running(str(path), size=size) as pilot:
        await settled(pilot)
        assert "[R] Make it" in shown(pilot)
        await pilot.press("R")
        await settled(pilot)
        assert "Press Enter" in pilot.app.screen.query_one("#repair", PlanText).text
        assert not main_screen(pilot).session.document.modified
        await pilot.press("enter")
        await settled(pilot)
        assert "add the note made from the kernel's tables" in pilot.app.screen.query_one("#repair", PlanText).text
        await pilot.press("enter")
        await settled(pilot)
        session = main_screen(pilot).session
        assert "6 of 6 readers accept" in shown(pilot) and session.document.state.note is not None
        assert "--yes kernel" in (session.last_command() or "")


async def test_the_keys_of_a_repair_say_why_they_do_nothing(sample: Sample) -> None:
    async with running(sample("class-mismatch.elf"), size=(80, 24)) as pilot:
        await pilot.press("R")
        await settled(pilot)
        for key in ("enter", "s"):
            await pilot.press(key)
            assert "there is nothing that a repair would change" in said(pilot)
