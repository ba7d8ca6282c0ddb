"""Test reading all of guest memory: each sequence of an anchor's length is in exactly one block, at any address."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.factory import Load, elf, note, ram
from tests.kit import opened
from tests.opened_files import file_source
from vmci_tui.common.errors import Cancelled, OpenError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest, guest_of, raw_guest
from vmci_tui.layers.file import BytesSource, Source
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges
from vmci_tui.search import memory_blocks as scan
from vmci_tui.search.find_notes import find

STEP = 8192


@pytest.fixture(params=["file", "bytes"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small blocks, so that small memory has many."""
    monkeypatch.setattr(scan, "BLOCK", STEP)
    monkeypatch.setattr(scan, "SLOW_BLOCK", STEP)
    return str(request.param)


def source_of(data: bytes, kind: str, folder: Path) -> Source:
    if kind == "bytes":
        return BytesSource(data)
    path = folder / "memory"
    path.write_bytes(data)
    return file_source(str(path))


def windows(guest: Guest) -> list[tuple[int, bytes]]:
    """Return every sequence of REACH bytes in a block, with its address."""
    out = []
    for block in scan.blocks(guest, no_progress):
        places = range(block.start, block.end - scan.REACH + 1)
        out += [(block.paddr_of(at), bytes(block.buffer[at : at + scan.REACH])) for at in places]
    return out


@pytest.mark.parametrize("offset", [0, 1, 0x7C8])
def test_every_range_is_read_once_with_its_address(kind: str, offset: int, tmp_path: Path) -> None:
    data = random.Random(offset).randbytes(offset + 3 * STEP + 77)
    ranges = (
        Range(0x1F0, 5000, offset),
        Range(0x1F0 + 5000, 9000, offset + 6000),  # goes on by address, elsewhere in the file
        Range(0x9000, 100, None),
        Range(0xA000, 9000, offset + 15000),
    )
    guest = Guest(source_of(data, kind, tmp_path), Memory(Ranges(ranges)), None, None, None)
    low = [(0x1F0 + at, (data[offset : offset + 5000] + data[offset + 6000 : offset + 15000])[at:][: scan.REACH])
           for at in range(14000 - scan.REACH + 1)]  # fmt: skip
    high = [(0xA000 + at, data[offset + 15000 + at :][: scan.REACH]) for at in range(9000 - scan.REACH + 1)]
    assert windows(guest) == low + high


def test_progress_counts_all_memory_and_may_stop_it(kind: str, tmp_path: Path) -> None:
    guest = raw_guest(source_of(bytes(10 * STEP + 5), kind, tmp_path), 0)
    told: list[tuple[int, int]] = []
    assert len(list(scan.blocks(guest, lambda _, done, total: told.append((done, total))))) == 11
    assert told[0] == (0, guest.memory.size) and told[-1] == (guest.memory.size, guest.memory.size)
    assert [done for done, _ in told] == sorted(done for done, _ in told) and len(told) >= 10

    def stop(_what: str, done: int, _total: int) -> None:
        if done > 3 * STEP:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        list(scan.blocks(guest, stop))


def test_holes_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes after a hole are read from a little before its end; the rest of the hole is not read."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 39)
        file.write(note()[: 1 << 12])
    read: list[int] = []
    preadv = os.preadv

    def counted(fd: int, buffers: Any, at: int) -> int:
        read.append(at)
        return preadv(fd, buffers, at)

    monkeypatch.setattr(os, "preadv", counted)
    guest = raw_guest(file_source(str(path)), 0x1000)
    assert [item.paddr for item in find(guest)] == [0x1000 + (1 << 39)]
    assert len(read) <= 2 and min(read) == (1 << 39) - scan.REACH + 1


def test_a_big_endian_note_whose_first_zeros_are_in_a_hole_is_found(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    body = note(order="big")
    with path.open("wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 16)
        file.write(body[3:])
    guest = raw_guest(file_source(str(path)), 3)  # the page starts at 0x10000 lie three bytes before the data
    assert [item.paddr for item in find(guest)] == [0x10000]


def test_a_file_that_became_shorter_ends_the_memory(tmp_path: Path) -> None:
    (tmp_path / "memory").write_bytes(ram(9 * 4096))
    guest = raw_guest(file_source(str(tmp_path / "memory")), 0)
    os.truncate(tmp_path / "memory", 100)
    assert sum(block.end - block.start for block in scan.blocks(guest, no_progress)) in (0, 100)


def test_unreadable_memory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory").write_bytes(ram(4096))
    guest = raw_guest(file_source(str(tmp_path / "memory")), 0)

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", broken)
    with pytest.raises(OpenError, match="input/output error"):
        list(scan.blocks(guest, no_progress))


def test_ranges_without_bytes_are_skipped() -> None:
    dump = opened(elf(loads=[Load(0x1000, b"", memsz=1 << 40)])).dump
    assert dump is not None
    assert list(scan.blocks(guest_of(dump), no_progress)) == []
