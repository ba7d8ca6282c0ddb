"""Test that blocks of zeros become holes, and that all else is copied."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.layers.file import BytesSource
from vmci_tui.saving import copy_filled as copying
from vmci_tui.saving.copy_filled import BLOCK, copy_filled


def _memory(blocks: int, chance: random.Random) -> bytes:
    """Return blocks of zeros, of random bytes, and of zeros but for a byte."""
    kinds = (bytes(BLOCK), chance.randbytes(BLOCK), b"")
    found = (chance.choice(kinds) for _ in range(blocks))
    return b"".join(block or bytes(at := chance.randrange(BLOCK)) + b"\1" + bytes(BLOCK - at - 1) for block in found)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_not_zero_is_written_in_whole_blocks(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BUFFER", 5 * BLOCK)
    chance, written = random.Random(seed), list[tuple[int, int]]()
    data = _memory(40, chance)
    real = os.pwrite

    def pwrite(fd: int, some: bytes, to: int) -> int:
        written.append((to, to + len(some)))
        return real(fd, some, to)

    monkeypatch.setattr(os, "pwrite", pwrite)
    start, shift = chance.randrange(3 * BLOCK), chance.choice((0, 100, BLOCK, 3 * BLOCK + 7))
    end = len(data) - chance.randrange(2 * BLOCK)
    copied: list[int] = []
    fd = os.open(tmp_path / "new", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, end + shift)
    copy_filled(BytesSource(data), fd, start, end, shift, copied.append)
    os.close(fd)
    wanted = bytes(start + shift) + data[start:end]
    assert (tmp_path / "new").read_bytes() == wanted and copied[-1] == end + shift
    for at in range((start + shift) // BLOCK * BLOCK, end + shift, BLOCK):
        inside = any(first < at + BLOCK and at < last for first, last in written)
        assert inside == any(wanted[at : at + BLOCK]), f"the block at {at:#x}"


def test_a_source_that_ends_or_fails_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            if offset >= 2 * BLOCK:
                raise OpenError("it cannot be read", "copy it elsewhere")
            return super().read(offset, length)

    monkeypatch.setattr(copying, "_BUFFER", BLOCK)
    with (tmp_path / "new").open("wb") as file:
        with pytest.raises(SaveError, match="ended at 0x2000"):
            copy_filled(BytesSource(bytes(2 * BLOCK)), file.fileno(), 0, 3 * BLOCK, 0, lambda _: None)
        with pytest.raises(OpenError, match="cannot be read"):
            copy_filled(Failing(bytes(9 * BLOCK)), file.fileno(), 0, 9 * BLOCK, 0, lambda _: None)
