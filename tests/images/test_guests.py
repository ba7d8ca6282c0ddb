"""Booted guests whose dumps are in the folder VMCI_GUESTS names: written as images by other code, and converted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.images.writers import lime_head
from vmci_tui.cli import main

pytestmark = pytest.mark.long
_FOLDER = os.environ.get("VMCI_GUESTS", "")
_PIECE = 1 << 20


def _dumps() -> list[Path]:
    return sorted(Path(_FOLDER).glob("*/dumps/*-full.elf")) if _FOLDER else []


def _segments(path: Path) -> Iterator[tuple[int, int, int]]:
    """Yield the address, the length and the offset of each range of memory, by pyelftools."""
    with path.open("rb") as file:
        for segment in ELFFile(file).iter_segments("PT_LOAD"):
            if segment["p_filesz"]:
                yield segment["p_paddr"], segment["p_filesz"], segment["p_offset"]


def _write_images(dump: Path, lime: Path, raw: Path, iomem: Path) -> None:
    lines = []
    with dump.open("rb") as source, lime.open("wb") as heads, raw.open("wb") as bare:
        for paddr, length, offset in sorted(_segments(dump)):
            heads.write(lime_head(paddr, paddr + length - 1))
            lines.append(f"{paddr:08x}-{paddr + length - 1:08x} : System RAM\n")
            source.seek(offset)
            for at in range(0, length, _PIECE):
                data = source.read(min(_PIECE, length - at))
                heads.write(data)
                bare.write(data)
    iomem.write_text("".join(lines))


def _differing(one: Path, other: Path) -> int:
    """Return how many pages of memory differ, or are in one of the two only."""
    there = {paddr: (length, offset) for paddr, length, offset in _segments(other)}
    count = 0
    with one.open("rb") as a, other.open("rb") as b:
        for paddr, length, offset in _segments(one):
            other_length, other_offset = there.pop(paddr, (0, 0))
            count += abs(length - other_length) // 4096
            a.seek(offset)
            b.seek(other_offset)
            for _ in range(min(length, other_length) // 4096):
                count += a.read(4096) != b.read(4096)
    return count + sum(length // 4096 for length, _ in there.values())


@pytest.mark.parametrize("dump", _dumps(), ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_images_of_a_guest_become_its_dump(dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lime, raw, iomem = tmp_path / "guest.lime", tmp_path / "guest.raw", tmp_path / "iomem"
    _write_images(dump, lime, raw, iomem)
    for number, words in enumerate(([str(lime)], [str(raw), "--map", str(iomem)])):
        out = tmp_path / f"{number}.elf"
        capsys.readouterr()
        main(["convert", *words, "-o", str(out), "--json"])
        made = json.loads(capsys.readouterr().out)
        assert _differing(dump, out) == 0
        assert made["repair"]["proof"]["proved"] and made["witnessed"]
        assert not made["doubts"], "the kernel in memory says which machine it is"
        out.unlink()
