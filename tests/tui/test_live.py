"""A running VM in the app: shown as a dump, asked again on a key, and not saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.fake_qemu import FakeQemu, serving, with_entry
from tests.paths import SAMPLES
from tests.tui.driving import main_screen, running, said, settled, shown, until
from vmci_tui.common.confinement import refuse_outside
from vmci_tui.common.errors import UsageError
from vmci_tui.containers import open_dump
from vmci_tui.layers.file import FileSource


@pytest.fixture
def fake() -> Iterator[FakeQemu]:
    with FileSource(str(SAMPLES / "amd64-cut-note.elf")) as file:
        yield FakeQemu(open_dump(file))


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
            assert "vmci convert qmp:" in said(pilot) and main_screen(pilot).is_current


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
