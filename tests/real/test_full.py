"""Whole dumps of booted guests: all that an engineer does with one, after vmci put the note in.

They are too large to bundle: collected only where VMCI_FULL_DUMPS names a folder that holds
them (`amd64-nonote.elf` and so on, unpacked); see conftest.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SAMPLES
from tests.real import readers
from vmci_tui.cli import main
from vmci_tui.core.opening import open_document

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
def test_crash_and_makedumpfile_do_all_their_work(saved: Path, tmp_path: Path) -> None:
    assert readers.crash_osrelease(str(saved)) == "6.1.0-56-amd64"
    dmesg, small = tmp_path / "dmesg", tmp_path / "small"
    ran = readers.makedumpfile_dmesg(str(saved), dmesg)
    assert ran.code == 0 and "makedumpfile Completed" in ran.out
    assert "Linux version 6.1.0-56-amd64" in dmesg.read_text("latin-1")
    ran = readers.makedumpfile_filter(str(saved), small)
    assert ran.code == 0 and "makedumpfile Completed" in ran.out
    assert small.stat().st_size < saved.stat().st_size // 4
    small.unlink()


def test_a_key_that_is_set_changes_nothing_but_its_bytes(saved: Path, tmp_path: Path) -> None:
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
