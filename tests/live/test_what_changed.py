"""What is said of a VM that was asked again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.fake_qemu import FakeQemu, serving, with_entry
from tests.paths import SAMPLES
from vmci_tui.containers import open_dump
from vmci_tui.document.document import Document
from vmci_tui.layers.file import BytesSource
from vmci_tui.live.vm import RunningVm
from vmci_tui.live.what_changed import what_changed
from vmci_tui.opening.open_file import open_document

_DATA = (SAMPLES / "amd64-cut-note.elf").read_bytes()


def _fake(old: bytes = b"", new: bytes = b"") -> FakeQemu:
    return FakeQemu(open_dump(BytesSource(_DATA.replace(old, new, 1) if old else _DATA)))


def _with(fake: FakeQemu, **values: object) -> FakeQemu:
    for name, value in values.items():
        setattr(fake, name, value)
    return fake


def _asked(fake: FakeQemu, path: Path) -> Document:
    with serving(fake, path) as socket:
        document = open_document(f"qmp:{socket}")
        (vm,) = document.files
        assert isinstance(vm, RunningVm)
        vm.rest()
    path.unlink()
    return document


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (_fake, "nothing has changed"),
        (lambda: _with(_fake(), status="paused"), "it is paused now, was running"),
        (lambda: _with(_fake(), devices=with_entry(_fake().devices, 0x7000)), "the entry names 0x7000, was 0x1414000"),
        (
            lambda: _fake(b"KERNELOFFSET=30c00000", b"KERNELOFFSET=1ac00000"),
            "the guest has booted again: KERNELOFFSET is 1ac00000, was 30c00000",
        ),
        (
            lambda: _fake(b"OSRELEASE=6.1.0-56-amd64", b"OSRELEASE=6.1.0-57-amd64"),
            "the guest has booted another kernel, 6.1.0-57-amd64, was 6.1.0-56-amd64",
        ),
        (
            lambda: _fake(b"SYMBOL(_stext)=", b"SYMBOL(_sText)="),
            "the note is another one: the guest has booted again",
        ),
        (lambda: _fake(b"VMCOREINFO\0", b"XMCOREINFO\0"), "QEMU has no note now"),
    ],
)
def test_what_is_different_is_said(later: Callable[[], FakeQemu], words: str, tmp_path: Path) -> None:
    with _asked(_fake(), tmp_path / "q") as old, _asked(later(), tmp_path / "q") as new:
        assert what_changed(old, new) == words


def test_without_entry_and_note_a_boot_is_not_seen(tmp_path: Path) -> None:
    bare = _with(_fake(b"VMCOREINFO\0", b"XMCOREINFO\0"), named=[])
    with _asked(bare, tmp_path / "q") as old, _asked(bare, tmp_path / "q") as new:
        assert what_changed(old, new) == "without entry and note nothing says whether it has booted again"


def test_a_guest_that_was_reset_has_not_written_its_entry(tmp_path: Path) -> None:
    devices = _fake().devices
    at = devices.index(b"vmcoreinfo") + 10 + 8
    reset = devices[:at] + bytes((0, 0, 1)) + bytes(14) + devices[at + 17 :]
    with (
        _asked(_fake(), tmp_path / "q") as old,
        _asked(_with(_fake(), devices=reset), tmp_path / "q") as new,
    ):
        assert what_changed(old, new) == "the guest was reset, and has not written its entry again"
        assert what_changed(new, old) == "the guest has written its entry"
