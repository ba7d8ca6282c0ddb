"""Test files that are not regular, not readable, or have unusual names."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dumps import factory
from tests.faults import corpus
from tests.faults.exercise import printable
from tests.limits import time_limit
from tests.opened_files import open_document
from vmci_tui.cli.run import main
from vmci_tui.common.errors import OpenError, SaveError, VmciError
from vmci_tui.document.document import Document
from vmci_tui.saving.plan import plan_copy
from vmci_tui.saving.save_copy import save_copy

_NOBODY = 65534


def _refusal(path: str, blob: str | None = None) -> str:
    with time_limit(2), pytest.raises(OpenError) as caught:
        open_document(path, blob)
    printable(str(caught.value), "the refusal")
    return str(caught.value)


@contextmanager
def _without_privilege() -> Iterator[None]:
    """Become another user for a moment: root may read anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_fifo_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "is not a regular file" in _refusal(str(tmp_path / "fifo"))


def test_folders_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in _refusal(str(tmp_path))
    for device in ("/dev/zero", "/dev/null"):
        assert "is not a regular file" in _refusal(device)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert "cannot open" in _refusal(str(tmp_path / "socket"))


def test_a_blob_beside_a_dump_is_checked_like_any_file(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_bytes(factory.elf())
    os.mkfifo(tmp_path / "fifo")
    assert "is not a regular file" in _refusal(str(dump), str(tmp_path / "fifo"))
    assert "too many for an entry" in _refusal(str(dump), _long(tmp_path))


def _long(folder: Path) -> str:
    (folder / "long").touch()
    os.truncate(folder / "long", 1 << 40)
    return str(folder / "long")


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(factory.elf())
    path.chmod(0)
    with _without_privilege():
        assert "permission denied; QEMU writes dumps that only their owner may read" in _refusal(str(path))


@pytest.mark.parametrize("path", ["", "no/such/file", "nul\0inside", "\ud800", "x" * 5000, "/dev/null/x"])
def test_names_that_no_file_can_have(tmp_path: Path, path: str) -> None:
    assert ("cannot open" if path else "the name of the file is empty") in _refusal(path)
    dump = tmp_path / "dump"
    dump.write_bytes(factory.elf())
    document = open_document(str(dump))
    with pytest.raises(SaveError) as caught:
        _save(document, path or str(tmp_path))
    printable(str(caught.value), "why it cannot be saved")


def _save(document: Document, path: str) -> None:
    save_copy(document, plan_copy(document), path)


@pytest.mark.parametrize("name", corpus.FILE_NAMES, ids=range(len(corpus.FILE_NAMES)))
def test_a_hostile_name_is_opened_shown_and_saved_as_printable_ascii(
    tmp_path: Path, name: bytes, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb") as file:
        file.write(factory.elf([factory.note()]))
    text = os.fsdecode(path)
    out = os.fsdecode(path[: -len(name)] + b"out-" + name[:200])
    assert main(["show", text]) == 0
    assert main(["check", text, "--json"]) in (0, 1)
    assert main(["set", text, "PAGESIZE=65536", "-o", out]) == 0
    assert main(["append", text, "--text", text, "-o", out]) in (0, 3)
    assert main(["show", text + "-gone"]) == 3
    assert main(["set", text, f"entry.{os.fsdecode(name)}=1", "-o", out]) == 2
    printed = b"".join(capfdbinary.readouterr())
    assert not set(printed) - set(range(0x20, 0x7F)) - {0x0A}, printed
    assert os.path.getsize(out) > 0


def test_every_error_is_one_line() -> None:
    for error in VmciError.__subclasses__():
        assert str(error("what", "what to do")) == "what; what to do"
