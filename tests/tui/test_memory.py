"""Test guest memory in the hex view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.dumps.kdump_factory import kdump, pages
from tests.tui.driving import hint, running, said, settled, shown, type_text

Sample = Callable[[str], str]


async def test_memory_of_an_elf_dump_by_paddr(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(80, 24)) as pilot:
        await pilot.press("M")
        await settled(pilot)
        assert "Guest memory of" in shown(pilot) and "paddr 0x89fb" in shown(pilot), (
            "where memory has the kernel's name"
        )
        await pilot.press("ctrl+home")
        assert "paddr 0x0 = 0  in 0x0 to 0x1000" in shown(pilot)
        assert "Edit" not in shown(pilot) and "Mark" not in shown(pilot), "keys that do nothing here"
        await pilot.press("enter", "b", "+")
        assert "paddr 0x19c8000" in shown(pilot) and "VMCOREINFO"[:4] in shown(pilot)
        await pilot.press("g")
        await settled(pilot)
        await type_text(pilot, "0x5000")
        await pilot.press("enter")
        assert "paddr 0x5000 is not in this dump" in hint(pilot)
        await type_text(pilot, "0x89fb000")
        await pilot.press("enter")
        await settled(pilot)
        assert "Linux" in shown(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "4 Note text" in shown(pilot)


async def test_memory_begins_at_the_note_that_was_found_and_lists_places(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=(120, 36)) as pilot:
        await pilot.press("F")
        await settled(pilot)
        await pilot.press("escape", "M")
        await settled(pilot)
        assert "paddr 0x19c8000" in shown(pilot) and "0x19c8000  note, proved" in shown(pilot)
        await pilot.press("tab", "down")
        await settled(pilot)
        assert "range, " in shown(pilot) and "0x89fb000  kernel name (utsname)" in shown(pilot)


async def test_a_wide_screen_has_32_bytes_in_a_row_and_more_about_each_place(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf"), size=(200, 60)) as pilot:
        await pilot.press("5", "ctrl+end", "b", "4", "home", "M")
        await settled(pilot)
        lines = [line for line in shown(pilot).splitlines() if "kernel name (utsname)" in line]
        assert len(lines) == 1 and "ffffffffb37fb" in lines[0], "with its virtual address"
        for words in ("page tables", "kernel log", "bookmark", " 1E 1F  0123456789ABCDEF0123456789ABCDEF"):
            assert words in shown(pilot), words


async def test_memory_of_a_kdump_file_is_decompressed_and_searched(tmp_path: Path) -> None:
    path, memory = tmp_path / "dump.kdump", pages(1, 2, 9)
    path.write_bytes(kdump(memory))
    async with running(str(path)) as pilot:
        await pilot.press("M", "/")
        await settled(pilot)
        await type_text(pilot, "0x" + memory[9][64:80].hex())
        await pilot.press("enter")
        await settled(pilot)
        assert "paddr 0x9040" in shown(pilot)


async def test_an_entry_alone_has_none(sample: Sample) -> None:
    async with running(sample("good.entry")) as pilot:
        await pilot.press("M")
        assert "no guest memory" in said(pilot)
