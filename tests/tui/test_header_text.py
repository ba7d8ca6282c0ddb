"""Test that a kdump file's text that only its header names is shown, edited and saved like that of a note."""

from __future__ import annotations

from pathlib import Path

from tests.dumps import factory
from tests.dumps.kdump_factory import kdump
from tests.tui.driving import main_screen, running, said, settled, shown, type_text
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.tui.panes.hex import HexPane


async def test_it_is_edited_and_no_key_of_a_note_ends_the_app(tmp_path: Path) -> None:
    file = tmp_path / "v3.kdump"
    file.write_bytes(kdump(notes=[], version=3, named=factory.TEXT_64))
    async with running(str(file)) as pilot:
        screen = main_screen(pilot)
        assert "text only" in shown(pilot)
        await pilot.press("4", "enter")
        await type_text(pilot, "6.1.0-next")
        await pilot.press("enter")
        await settled(pilot)
        note = screen.document.state.note
        assert isinstance(note, HeaderText) and note.desc.startswith(b"OSRELEASE=6.1.0-next\n")
        start, end = screen.query_one(HexPane).highlight
        assert screen.document.read(start, end - start).startswith(b"OSRELEASE=6.1.0-next")
        await pilot.press("3", "D")
        await settled(pilot)
        assert "is not a note" in said(pilot)
        await pilot.press("alt+up", "alt+down")
        await settled(pilot)
        await pilot.press("u")
        assert screen.document.state == screen.document.opened
