"""Test that the real programs read a dump saved in place like its copy: lifted once, twice, and undone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dumps import factory, plain_elf
from tests.opened_files import open_document
from tests.real import readers
from tests.real.test_append import GUESTS, Guest

Sample = Callable[[str], str]


class ReaderAnswers(NamedTuple):
    """Return the result of each reader for one file."""

    crash: str
    drgn: readers.CommandResult
    libkdumpfile: readers.CommandResult
    makedumpfile: readers.CommandResult
    dmesg: bytes
    readelf: str
    eu_readelf: str


def hear(path: Path, guest: Guest, tmp_path: Path) -> ReaderAnswers:
    """All of them, under one name, since some print it; utsname by its virtual address where the dump has the pages."""
    name, dmesg = tmp_path / "heard.elf", tmp_path / "dmesg"
    path.rename(name)
    try:
        return ReaderAnswers(
            readers.crash_osrelease(str(name)),
            readers.drgn_text(str(name), uts=False in guest.uts),
            readers.drgn_text(str(name), libkdumpfile=True, uts=True in guest.uts),
            without_ranges(readers.makedumpfile_dmesg(str(name), dmesg)),
            dmesg.read_bytes() if dmesg.exists() else b"",
            without_places(readers.readelf_notes(str(name))),
            without_places(readers.eu_readelf_notes(str(name))),
        )
    finally:
        name.rename(path)
        dmesg.unlink(missing_ok=True)


def without_places(shown: str) -> str:
    """Return the output without the lines that show the offsets of notes."""
    return "\n".join(line for line in shown.splitlines() if "offset" not in line.lower())


def without_ranges(ran: readers.CommandResult) -> readers.CommandResult:
    """Return the output without the program headers that makedumpfile lists: a lift splits one."""
    return ran._replace(out="\n".join(line for line in ran.out.splitlines() if not line.startswith("LOAD[")))


def vmci(*arguments: str) -> None:
    """Save in a separate process, whose end releases the lock on the file."""
    ran = readers.run(sys.executable, "-m", "vmci_tui", *arguments)
    assert ran.code == 0, ran.out


@pytest.fixture(params=GUESTS)
def guest(request: pytest.FixtureRequest) -> Guest:
    return GUESTS[request.param]


def longer(path: Path, folder: Path, lines: int) -> str:
    """Write a file with the text of a dump's note and some more lines, of keys that no reader knows."""
    document = open_document(str(path))
    assert document.state.note is not None
    text = folder / f"{lines} more"
    text.write_bytes(document.state.note.desc + b"".join(b"NUMBER(number_%04d)=1\n" % n for n in range(lines)))
    return str(text)


def test_a_file_saved_in_place_is_read_like_its_copy(guest: Guest, sample: Sample, tmp_path: Path) -> None:
    """`lift`, `lift` of more pages, `lift` again; a kernel virtual address is read where the copy has it."""
    dump, copy = tmp_path / "dump.elf", tmp_path / "copy.elf"
    shutil.copyfile(sample(guest.bare), dump)
    stages = [dump.read_bytes()]
    for lines in (0, 400, 800, -1):
        if lines < 0:
            command = ["strip", str(dump)]
        elif lines:
            command = ["append", str(dump), "--text", longer(dump, tmp_path, lines)]
        else:
            command = ["append", str(dump), guest.option, sample(guest.note)]
        vmci(*command, "-o", str(copy))
        vmci(*command, "--in-place")
        stages.append(dump.read_bytes())
        assert plain_elf.memory(stages[-1]) == plain_elf.memory(stages[0])
        reads = guest._replace(uts=guest.uts if lines >= 0 else ())
        ours = hear(dump, reads, tmp_path)
        assert ours == hear(copy, reads, tmp_path)
        if reads.uts:
            assert all("UTS [b'Linux'" in (ours.drgn, ours.libkdumpfile)[reader].out for reader in reads.uts)
        if lines >= 0:
            assert "VMCOREINFO" in ours.readelf and f"OSRELEASE={guest.release}" in ours.eu_readelf
            assert ours.drgn.code == 0 and f"OSRELEASE={guest.release}" in ours.drgn.out
    assert len(stages[2]) - len(stages[1]) >= 2 * 4096 and len(stages[3]) - len(stages[2]) >= 2 * 4096
    for stage in reversed(stages[:-1]):
        vmci("undo", str(dump))
        assert dump.read_bytes() == stage


@pytest.mark.parametrize("lines", [0, 5000])
def test_a_dump_with_paging_is_read_after_a_lift(lines: int, tmp_path: Path) -> None:
    """1,000 headers over the same bytes, of which all that cover the lifted ones moved or were split."""
    text = factory.TEXT_64 + b"A=1\n" * lines
    loads = [factory.Load(0, factory.ram(1 << 20), vaddr=1 << 40)]
    loads += [factory.Load(0, at=0, vaddr=n << 21) for n in range(1, 1000)]
    dump, copy, note = tmp_path / "dump.elf", tmp_path / "copy.elf", tmp_path / "text"
    dump.write_bytes(factory.elf(None, loads))
    note.write_bytes(text)
    before, guest = dump.read_bytes(), Guest("", "", "", "6.1.0-test", "little")
    vmci("append", str(dump), "--text", str(note), "-o", str(copy))
    vmci("append", str(dump), "--text", str(note), "--in-place")
    assert plain_elf.memory(dump.read_bytes()) == plain_elf.memory(before)
    assert len(plain_elf.rows(dump.read_bytes())) == 2001
    ours, theirs = hear(dump, guest, tmp_path), hear(copy, guest, tmp_path)
    assert ours.crash == "6.1.0-test" and ours.drgn.out == text.decode()
    assert ours._replace(makedumpfile=theirs.makedumpfile) == theirs
    vmci("undo", str(dump))
    assert dump.read_bytes() == before
