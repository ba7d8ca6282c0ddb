"""Test saved dumps with the programs that engineers use: after a note was appended, after a key was set."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dumps import factory
from tests.opened_files import open_document
from tests.paths import DATA
from tests.real import readers
from vmci_tui.cli.run import main
from vmci_tui.formats.elf_note import parse_raw

Sample = Callable[[str], str]
_TRUTH = json.loads((DATA / "truth.json").read_text())["guests"]
_TEXTS = {row["guest_text_sha256"] for row in _TRUTH.values()}


class Guest(NamedTuple):
    """A dump without a note, the note, and the real dump of the same guest that holds it."""

    bare: str
    option: str
    note: str
    release: str
    order: str
    uts: tuple[bool, ...] = ()
    """The readers of drgn (libkdumpfile: True) that read utsname of this dump: the cut dumps lack page tables."""


GUESTS = {
    "x86_64": Guest(
        "amd64-cut-nonote.elf", "--note", "amd64-cut-note.elf", "6.1.0-56-amd64", "little", (False,)
    ),
    "arm64": Guest("arm64-cut-nonote.elf", "--text", "arm64.txt", "6.1.0-56-arm64", "little", (False, True)),
    "i386": Guest("i386flash-nonote.elf-win16k", "--note", "i386flash.note", "6.1.0-50-686-pae", "little"),
    "s390x": Guest("s390x-cut-nonote.elf", "--note", "s390x.note", "6.1.0-50-s390x", "big"),
    "ppc64el": Guest(
        "ppc64el-nonote.elf-win16k", "--note", "ppc64el-little-endian.note", "6.1.0-50-powerpc64le", "big"
    ),
}  # fmt: skip


def append(guest: Guest, sample: Sample, tmp_path: Path) -> str:
    out = str(tmp_path / "appended.elf")
    assert main(["append", sample(guest.bare), guest.option, sample(guest.note), "-o", out]) == 0
    return out


def lowcore_text(path: str) -> str | None:
    """s390x: the guest's own note in its memory, where the lowcore (0xe0c) points at it."""
    document = open_document(path)
    if document.dump is None or document.dump.machine != "s390x":
        return None
    memory = document.layout.memory
    note = parse_raw(memory.read(document.source, int.from_bytes(memory.read(document.source, 0xE0C, 8), "big"), 4132))
    return note.desc.decode() if note else None


def judge(path: str, text: str, release: str, tmp_path: Path, crash: bool = False, uts: tuple[bool, ...] = ()) -> None:
    """Assert that every reader of this machine's dumps reads this text."""
    ran = readers.drgn_text(path)
    assert (ran.code, ran.out) == (0, text)
    # libkdumpfile prefers the note that the s390x lowcore points at to the file's: memory is never edited.
    ran = readers.drgn_text(path, libkdumpfile=True)
    assert (ran.code, ran.out) == (0, lowcore_text(path) or text)
    for libkdumpfile in uts:
        ran = readers.drgn_text(path, libkdumpfile, uts=True)
        assert ran.code == 0 and ran.out.startswith(text), ran.out
        assert "UTS [b'Linux'" in ran.out
    hexed = " ".join(f"{byte:02x}" for byte in text.encode())
    assert "VMCOREINFO" in (notes := readers.readelf_notes(path)) and hexed in notes
    shown = readers.eu_readelf_notes(path)
    assert all(line in shown for line in text.splitlines())
    if crash:
        assert readers.crash_osrelease(path) == release
        dmesg = tmp_path / "dmesg"
        ran = readers.makedumpfile_dmesg(path, dmesg)
        assert ran.code == 0 and "makedumpfile Completed" in ran.out
        assert all(f"  {line}" in ran.out for line in text.splitlines())
        assert "Linux version 6.1.0-56-amd64" in dmesg.read_text("latin-1")
        dmesg.unlink()


@pytest.mark.parametrize("name", GUESTS)
def test_a_note_appended_to_a_real_dump_is_accepted_by_every_reader(name: str, sample: Sample, tmp_path: Path) -> None:
    guest = GUESTS[name]
    out = append(guest, sample, tmp_path)
    document = open_document(out)
    assert document.dump is not None and document.state.note is not None
    text = document.state.note.desc
    assert hashlib.sha256(text).hexdigest() in _TEXTS
    assert text.startswith(b"OSRELEASE=" + guest.release.encode() + b"\n")
    # ppc64el: the guest is little-endian, the file big-endian, and readers follow the file.
    assert document.read(document.layout.note_offsets[-1], 4) == (11).to_bytes(4, guest.order)  # type: ignore[arg-type]
    judge(out, text.decode(), guest.release, tmp_path, name == "x86_64", guest.uts)


@pytest.mark.parametrize("name", GUESTS)
def test_appending_a_note_twice_equals_appending_it_once(name: str, sample: Sample, tmp_path: Path) -> None:
    guest = GUESTS[name]
    once, twice = Path(append(guest, sample, tmp_path)), tmp_path / "twice.elf"
    assert main(["append", str(once), guest.option, sample(guest.note), "-o", str(twice)]) == 0
    assert once.read_bytes() == twice.read_bytes()


@pytest.mark.parametrize("name", ["i386-note.elf-win16k", "amd64-note.elf-win4k", "amd64-cut-note.elf",
                                  "arm64-cut-note.elf", "s390x-cut-note.elf", *GUESTS])  # fmt: skip
@pytest.mark.parametrize("value", ["6.1.0-99-changed", "6.1.0-" + "9" * 40])
def test_every_reader_reads_a_set_key_and_other_bytes_are_unchanged(
    name: str, value: str, sample: Sample, tmp_path: Path
) -> None:
    path = append(GUESTS[name], sample, tmp_path) if name in GUESTS else sample(name)
    out = str(tmp_path / "set.elf")
    assert main(["set", path, f"OSRELEASE={value}", "-o", out]) == 0
    before, after = open_document(path), open_document(out)
    assert before.state.note is not None and after.state.note is not None
    old, new = before.state.note, after.state.note
    assert new.desc == f"OSRELEASE={value}\n".encode() + old.desc.split(b"\n", 1)[1]
    assert (new.name, new.type, new.order) == (old.name, old.type, old.order)
    assert [n.raw for n in after.state.notes[:-1]] == [n.raw for n in before.state.notes[:-1]]
    ours, theirs = after.layout.memory, before.layout.memory
    assert [item[:2] for item in ours.ranges] == [item[:2] for item in theirs.ranges]
    for paddr, length, _ in theirs.ranges:
        assert ours.read(after.source, paddr, length) == theirs.read(before.source, paddr, length)
    judge(out, new.desc.decode(), value, tmp_path, name in ("amd64-cut-note.elf", "x86_64"))


def test_the_source_is_never_touched(sample: Sample, tmp_path: Path) -> None:
    path = sample("amd64-cut-nonote.elf")
    before = os.stat(path), Path(path).read_bytes()
    append(GUESTS["x86_64"], sample, tmp_path)
    after = os.stat(path), Path(path).read_bytes()
    assert before[0].st_mtime_ns == after[0].st_mtime_ns and before[1] == after[1]


def test_no_reader_finds_a_stripped_note(sample: Sample, tmp_path: Path) -> None:
    out = str(tmp_path / "out.elf")
    assert main(["strip", sample("amd64-cut-note.elf"), "-o", out]) == 0
    assert readers.crash_osrelease(out) == "unknown"
    assert "VMCOREINFO" not in readers.readelf_notes(out) and "OSRELEASE" not in readers.eu_readelf_notes(out)
    assert readers.drgn_text(out).code != 0
    assert b"OSRELEASE=6.1.0-56-amd64\nBUILD-ID" not in Path(out).read_bytes()[:4096]


@pytest.mark.parametrize("qemu", [False, True])
def test_readers_that_accept_66000_program_headers_read_the_note(qemu: bool, tmp_path: Path) -> None:
    """PN_XNUM: section 0 must hold the number, and eu-readelf finds no note in a file with a section header."""
    loads = [factory.Load(n << 13, factory.ram(64) if n == 0 else b"", 4096, n << 13) for n in range(66_000)]
    bare, note, out = tmp_path / "bare.elf", tmp_path / "note", str(tmp_path / "out.elf")
    bare.write_bytes(factory.elf(None, loads, qemu=qemu))
    note.write_bytes(factory.note())
    assert main(["append", str(bare), "--note", str(note), "-o", out]) == 0
    assert readers.crash_osrelease(out) == "6.1.0-test"
    for libkdumpfile in (False, True):
        assert readers.drgn_text(out, libkdumpfile).out == factory.TEXT_64.decode()
    assert "VMCOREINFO" in readers.readelf_notes(out)
    assert "VMCOREINFO   :" in readers.makedumpfile_dmesg(out, tmp_path / "dmesg").out
