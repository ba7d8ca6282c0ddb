from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.opened_files import file_source
from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import BytesSource, FileSource, read_small


@pytest.fixture
def sparse(tmp_path: Path) -> FileSource:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"head")
        file.seek(1 << 40)
        file.write(b"tail")
    return file_source(str(path))


def test_reads_anywhere_and_short_at_the_end(sparse: FileSource) -> None:
    assert sparse.read(0, 4) == b"head"
    assert sparse.read((1 << 40) - 2, 100) == b"\0\0tail"
    assert sparse.read(sparse.size, 1) == sparse.read(-1, 1) == sparse.read(0, 0) == b""


def test_holes_are_skipped(sparse: FileSource) -> None:
    ranges = list(sparse.data_ranges(0, sparse.size))
    assert ranges[0][0] == 0 and ranges[-1][1] == sparse.size
    assert sum(end - start for start, end in ranges) < 1 << 20
    assert list(sparse.data_ranges(1 << 30, 1 << 31)) == []


def test_bytes_in_memory_read_like_a_file() -> None:
    source = BytesSource(b"0123456789")
    assert (source.size, source.read(8, 5), source.read(-1, 3)) == (10, b"89", b"")
    assert list(source.data_ranges(2, 99)) == [(2, 10)]
    assert list(source.data_ranges(10, 99)) == []


def test_a_file_that_cannot_be_opened_is_one_line_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    monkeypatch.chdir(tmp_path)  # the path of a socket has 107 bytes at most
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    for path, word in (
        (str(tmp_path), "folder"),
        (str(fifo), "not a regular file"),
        (str(tmp_path / "gone"), "no such file"),
        ("nul\0name", "NUL"),
        ("", "empty"),
        ("socket", "qmp:SOCKET"),
        (str(loop), "check the name"),
    ):
        with pytest.raises(OpenError, match=word) as error:
            file_source(path)
        assert "\n" not in str(error.value)


def test_a_changed_file_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    source = file_source(str(path))
    assert source.current() == source.identity
    path.write_bytes(b"other")
    assert source.current() != source.identity
    path.write_bytes(b"")
    with pytest.raises(OpenError, match="was cut to 0 bytes or less while it was read"):
        source.read(0, 3)


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(17))
    assert read_small(str(path), 17, "a test") == bytes(17)
    with pytest.raises(OpenError, match="too many for a test"):
        read_small(str(path), 16, "a test")
