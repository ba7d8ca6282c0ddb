"""Test whole dumps of booted guests: everything that an engineer does with one, after vmci appended the note.

They are too large to bundle: collected only where VMCI_FULL_DUMPS names a folder that holds
them (`amd64-nonote.elf` and so on, unpacked); see conftest.py.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main

_FOLDER = os.environ["VMCI_FULL_DUMPS"]
_NOTES = {"amd64": ("--note", "amd64.note"), "arm64": ("--text", "arm64.txt"), "s390x": ("--note", "s390x.note")}


@pytest.fixture(params=_NOTES, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    if not Path(_FOLDER, f"{request.param}-nonote.elf").exists():
        pytest.skip(f"{_FOLDER} has no {request.param}-nonote.elf")
    return str(request.param)


@pytest.fixture(scope="module")
def saved(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The dump with its note appended."""
    option, note = _NOTES[name]
    out = tmp_path_factory.mktemp(name) / "with-note.elf"
    assert main(["append", f"{_FOLDER}/{name}-nonote.elf", option, str(SAMPLES / note), "-o", str(out)]) == 0
    yield out
    out.unlink()


def test_repair_finds_and_proves_the_same_note(name: str, saved: Path, tmp_path: Path) -> None:
    """So all tests below of the file with its note appended apply to the repaired one too."""
    out = tmp_path / "repaired.elf"
    assert main(["repair", f"{_FOLDER}/{name}-nonote.elf", "-o", str(out)]) == 0
    same = subprocess.run(["cmp", str(saved), str(out)], check=False).returncode
    out.unlink()
    assert same == 0


def test_drgn_reads_the_note_and_utsname_both_ways(name: str, saved: Path) -> None:
    for libkdumpfile in (False, True):
        ran = readers.drgn_text(str(saved), libkdumpfile, uts=True)
        assert ran.code == 0, ran.out
        release = ran.out.partition("\n")[0].removeprefix("OSRELEASE=")
        uts = ran.out.partition("UTS ")[2]
        assert uts.startswith("[b'Linux'") and release in uts


def test_readelf_and_eu_readelf_show_the_note(saved: Path) -> None:
    assert "VMCOREINFO" in readers.readelf_notes(str(saved))
    assert "OSRELEASE=6.1.0" in readers.eu_readelf_notes(str(saved))


@pytest.mark.parametrize("name", ["amd64"], indirect=True, scope="module")  # all that these builds of them read
def test_crash_and_makedumpfile_work_fully(saved: Path, tmp_path: Path) -> None:
    assert readers.crash_osrelease(str(saved)) == "6.1.0-56-amd64"
    dmesg, small = tmp_path / "dmesg", tmp_path / "small"
    ran = readers.makedumpfile_dmesg(str(saved), dmesg)
    assert ran.code == 0 and "makedumpfile Completed" in ran.out
    assert "Linux version 6.1.0-56-amd64" in dmesg.read_text("latin-1")
    ran = readers.makedumpfile_filter(str(saved), small)
    assert ran.code == 0 and "makedumpfile Completed" in ran.out
    assert small.stat().st_size < saved.stat().st_size // 4
    small.unlink()


def test_a_set_key_changes_only_its_bytes(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "set.elf"
    assert main(["set", str(saved), "PAGESIZE=8192", "-o", str(out)]) == 0
    assert "PAGESIZE=8192\n" in readers.drgn_text(str(out)).out
    before, after = saved.read_bytes(), out.read_bytes()
    out.unlink()
    document = open_document(str(saved))
    text = document.state.vmcoreinfo
    assert text is not None and document.state.index is not None
    at = document.layout.note_offsets[document.state.index] + document.state.notes[-1].desc_start
    at += text.all(b"PAGESIZE")[0].offset
    assert before[:at] == after[:at] and before[at + 13 :] == after[at + 13 :]
    assert after[at : at + 13] == b"PAGESIZE=8192"


@pytest.fixture(scope="module")
def lifted(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The dump itself, with its note saved in place by lifting, and lifted again for a longer note."""
    option, note = _NOTES[name]
    folder = tmp_path_factory.mktemp(f"{name}-in-place")
    path, text = folder / "dump.elf", folder / "text"
    subprocess.run(["cp", "--sparse=always", f"{_FOLDER}/{name}-nonote.elf", str(path)], check=True)
    path.chmod(0o400)
    in_place(path, "append", option, str(SAMPLES / note))
    document = open_document(str(path))
    assert document.state.note is not None
    lines = b"".join(b"NUMBER(number_%04d)=1\n" % number for number in range(400))
    text.write_bytes(document.state.note.desc + lines)
    in_place(path, "append", "--text", str(text))
    yield path
    path.unlink()


def in_place(path: Path, command: str, *rest: str) -> None:
    ran = readers.run(sys.executable, "-m", "vmci_tui", command, str(path), *rest, "--in-place")
    assert ran.code == 0 and "(lift, " in ran.out, ran.out


def test_drgn_reads_utsname_of_the_file_that_was_lifted_twice(name: str, lifted: Path) -> None:
    for libkdumpfile in (False, True):
        ran = readers.drgn_text(str(lifted), libkdumpfile, uts=True)
        assert ran.code == 0 and ran.out.partition("UTS ")[2].startswith("[b'Linux'"), ran.out
    assert "VMCOREINFO" in readers.readelf_notes(str(lifted))
    assert "OSRELEASE=6.1.0" in readers.eu_readelf_notes(str(lifted))


@pytest.mark.parametrize("name", ["amd64"], indirect=True, scope="module")
@pytest.mark.parametrize("method", ["-l", "-c"])
def test_makedumpfile_filters_the_lifted_file_like_the_copy(
    saved: Path, lifted: Path, method: str, tmp_path: Path
) -> None:
    """`-d 31` walks the kernel's structures by virtual addresses: the same pages stay, with the same bytes."""
    assert readers.crash_osrelease(str(lifted)) == "6.1.0-56-amd64"
    kept = []
    for path in (saved, lifted):
        out = tmp_path / "small"
        ran = readers.run("makedumpfile", method, "-d", "31", str(path), str(out))
        assert ran.code == 0 and "makedumpfile Completed" in ran.out, ran.out
        ran = readers.run("makedumpfile", "--message-level", "31", "--dump-dmesg", str(path), str(tmp_path / "dmesg"))
        assert ran.code == 0, ran.out
        kept.append((pages_of(out.read_bytes()), (tmp_path / "dmesg").read_bytes()))
        (tmp_path / "dmesg").unlink()
        out.unlink()
    assert kept[0] == kept[1] and len(kept[0][0]) > 1000


def pages_of(dump: bytes) -> list[tuple[int, int, bytes]]:
    """Return the compressed pages of a kdump file in order, each as (flags, page_flags, data)."""
    block = struct.unpack_from("<i", dump, 428)[0]
    sub, bitmap = struct.unpack_from("<iI", dump, 432)
    at, out = (1 + sub + bitmap) * block, []
    first = struct.unpack_from("<q", dump, at)[0]
    while at + 24 <= first:
        offset, size, flags, page_flags = struct.unpack_from("<qIIQ", dump, at)
        out.append((flags, page_flags, dump[offset : offset + size]))
        at += 24
    return out


def test_undo_restores_the_lifted_file_byte_for_byte(name: str, lifted: Path) -> None:
    """This test is the last: it undoes the file that `lifted` made."""
    for _ in range(2):
        assert readers.run(sys.executable, "-m", "vmci_tui", "undo", str(lifted)).code == 0
    assert readers.run("cmp", str(lifted), f"{_FOLDER}/{name}-nonote.elf").code == 0
    assert lifted.stat().st_mode & 0o777 == 0o400
