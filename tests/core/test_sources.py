from __future__ import annotations

from pathlib import Path

import pytest

from tests import factory
from tests.factory import cpus, elf, note
from vmci_tui.core.errors import OpenError
from vmci_tui.core.sources import bytes_from, note_from, note_or_text, text_from


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, data in (
        ("note", note()), ("note-be", note(order="big")), ("region", note() + bytes(4096)),
        ("dump", elf((cpus() + note(),))), ("bare", elf()), ("text", factory.TEXT_64), ("odd", b"A=1"),
        ("empty", b""), ("kdump", b"KDUMP   " + bytes(100)), ("prose", b"no equals sign here\n"),
        ("xen", note(name=b"VMCOREINFO_XEN\0")), ("cut", note()[:40]),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("name", ["note", "note-be", "region", "dump"])
def test_a_note_from_a_raw_note_a_region_or_a_dump(folder: Path, name: str) -> None:
    found = note_from(name)
    assert (found.name, found.type, found.desc) == (b"VMCOREINFO\0", 0, factory.TEXT_64)
    assert note_or_text(name).desc == factory.TEXT_64


@pytest.mark.parametrize("name", ["bare", "text", "empty", "kdump", "xen", "cut", "gone"])
def test_what_holds_no_note(folder: Path, name: str) -> None:
    with pytest.raises(OpenError) as error:
        note_from(name)
    assert name in error.value.message and error.value.hint


@pytest.mark.parametrize(("name", "text"), [("text", factory.TEXT_64), ("odd", b"A=1")])
def test_a_text_comes_as_it_is(folder: Path, name: str, text: bytes) -> None:
    assert text_from(name) == note_or_text(name).desc == text


@pytest.mark.parametrize("name", ["empty", "note", "dump", "kdump", "prose", "gone"])
def test_what_is_no_text(folder: Path, name: str) -> None:
    with pytest.raises(OpenError) as error:
        text_from(name)
    assert name in error.value.message


def test_bytes_for_guest_memory_are_taken_as_they_are(folder: Path) -> None:
    for name in ("note", "note-be", "region", "cut", "empty", "xen", "odd"):
        assert bytes_from(name) == (folder / name).read_bytes()
    assert bytes_from("dump") == bytes_from("text") == note()
    with pytest.raises(OpenError):
        bytes_from("bare")
