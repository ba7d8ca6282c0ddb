"""Test the columns of the hex view, its header, and its cursor in a pane without the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App

from tests.tui.driving import main_screen, running, said, type_text, until
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.style.cells import byte_styles
from vmci_tui.tui.widgets.hex_rows import HexColumns

Sample = Callable[[str], str]


@pytest.mark.parametrize(("width", "per_row"), [(45, 8), (75, 8), (76, 16), (141, 16), (142, 32)])
def test_a_row_has_as_many_bytes_as_fit_and_each_has_its_cells(width: int, per_row: int) -> None:
    columns = HexColumns.of(1 << 20, width, 32)
    assert columns.per_row == per_row and (columns.width <= width or per_row == 8)
    header = columns.header
    assert len(header) == columns.width and header.endswith("0123456789ABCDEF" * (per_row // 16) or "   01234567")
    for byte in range(per_row):
        at = columns.hex_at(byte)
        assert header[at : at + 2] == f"{byte:02X}" and header[columns.text_at(byte)] == f"{byte & 15:X}"
        assert columns.column_at(at) == columns.column_at(at + 1) == columns.column_at(columns.text_at(byte)) == byte
    assert HexColumns.of(1 << 20, width).per_row == min(per_row, 16), "only where more are wanted"


async def test_the_cursor_is_dim_where_the_focus_is_not(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        app: App[Any] = pilot.app
        view, styles = main_screen(pilot).query_one(HexPane), byte_styles(app)
        for key, name in (("4", "idle"), ("5", "cursor"), ("4", "idle")):
            await pilot.press(key)
            await pilot.pause()
            row = view.cursor // view.per_row - view.top + 1
            drawn = {part.style.bgcolor for part in view.render_line(row) if part.style is not None}
            assert styles[name].bgcolor in drawn, key
            assert drawn & {styles["idle"].bgcolor, styles["cursor"].bgcolor} == {styles[name].bgcolor}
            assert view.render_line(0).text.split()[:2] == ["00", "01"]


async def test_the_match_before_is_found_by_n_in_capitals(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        view = main_screen(pilot).query_one(HexPane)
        await pilot.press("5", "ctrl+home", "slash")
        await type_text(pilot, "SYMBOL(")
        await pilot.press("enter")
        await until(pilot, lambda: view.cursor)
        found = [view.cursor]
        for key in ("n", "n", "N", "N", "N", "n"):
            await pilot.press(key)
            await until(pilot, lambda: view.cursor != found[-1])
            found.append(view.cursor)
        first, second, third = found[:3]
        assert first < second < third and found[3:5] == [second, first], "back the same way"
        assert found[5] > third and found[6] == first, "on from the other end, and back"
        assert "searching from the end" in said(pilot)
