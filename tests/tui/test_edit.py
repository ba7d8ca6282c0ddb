"""Test that every edit updates findings and bytes at once and can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dumps.factory import TEXT_64
from tests.opened_files import open_document
from tests.tui.driving import forget, hint, main_screen, running, said, settled, shown, type_text
from vmci_tui.tui.panes.hex import HexPane
from vmci_tui.tui.panes.keys import KeysList
from vmci_tui.tui.panes.notes import NotesList
from vmci_tui.tui.widgets.dialogs import Ask, EditText

Sample = Callable[[str], str]


async def test_a_value_is_edited_undone_and_redone(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        document = screen.document
        await pilot.press("down", "down", "enter")
        await type_text(pilot, "4097")
        await pilot.press("enter")
        await settled(pilot)
        assert document.state.vmcoreinfo is not None and document.state.vmcoreinfo.get(b"PAGESIZE") == b"4097"
        assert "not a power of two" in shown(pilot) and "MODIFIED" in shown(pilot)
        start, _ = screen.query_one(HexPane).highlight
        assert document.read(start, 13) == b"PAGESIZE=4097"
        await pilot.press("u")
        assert document.state == document.opened and "MODIFIED" not in shown(pilot)
        await pilot.press("ctrl+r")
        assert document.state.vmcoreinfo is not None and document.state.vmcoreinfo.get(b"PAGESIZE") == b"4097"


async def test_a_wrong_value_keeps_the_question_open(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        await pilot.press("enter")
        await type_text(pilot, r"a\b")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Ask) and "backslash" in shown(pilot)
        await pilot.press("escape")
        assert not main_screen(pilot).document.modified


async def test_keys_are_added_and_deleted(sample: Sample) -> None:
    async with running(sample("amd64-cut-note.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("plus")
        await type_text(pilot, "NUMBER(mine)=42")
        await pilot.press("enter")
        await settled(pilot)
        text = screen.document.state.vmcoreinfo
        assert text is not None and text.lines[-1].raw == b"NUMBER(mine)=42\n"
        await pilot.press("end", "d")
        assert screen.document.state.vmcoreinfo is not None
        assert screen.document.state.vmcoreinfo.get(b"NUMBER(mine)") is None
        await pilot.press("u", "u")
        assert screen.document.state == screen.document.opened


async def test_the_whole_text_is_edited_and_unchanged_bytes_stay(sample: Sample) -> None:
    async with running(sample("hostile-text.elf")) as pilot:
        screen = main_screen(pilot)
        before = screen.document.state.vmcoreinfo
        assert before is not None
        await pilot.press("e", "ctrl+s")
        await settled(pilot)
        assert screen.document.state == screen.document.opened
        await pilot.press("e")
        assert isinstance(pilot.app.screen, EditText)
        field = pilot.app.screen.query_one("TextArea")
        await type_text(pilot, field.text + "NEW=1\n")  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert screen.document.state.vmcoreinfo is not None
        assert screen.document.state.vmcoreinfo.text.startswith(before.text)


async def test_a_note_is_appended_from_each_kind_of_file(sample: Sample, tmp_path: Path) -> None:
    truth = open_document(sample("amd64-cut-note.elf")).state.note
    assert truth is not None
    text = tmp_path / "note.txt"
    text.write_bytes(truth.desc)
    for path in (str(text), sample("amd64.note"), sample("amd64-cut-note.elf")):
        async with running(sample("amd64-cut-nonote.elf")) as pilot:
            screen = main_screen(pilot)
            await pilot.press("a", "enter")
            await type_text(pilot, path)
            await pilot.press("enter")
            await settled(pilot)
            assert screen.document.state.note is not None and screen.document.state.note.raw == truth.raw
            assert "error" not in str(screen.query_one("#findings-pane").border_subtitle)


async def test_a_note_is_typed_from_nothing_renamed_retyped_and_stripped(sample: Sample) -> None:
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("a", "down", "enter")
        await type_text(pilot, "OSRELEASE=6.1.0\nPAGESIZE=4096")
        await pilot.press("ctrl+s")
        await settled(pilot)
        note = screen.document.state.note
        assert note is not None and note.desc == b"OSRELEASE=6.1.0\nPAGESIZE=4096\n"
        await pilot.press("3", "end", "t")
        await type_text(pilot, "0x7")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.document.state.notes[-1].type == 7 and "N09" in shown(pilot)
        screen.query_one(NotesList).focus()
        await pilot.press("enter")
        await type_text(pilot, "VMCOREINFO")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.document.state.notes[-1].name == b"VMCOREINFO" and "N04" in shown(pilot)
        await pilot.press("ctrl+x")
        assert screen.document.state.note is None
        for _ in range(4):
            await pilot.press("u")
        assert screen.document.state == screen.document.opened


async def test_one_key_applies_a_fix(sample: Sample) -> None:
    for name, code in (("crlf.elf", "T02"), ("two-notes.elf", "N05"), ("duplicate-keys.elf", "T06")):
        async with running(sample(name)) as pilot:
            screen = main_screen(pilot)
            codes = [finding.code for finding in screen.session.found]
            await pilot.press("1", *["down"] * codes.index(code), "f")
            await settled(pilot)
            assert code not in [finding.code for finding in screen.session.found], name
            await pilot.press("u")
            assert screen.document.state == screen.document.opened


async def test_entry_fields_and_writes(sample: Sample) -> None:
    async with running(sample("two-halves.write.json")) as pilot:
        screen = main_screen(pilot)
        assert "not present" in shown(pilot)
        await pilot.press("1", "w")
        await pilot.press("tab")
        await type_text(pilot, "00000100241000000000100000000000")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.document.state.entry is not None and screen.document.state.entry.present
        await pilot.press("end", "d")
        assert not screen.document.state.entry.present or screen.document.state.entry != screen.document.opened.entry
        assert screen.document.state.entry == screen.document.opened.entry
    async with running(sample("good.entry")) as pilot:
        screen = main_screen(pilot)
        await pilot.press("1", "end", "up", "enter")
        for typed, word in (("0x10000000000000000", "does not fit"), ("-1", "does not fit"), ("12x", "not a number")):
            await type_text(pilot, typed)
            await pilot.press("enter")
            await pilot.pause()
            assert word in shown(pilot)
        await type_text(pilot, "0x1958000")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.document.state.entry is not None and screen.document.state.entry.entry.paddr == 0x1958000


@pytest.mark.parametrize("pane", "12345")
async def test_every_key_of_the_footer_does_something(sample: Sample, pane: str) -> None:
    """Press each key in each pane, and close what opens; nothing may fail."""
    files = sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry")
    async with running(*files) as pilot:
        screen = main_screen(pilot)
        await pilot.press(pane)
        await settled(pilot)
        keys = [b.key for _, b, _, _ in screen.active_bindings.values() if b.show and b.key not in ("q", "ctrl+p")]
        assert len(keys) > 4
        for key in keys:
            before = shown(pilot), screen.document.state, said(pilot)
            await pilot.press(key)
            await settled(pilot)
            after = shown(pilot), screen.document.state, said(pilot)
            assert before != after, (pane, key)
            while pilot.app.screen is not screen:
                await pilot.press("escape")
                await pilot.pause()
            if screen.query("#filter"):
                await pilot.press("escape")
            await pilot.press(pane)
            while screen.session.undo():
                pass
            forget(pilot)
            await settled(pilot)


async def test_a_hundred_thousand_lines(sample: Sample, tmp_path: Path) -> None:
    text = tmp_path / "long.txt"
    text.write_bytes(b"".join(b"NUMBER(n%d)=%d\n" % (n, n) for n in range(40_000)))
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        await pilot.press("a", "enter")
        await type_text(pilot, str(text))
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("4", "end")
        keys = main_screen(pilot).query_one(KeysList)
        assert keys.cursor == 39_999 and "NUMBER(n39999)" in shown(pilot)


async def test_an_indented_text_of_crash_is_appended_without_blanks(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "help-D").write_bytes(b"".join(b" " * 22 + line for line in TEXT_64.splitlines(keepends=True)))
    async with running(sample("amd64-cut-nonote.elf")) as pilot:
        await pilot.press("a", "enter")
        await settled(pilot)
        await type_text(pilot, str(tmp_path / "help-D"))
        await pilot.press("enter")
        await settled(pilot)
        text = main_screen(pilot).document.state.vmcoreinfo
        assert text is not None and text.text == TEXT_64
        assert "the blanks were removed" in said(pilot)
        await pilot.press("u")
        assert main_screen(pilot).document.state.vmcoreinfo is None


@pytest.mark.parametrize(
    ("data", "words"), [(b"sadump\0\0" + bytes(90), "sadump file"), (b"", "is empty"), (b"\xf0" * 65536, "FILE@0")]
)
async def test_a_file_that_is_not_a_dump_is_named(sample: Sample, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "other").write_bytes(data)
    async with running(sample("good.entry")) as pilot:
        await pilot.press("o")
        await settled(pilot)
        await type_text(pilot, str(tmp_path / "other"))
        await pilot.press("enter")
        await settled(pilot)
        assert words in hint(pilot)
