"""A running VM in the app: shown as a dump, asked again on a key, and neither searched nor saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.live.fake_qemu import FakeQemu, serving, with_entry
from tests.paths import SAMPLES
from tests.tui.driving import forget, main_screen, running, said, settled, shown, until
from vmci_tui.common.confinement import refuse_outside
from vmci_tui.common.errors import EditError, UsageError
from vmci_tui.containers import open_dump
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import open_document
from vmci_tui.tui.screens.memory_screen import MemoryPane


@pytest.fixture
def fake() -> Iterator[FakeQemu]:
    with FileSource(str(SAMPLES / "amd64-cut-note.elf")) as file:
        yield FakeQemu(open_dump(file))


def _is_of_memory(request: dict[str, Any]) -> bool:
    return "xp" in request["arguments"].get("command-line", "")


def _is_of_status(request: dict[str, Any]) -> bool:
    return bool(request["execute"] == "query-status")


@contextmanager
def _hung(fake: FakeQemu, hangs: Callable[[dict[str, Any]], bool]) -> Iterator[None]:
    """Let the VM give no answer to requests for which it hangs, until the block ends."""
    goes_on = threading.Event()

    def hang(request: dict[str, Any]) -> None:
        if hangs(request):
            goes_on.wait(60)

    fake.lie = hang
    try:
        yield
    finally:
        goes_on.set()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_it_is_asked_again_on_a_key(tmp_path: Path, fake: FakeQemu, size: tuple[int, int]) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}", size=size) as pilot:
            assert "F5 Ask again" in shown(pilot)
            fake.devices = with_entry(fake.devices, 0x7777000)
            old = main_screen(pilot)
            await pilot.press("f5")
            await until(pilot, lambda: "asked again" in said(pilot))
            await settled(pilot)
            history = main_screen(pilot).document.state.entry
            assert main_screen(pilot) is not old and history is not None and history.entry.paddr == 0x7777000


async def test_what_is_open_stays_if_the_vm_has_ended(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            old = main_screen(pilot)
            fake.lie = lambda _request: b""
            await pilot.press("f5")
            await until(pilot, lambda: "closed the connection" in said(pilot))
            assert main_screen(pilot) is old


async def test_it_is_not_saved(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await pilot.press("s")
            await settled(pilot)
            assert "vmci convert qmp:" in said(pilot) and pilot.app.screen is main_screen(pilot)


@pytest.fixture
def bare() -> Iterator[FakeQemu]:
    """Return a VM that has announced no note; its memory has one at 0x19c8000."""
    with FileSource(str(SAMPLES / "amd64-cut-nonote.elf")) as file:
        yield FakeQemu(open_dump(file))


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_its_memory_is_not_searched_and_the_command_is_said_at_once(
    tmp_path: Path, bare: FakeQemu, size: tuple[int, int]
) -> None:
    with serving(bare, tmp_path / "q") as path:
        async with running(f"qmp:{path}", size=size) as pilot:
            await settled(pilot)
            assert "`vmci convert` makes a dump of it" in shown(pilot) and "[R]" not in shown(pilot)
            for key, words in (("R", "not repaired"), ("F", "not searched"), ("f", "not repaired")):
                forget(pilot)
                await pilot.press(key)
                await until(pilot, partial(_says, pilot, words))
                assert "vmci convert qmp:" in said(pilot) and pilot.app.screen is main_screen(pilot)
            assert len(bare.pages) < 100
            await pilot.press("4")
            await settled(pilot)
            assert "[F] follows the kernel's pointers, [W] `vmci convert`" in shown(pilot)
            await pilot.press("v")
            await settled(pilot)
            await pilot.press("R")
            await settled(pilot)
            assert pilot.app.screen is not main_screen(pilot) and "[R]" not in shown(pilot)
            assert "Press R" not in shown(pilot) and "R Repair" not in shown(pilot)


def _says(pilot: Pilot[None], words: str) -> bool:
    return words in said(pilot)


async def test_no_command_repairs_it(tmp_path: Path, bare: FakeQemu) -> None:
    with serving(bare, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            steps = main_screen(pilot).session.commands_so_far()
            assert [step.command for step in steps] == []
            await pilot.press("W")
            await settled(pilot)
            assert "vmci convert qmp:" in shown(pilot) and "vmci repair" not in shown(pilot)


async def test_no_key_edits_it(tmp_path: Path, fake: FakeQemu) -> None:
    """An edit could not be saved: it would be lost, with the work that it was."""
    keys = "a", "e", "ctrl+x", "3 enter", "3 t", "3 d", "4 enter", "4 plus", "4 d", "4 r", "5 enter", "7 down enter"
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await settled(pilot)
            for pressed in keys:
                forget(pilot)
                await pilot.press(*pressed.split())
                assert _says(pilot, "a running VM is not changed: vmci convert qmp:"), pressed
                assert pilot.app.screen is main_screen(pilot) and not main_screen(pilot).document.modified


async def test_no_footer_has_a_key_that_would_edit_it(tmp_path: Path, fake: FakeQemu) -> None:
    fake.devices = with_entry(fake.devices, 0x7777000)
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}", size=(200, 60)) as pilot:
            for key, kept in (
                ("1", "v Readers"),
                ("3", "i Explain"),
                ("4", "/ Filter"),
                ("5", "/ Search"),
                ("7", "Q QEMU"),
            ):
                await pilot.press(key)
                await settled(pilot)
                keys = shown(pilot).split("\n")[-1]
                assert kept in keys, (key, keys)
                for label in ("Edit", "New key", "Delete", "Rename", "Retype", "Add write", "Templates", "Add note"):
                    assert label not in keys, (key, keys)


def test_no_way_edits_it(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path, open_document(f"qmp:{path}") as document:
        with pytest.raises(EditError, match="runs, and is not changed"):
            document.edit(Edit.of(edit_notes.strip))
        assert not document.modified


async def test_the_palette_has_convert(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            found = next(c for c in pilot.app.get_system_commands(pilot.app.screen) if c.title.startswith("Convert"))
            found.callback()
            await until(pilot, partial(_says, pilot, f"copied, for a shell: vmci convert qmp:{path} -o q.elf"))


async def test_a_note_that_its_entry_names_is_a_candidate(tmp_path: Path, bare: FakeQemu) -> None:
    bare.devices = with_entry(bare.devices, 0x19C8000)
    with serving(bare, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await pilot.press("F")
            await until(pilot, lambda: "0x0000019c8000" in shown(pilot))
            assert "Every byte" not in shown(pilot) and "Adopt" not in shown(pilot)
            assert "vmci convert puts it into the dump" in shown(pilot)
            await pilot.press("A")
            assert "not searched" in said(pilot) and "0x0000019c8000" in shown(pilot)
            await pilot.press("enter")
            assert "a running VM is not changed" in said(pilot) and "0x0000019c8000" in shown(pilot)


async def test_a_vm_that_answers_slowly_is_said_to_be_asked(tmp_path: Path, bare: FakeQemu) -> None:
    bare.devices = with_entry(bare.devices, 0x19C8000)
    with serving(bare, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await settled(pilot)
            with _hung(bare, lambda _: True):
                await pilot.press("F")
                await until(pilot, partial(_says, pilot, "asking the VM where its kernel has the note"))
            await until(pilot, lambda: "0x0000019c8000" in shown(pilot))


async def test_a_file_is_not_asked_again() -> None:
    async with running(str(SAMPLES / "amd64-cut-note.elf")) as pilot:
        assert "F5" not in shown(pilot)
        await pilot.press("f5")
        assert "only a running VM" in said(pilot)


def test_a_session_in_a_browser_asks_no_vm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("qmp:socket", "virsh:guest"):
        with pytest.raises(UsageError):
            refuse_outside(name, str(tmp_path))


async def test_a_vm_that_hangs_does_not_hold_the_screen(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await settled(pilot)
            with _hung(fake, _is_of_memory):
                await pilot.press("M", "g", "g")
                await until(pilot, lambda: "not read yet" in shown(pilot))
                screen = pilot.app.screen
                await pilot.press("escape")
                await until(pilot, lambda: pilot.app.screen is not screen)
                assert pilot.app.screen is main_screen(pilot)
                await pilot.press("M", "g", "g")
                await until(pilot, lambda: "not read yet" in shown(pilot))
            await until(pilot, lambda: "not read yet" not in shown(pilot))
            assert "cannot be read" not in shown(pilot)


async def test_copying_bytes_that_were_not_read_yet_does_not_hold_the_screen(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await settled(pilot)
            with _hung(fake, _is_of_memory):
                await pilot.press("M", "g", "g")
                await until(pilot, lambda: "not read yet" in shown(pilot))
                view = pilot.app.screen.query_one(MemoryPane)
                view.set_highlight(view.cursor, 0x3000)
                await pilot.press("c")
                await until(pilot, lambda: "asking the VM for these bytes" in said(pilot))
                assert "copied" not in said(pilot)
            await until(pilot, lambda: "copied" in said(pilot))
            assert "copied" in said(pilot) and pilot.app.clipboard.count("\n") == 0x300 - 1


async def test_a_page_that_does_not_come_is_given_up(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await settled(pilot)
            fake.lie = lambda request: b"" if _is_of_memory(request) else None
            await pilot.press("M", "g", "g")
            await until(pilot, lambda: "cannot be read" in shown(pilot))


async def test_without_a_stop_it_is_asked_again_without_a_stop(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}", choice=ImageChoice(stop=False)) as pilot:
            old = main_screen(pilot)
            assert old.session.shell_words("find FILE") == f"$ vmci find qmp:{path} --no-stop"
            assert "--no-stop" not in old.session.shell_words("convert SOURCE -o COPY")
            await pilot.press("f5")
            await until(pilot, lambda: main_screen(pilot) is not old and "nothing says whether" in said(pilot))
            await settled(pilot)
            assert not {"xen-save-devices-state", "dump-guest-memory"} & set(fake.names)


async def test_a_vm_that_hangs_is_asked_again_once(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        async with running(f"qmp:{path}") as pilot:
            await settled(pilot)
            old, asked = main_screen(pilot), fake.names.count("query-status")
            with _hung(fake, _is_of_status):
                await pilot.press("f5")
                await until(pilot, partial(_says, pilot, "asking the VM again"))
                await pilot.press("f5", "f5", "f5")
                await until(pilot, partial(_says, pilot, "has not answered yet"))
            await until(pilot, lambda: main_screen(pilot) is not old)
            await settled(pilot)
            assert fake.names.count("query-status") == asked + 1
