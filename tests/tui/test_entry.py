"""Tests of an entry alone: what QEMU will do, templates, the dialog of a write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.opened_files import open_document
from tests.tui.driving import hint, main_screen, running, said, settled, shown, type_text
from vmci_tui.qemu.ask import Answer
from vmci_tui.qemu.machine import QemuOutput
from vmci_tui.readers.qemu.entry_reading import DumpTarget
from vmci_tui.tui.panes.entry import EntryList
from vmci_tui.tui.panes.qemu import QemuPane

Sample = Callable[[str], str]
SIZES = [(80, 24), (120, 36), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_what_qemu_will_do_is_shown_by_two_versions(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("two-halves.write.json"), size=size) as pilot:
        await pilot.press("2")
        await settled(pilot)
        seen = shown(pilot)
        assert "QEMU 7.2.22" in seen and "QEMU 11.1.3" in seen
        assert seen.count("no: 8 bytes at 8, not 16 at 0") == 2 and seen.count("guest note is not present") >= 2
    async with running(sample("x86_64-linux-good.elf"), size=size) as pilot:
        await pilot.press("6")
        assert not main_screen(pilot).query(QemuPane), "no entry is open"
    async with running(sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry"), size=size) as pilot:
        await pilot.press("6")
        await settled(pilot)
        seen, pane = shown(pilot), main_screen(pilot).query_one(QemuPane)
        assert pane.has_focus and "QEMU 7.2.22" in seen and ("6 QEMU" in seen) == (size[0] == 80)
        await pilot.press("T", "h")
        await settled(pilot)
        assert "present  no: 8 bytes at 8" in shown(pilot)
        await pilot.press("7", "end")
        await settled(pilot)
        assert "+ write 3" in shown(pilot), "what is not saved"


@pytest.mark.parametrize("size", SIZES)
async def test_templates_add_writes_to_the_timeline(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("good.entry"), size=size) as pilot:
        await pilot.press("T")
        assert "guest note size is invalid: 1048577" in shown(pilot)
        await pilot.press("h")
        await settled(pilot)
        entry = main_screen(pilot).document.state.entry
        assert entry is not None and [(w.offset, w.length) for w in entry.writes] == [(0, 16), (0, 8), (8, 8)]
        assert not entry.present
        await pilot.press("1")
        await settled(pilot)
        assert "write 2   [########........]" in shown(pilot)
        await pilot.press("T", "down", "down", "enter")
        await settled(pilot)
        entry = main_screen(pilot).document.state.entry
        assert entry is not None and entry.writes[-1].length == 15
        await pilot.press("T", "escape", "u", "u")
        assert not main_screen(pilot).document.modified, "each template is one step of undo"


@pytest.mark.parametrize("size", SIZES)
async def test_a_write_has_two_fields_and_says_what_qemu_will_do(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("good.entry"), size=size) as pilot:
        await pilot.press("w")
        await settled(pilot)
        assert "first 8" in shown(pilot) and "Cancel" in shown(pilot) and "present  yes" in shown(pilot)
        await type_text(pilot, "0,8")
        assert "'0,8' is not a number" in shown(pilot)
        await pilot.press("enter")
        assert "'0,8' is not a number" in hint(pilot) and shown(pilot).count("is not a number") == 1
        await type_text(pilot, "12")
        await pilot.press("tab")
        await type_text(pilot, "ff000000")
        assert shown(pilot).count("no: 4 bytes at 12, not 16 at 0") == 2
        assert "then: host_format 0, guest_format 1, size 4132, paddr 0xff019c8000" in shown(pilot)
        await pilot.click("#preset-2")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        entry = main_screen(pilot).document.state.entry
        assert entry is not None and entry.writes[-1][:2] == (8, 8)


async def test_the_answer_of_a_real_qemu_stands_beside_until_an_edit(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        main = main_screen(pilot)
        output = QemuOutput((), bytes(40), 0, bytes(16))
        guest = DumpTarget("x86_64", 64, "little")
        answer = Answer("x86_64", "qemu", "10.0.2", "10.0", guest, None, output, output)
        entry = main.query_one(EntryList)
        entry.post_message(EntryList.Answered(main.document.state, answer))
        await settled(pilot)
        assert "QEMU 10.0.2, asked" in shown(pilot) and "40 bytes" in shown(pilot)
        await pilot.press("T", "0")
        await settled(pilot)
        assert "asked" not in shown(pilot) and "no: format 0 withdraws it" in shown(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert "asked" in shown(pilot), "the state is the same again"


async def test_templates_are_saved_as_a_list_and_opened_again(sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "halves.write.json"
    async with running(sample("good.entry")) as pilot:
        await pilot.press("T", "h", "s")
        await settled(pilot)
        assert pilot.app.screen.query_one("#target", Input).value.endswith("good.write.json")
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
        wanted = main_screen(pilot).document.state.entry
    opened = open_document(str(out)).state.entry
    assert wanted is not None and opened is not None and opened.writes == wanted.writes


async def test_the_writes_are_exported_as_a_qtest(sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "w.c"
    async with running(sample("past-byte-16.write.json")) as pilot:
        await pilot.press("Y")
        await settled(pilot)
        await type_text(pilot, str(out))
        await pilot.press("enter")
        await settled(pilot)
    assert "write_entry(qts, 8, 16, write_2); /* DMA error */" in out.read_text()


async def test_the_pane_of_qemu_has_the_keys_that_it_names(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        for keys, seen in (("T", "halves"), ("w", "offset")):
            await pilot.press("2", keys)
            await settled(pilot)
            assert seen in shown(pilot)
            await pilot.press("escape")
        assert "Q QEMU" in shown(pilot) and "Q asks a real QEMU" in shown(pilot)


async def test_bytes_that_a_short_blob_lacks_are_marked(sample: Sample) -> None:
    async with running(sample("15-bytes.entry"), size=(80, 24)) as pilot:
        assert "[00 80 9c 01 00 00 00 --]" in shown(pilot)
        await pilot.press("R")
        await settled(pilot)
        assert "[00 80 9c 01 00 00 00 00]" in shown(pilot)


async def test_the_cursor_stops_once_at_each_field(sample: Sample) -> None:
    async with running(sample("good.entry"), size=(80, 24)) as pilot:
        listed = main_screen(pilot).query_one(EntryList)
        seen = []
        for _ in range(5):
            await pilot.press("down")
            target = listed.target()
            assert target is not None
            seen.append(target.key or target.kind)
        assert seen == ["host_format", "guest_format", "size", "paddr", "write"]


async def test_a_repair_of_an_entry_says_once_what_it_did(sample: Sample) -> None:
    async with running(sample("big-endian.entry")) as pilot:
        await pilot.press("R")
        assert said(pilot).count("done") == 1 and "done: swap the bytes of all fields; u takes it back" in said(pilot)
        await pilot.press("R")
        assert "nothing to repair" in said(pilot)
    async with running(sample("size-0.entry")) as pilot:
        await pilot.press("R")
        assert "no fix is safe here: E05" in said(pilot)


async def test_an_answer_of_qemu_ends_its_message_and_names_its_note(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest, output = DumpTarget("x86_64", 64, "little"), QemuOutput((), bytes(40), 0, bytes(16))
    answer = Answer("x86_64", "qemu", "10.0.2", "10.0", guest, None, output, output)
    monkeypatch.setattr("vmci_tui.qemu.ask.ask", lambda *_: answer)
    async with running(sample("good.entry")) as pilot:
        await pilot.press("Q")
        await settled(pilot)
        assert "this entry and a note of ours, as no dump is open" in shown(pilot)
        assert "asking QEMU" not in shown(pilot)
