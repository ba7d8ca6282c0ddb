"""Test that a large copy is checked and goes to the disk while it is written, and that both end with it."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dumps.factory import Load, cpus, elf, note
from tests.limits import PATIENCE
from tests.opened_files import open_document
from vmci_tui.common.errors import Cancelled, SaveError
from vmci_tui.common.progress import Progress
from vmci_tui.containers import Dump
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.saving import save_copy as save
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.saving.verify import check_saved
from vmci_tui.saving.written import GivenUp, Written, WrittenFile

_MEMORY = 9 << 19
"""Bytes of memory: more than two of the steps in which the kernel copies."""
_BYTES = random.Random(1).randbytes(_MEMORY)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Document:
    monkeypatch.setattr(save, "_LARGE", 0)
    (tmp_path / "dump.elf").write_bytes(elf((cpus() + note(),), (Load(0, _BYTES),), qemu=True))
    document = open_document(str(tmp_path / "dump.elf"))
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"65536"))
    return document


def run(document: Document, progress: Progress) -> save.SaveResult:
    return save_copy(document, plan_copy(document), str(out_of(document)), progress)


def out_of(document: Document) -> Path:
    return Path(document.name).with_name("out.elf")


def checking() -> bool:
    return any(thread.name == "check" for thread in threading.enumerate())


def test_the_check_is_right_behind_the_writer(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = threading.Event()

    def check(old: Dump, state: State, saved: Source, limit: int, report: Progress) -> int:
        def told(what: str, done: int, total: int) -> None:
            compared.set()
            report(what, done, total)

        return check_saved(old, state, saved, limit, told)

    def progress(what: str, done: int, _: int) -> None:
        if what == "copy" and done > _MEMORY // 2:
            assert compared.wait(PATIENCE), "the first bytes are compared before the last ones are written"

    monkeypatch.setattr(save, "check_saved", check)
    assert run(document, progress).checked == _MEMORY
    assert _BYTES in out_of(document).read_bytes()
    assert not checking()


def test_a_copy_whose_last_blocks_are_shared_is_checked_to_its_end(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on XFS and Btrfs, where nothing is copied after them."""
    (tmp_path / "aligned.elf").write_bytes(elf((note(),), (Load(0, _BYTES),), gap=-len(elf((note(),), ())) % 4096 - 56))
    document = open_document(str(tmp_path / "aligned.elf"))
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"65536"))
    image, shared = plan_copy(document).image, 0

    def share(fd: int, _: int, request: bytes) -> None:
        nonlocal shared
        source, at, length, to = struct.unpack("=qQQQ", request)
        shared = to + os.copy_file_range(source, fd, length, at, to)

    end = time.monotonic() + PATIENCE

    def progress(*_: object) -> None:
        assert time.monotonic() < end, "the check waits for what is written already"

    monkeypatch.setattr(fcntl, "ioctl", share)
    assert run(document, progress).checked == _MEMORY
    assert shared == image.size and _BYTES in out_of(document).read_bytes()


def test_a_difference_ends_the_copy(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is not written."""
    real, copied = os.copy_file_range, 0

    def spoiled(source: int, fd: int, length: int, at: int, to: int) -> int:
        nonlocal copied
        copied += real(source, fd, min(length, _MEMORY // 4), at + 1, to)
        return _MEMORY // 4

    def progress(what: str, done: int, _: int) -> None:
        while copied and checking():
            pass

    monkeypatch.setattr(os, "copy_file_range", spoiled)
    with pytest.raises(SaveError, match="memory differs at"):
        run(document, progress)
    assert copied < _MEMORY and os.listdir(out_of(document).parent) == ["dump.elf"]


@pytest.mark.parametrize("error", [Cancelled("stopped"), KeyboardInterrupt(), ZeroDivisionError()])
@pytest.mark.parametrize("what", ["copy", "check"])
def test_a_stop_ends_the_check_and_leaves_no_file(what: str, error: BaseException, document: Document) -> None:
    def progress(kind: str, _done: int, _total: int) -> None:
        if kind == what:
            raise error

    with pytest.raises(type(error)):
        run(document, progress)
    assert not checking() and os.listdir(out_of(document).parent) == ["dump.elf"]


def test_it_goes_to_the_disk_meanwhile_and_the_last_sync_reports_its_error(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def fail(_: int) -> None:
        begun.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def progress(what: str, _done: int, _total: int) -> None:
        assert what != "check" or begun.wait(PATIENCE)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        assert run(document, progress).checked == _MEMORY
        patched.setattr(os, "fsync", fail)
        with pytest.raises(SaveError, match="input/output error"):
            run(document, progress)


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A file with 64 KiB of data, 64 KiB that are not written yet, and a hole."""
    path = tmp_path / "half"
    path.write_bytes(b"x" * (128 << 10))
    os.truncate(path, 1 << 20)
    return path


@pytest.mark.parametrize(
    "read",
    [
        lambda file: file.read(0, 128 << 10),
        lambda file: file.read_into(0, memoryview(bytearray(128 << 10))),
        lambda file: list(file.data_ranges(0, 1 << 20)),
    ],
)
def test_a_read_waits_for_the_writer(half: Path, read: Callable[[FileSource], object]) -> None:
    written, found = Written(), list[object]()
    with WrittenFile(str(half), written) as file:
        reader = threading.Thread(target=lambda: found.append(read(file)))
        reader.start()
        written.say(64 << 10)
        assert file.read(0, 64 << 10) == b"x" * (64 << 10), "what is there is read at once"
        assert not found
        written.say(1 << 20)
        reader.join(PATIENCE)
    with FileSource(str(half)) as whole:
        expected = read(whole)
    ranges = [(0, 64 << 10), (64 << 10, 128 << 10)]
    assert found in ([expected], [ranges])


def test_what_is_given_up_is_not_read(half: Path) -> None:
    written = Written()
    written.say(1 << 20)
    with WrittenFile(str(half), written) as file:
        assert file.read(0, 1) == b"x"
        written.give_up()
        with pytest.raises(GivenUp):
            file.read(0, 1)
