"""Test the columns that say who reads a key, and what it is, where the screen is wide."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import main_screen, running, settled, shown, until
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.render.tables.key_columns import key_columns
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.rows.key_rows import KeyRows

Sample = Callable[[str], str]


def test_who_reads_a_key() -> None:
    assert key_columns(b"PAGESIZE", b"4096") == ("c d l m", "Size of a page of memory in bytes.")
    assert key_columns(b"SYMBOL(_stext)", b"ff").read_by == "c . l m"
    assert key_columns(b"nothing of Linux", b"") == (". . . .", "")
    assert key_columns(b"K" * 600, b"") == (". . . .", "")


def test_the_room_for_the_columns() -> None:
    rows = KeyRows(Vmcoreinfo(b"PAGESIZE=4096\nOFFSET(pglist_data.nr_zones)=1\n"))
    for width, columns in ((40, 3), (60, 5), (100, 5)):
        rows.fit(width, key_columns)
        assert len(rows.row(0)) == columns and bool(rows.header) == (columns > 3)
    assert [cell.strip() for cell, _ in rows.row(0)[3:]] == ["c d l m", "Size of a page of memory in bytes."]
    rows.fit(60, key_columns)
    assert rows.row(1)[1][0].strip() == "OFFSET(pglist_data.nr_zones)" and rows.row(0)[4][0] == ""
    rows.fit(100)
    assert len(rows.row(0)) == 3 and not rows.header


@pytest.mark.parametrize(("size", "there"), [((120, 36), False), ((160, 45), True), ((200, 60), True)])
async def test_the_columns_are_on_wide_screens(sample: Sample, size: tuple[int, int], there: bool) -> None:
    async with running(sample("amd64-cut-note.elf"), size=size) as pilot:
        keys = main_screen(pilot).query_one(KeysList)
        await until(pilot, lambda: keys._known is not None)
        await settled(pilot)
        assert ("read by" in shown(pilot)) == there == ("c d l m" in shown(pilot))


@pytest.mark.parametrize("size", [(160, 45), (200, 60)])
async def test_the_signs_of_change_leave_room_for_the_columns(sample: Sample, size: tuple[int, int]) -> None:
    async with running(sample("amd64-cut-nonote.elf"), size=size) as pilot:
        await pilot.press("R", "enter")
        await settled(pilot)
        keys = main_screen(pilot).query_one(KeysList)
        await until(pilot, lambda: keys._known is not None)
        await settled(pilot)
        seen = shown(pilot)
        assert "c d l m" in seen and "c d l.." not in seen
        assert "0x774 " in seen and "0x774.." not in seen
