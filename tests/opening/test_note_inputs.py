from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dumps import factory
from tests.dumps.factory import Load, cpus, elf, note
from vmci_tui.common.errors import OpenError
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.layers.file import read_stream
from vmci_tui.opening.note_inputs import (
    NOTE_LIMIT,
    bytes_from,
    note_from,
    note_or_bare_text,
    note_or_text,
    running_note,
    text_from,
)


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
def test_files_without_a_note(folder: Path, name: str) -> None:
    with pytest.raises(OpenError) as error:
        note_from(name)
    assert name in error.value.message and error.value.hint


@pytest.mark.parametrize(("name", "text"), [("text", factory.TEXT_64), ("odd", b"A=1")])
def test_a_text_is_read_unchanged(folder: Path, name: str, text: bytes) -> None:
    assert text_from(name) == note_or_text(name).desc == text


@pytest.mark.parametrize("name", ["empty", "note", "dump", "kdump", "prose", "gone"])
def test_files_that_are_not_a_text(folder: Path, name: str) -> None:
    with pytest.raises(OpenError) as error:
        text_from(name)
    assert name in error.value.message


def test_bytes_for_guest_memory_are_read_unchanged(folder: Path) -> None:
    for name in ("note", "note-be", "region", "cut", "empty", "xen", "odd"):
        assert bytes_from(name) == (folder / name).read_bytes()
    assert bytes_from("dump") == bytes_from("text") == note()
    with pytest.raises(OpenError):
        bytes_from("bare")


@contextmanager
def _pipe(data: bytes) -> Iterator[str]:
    """Return the name of a pipe with `data`, as a shell makes one for <(command)."""
    reading, writing = os.pipe()

    def write() -> None:
        try:
            with os.fdopen(writing, "wb") as file:
                file.write(data)
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
        writer.join(5)


def test_notes_and_texts_through_a_pipe() -> None:
    for data in (note(), note(order="big"), elf((cpus() + note(),))):
        with _pipe(data) as path:
            assert note_from(path).desc == factory.TEXT_64
        with _pipe(data) as path:
            found = note_or_bare_text(path)
            assert not isinstance(found, bytes) and found.desc == factory.TEXT_64
    with _pipe(factory.TEXT_64) as path:
        assert text_from(path) == factory.TEXT_64
    with _pipe(factory.TEXT_64) as path:
        assert note_or_bare_text(path) == factory.TEXT_64
    with _pipe(note()[:40]) as path:
        assert bytes_from(path) == note()[:40]


def test_a_pipe_that_never_ends_or_never_begins(tmp_path: Path) -> None:
    with _pipe(bytes(NOTE_LIMIT + 70000)) as path, pytest.raises(OpenError, match="more than") as error:
        note_from(path)
    assert "write it to a file first" in error.value.hint
    os.mkfifo(tmp_path / "fifo")
    writer = os.open(tmp_path / "fifo", os.O_RDWR)
    with pytest.raises(OpenError, match="nothing came"):
        read_stream(str(tmp_path / "fifo"), 100, "a note", patience=0.01)
    os.close(writer)
    with pytest.raises(OpenError, match="not a regular file but a pipe"):  # in the app, which must not wait
        note_or_text(str(tmp_path / "fifo"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    with _pipe(note()) as path:
        kept = os.dup(0)
        reading = os.open(path, os.O_RDONLY)
        try:
            os.dup2(reading, 0)
            assert note_from("-").desc == factory.TEXT_64
        finally:
            os.dup2(kept, 0)
            os.close(kept)
            os.close(reading)


def _kcore(path: Path, *notes: bytes, memory: bytes = b"") -> str:
    """A file like /proc/kcore: headers, memory far after them, and a size larger than any disk."""
    far = 1 << 42
    head = elf((b"".join(notes),), (Load(0x1000, memory.ljust(4096, b"\0"), vaddr=0xFFFF888000001000),))
    path.write_bytes(head[:-4096])
    at = head.index((len(head) - 4096).to_bytes(8, "little"), 64 + 56)  # p_offset of the PT_LOAD
    with path.open("r+b") as file:
        file.seek(at)
        file.write(far.to_bytes(8, "little"))
        file.seek(far)
        file.write(memory)
        file.truncate(1 << 43)
    return str(path)


def test_the_running_machine(tmp_path: Path) -> None:
    entry = Entry(0, 1, 4132, 0x1000)
    core = note(bytes(336), b"CORE\0", 1)
    assert note_from(_kcore(tmp_path / "new", core, note())).desc == factory.TEXT_64
    assert running_note(entry, str(tmp_path / "new")).desc == factory.TEXT_64
    old = _kcore(tmp_path / "old", core, memory=note())
    assert running_note(entry, old).desc == factory.TEXT_64
    for kcore, words in ((old, "nor memory"), (str(tmp_path / "gone"), "cannot open"), ("/dev/null", "not a regular")):
        with pytest.raises(OpenError, match=words):
            running_note(entry._replace(paddr=0x200000), kcore)
    (tmp_path / "empty").touch()
    with pytest.raises(OpenError, match="not readable as ELF"):
        running_note(entry, str(tmp_path / "empty"))


def test_a_pair_is_explained(folder: Path) -> None:
    (folder / "pair").write_bytes(b"0x0000000100c66000 1024\n")
    for read in (note_from, note_or_text, note_or_bare_text):
        with pytest.raises(OpenError, match="paddr 0x100c66000, but not the note") as error:
            read("pair")
        assert "/proc/kcore" in error.value.hint and "--from-memory 0x100c66000" in error.value.hint


def test_the_output_of_makedumpfile_is_a_text(folder: Path) -> None:
    text = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff827fb000\nSRCFILE(pud_t)=x86/pgtable.h\n"
    (folder / "generated").write_bytes(text)
    assert text_from("generated") == text == note_or_bare_text("generated")
