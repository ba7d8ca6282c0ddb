"""Test that all forms of a whole dump that makedumpfile writes have the same memory. See test_full.py."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.containers.kdump.dump import KdumpDump

_FOLDER = os.environ["VMCI_FULL_DUMPS"]
_PIECE = 1 << 20


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the dump with its note, which makedumpfile needs."""
    readers.need("makedumpfile")
    source = Path(_FOLDER, "amd64-nonote.elf")
    if not source.exists():
        pytest.skip(f"{_FOLDER} has no amd64-nonote.elf")
    out = tmp_path_factory.mktemp("kdump") / "with-note.elf"
    assert main(["append", str(source), "--note", str(SAMPLES / "amd64.note"), "-o", str(out)]) == 0
    yield out
    out.unlink()


def _guest(path: Path) -> Guest:
    dump = open_document(str(path)).dump
    assert dump is not None
    return guest_of(dump)


def _same(path: Path, elf: Path) -> int:
    """Compare the file's memory with that of the ELF dump, and return its bytes."""
    one, two = _guest(path), _guest(elf)
    for item in one.memory.ranges:
        for at in range(item.paddr, item.end, _PIECE):
            length = min(_PIECE, item.end - at)
            data = one.read(at, length)
            assert data is not None and data == two.read(at, length), hex(at)
    return one.memory.size


@pytest.mark.parametrize("options", ["-c -d 0", "-l -d 0", "-d 0", "-c -d 31", "-l -d 31"])
def test_files_of_makedumpfile_have_the_same_memory(options: str, elf: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert readers.run("makedumpfile", *options.split(), str(elf), str(out)).code == 0
    opened = open_document(str(out))
    assert isinstance(opened.dump, KdumpDump) and opened.dump.doubts == ()
    assert [note.raw for note in opened.dump.notes] == [n.raw for n in open_document(str(elf)).state.notes]
    assert opened.dump.header.phys_base == (1 << 64) - 719323136
    assert _same(out, elf) > (150 << 20 if "-d 0" in options else 50 << 20)


def test_a_flattened_and_a_split_one(elf: Path, tmp_path: Path) -> None:
    flat, plain, rearranged = tmp_path / "flat", tmp_path / "plain", tmp_path / "rearranged"
    with open(flat, "wb") as out:
        subprocess.run(
            ("makedumpfile", "-F", "-c", "-d", "31", str(elf)), stdout=out, check=True, stderr=subprocess.DEVNULL
        )
    size = _same(flat, elf)
    assert main(["unflatten", str(flat), "-o", str(plain)]) == 0
    with open(flat, "rb") as source:
        subprocess.run(("makedumpfile", "-R", str(rearranged)), stdin=source, check=True, capture_output=True)
    assert plain.read_bytes() == rearranged.read_bytes()
    parts = [tmp_path / f"part{number}" for number in range(3)]
    assert readers.run("makedumpfile", "-c", "-d", "31", "--split", str(elf), *map(str, parts)).code == 0
    assert sum(_same(part, elf) for part in parts) == size
