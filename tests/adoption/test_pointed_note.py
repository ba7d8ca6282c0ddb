"""Test the note that the running kernel's own pointers name, in pages of booted guests, beside what a search finds."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.dumps.factory import TEXT_64, note
from tests.opened_files import open_document
from tests.paths import DATA
from tests.search.test_find_notes import guest_with
from vmci_tui.adoption import choose as adopt
from vmci_tui.adoption import wanted_note
from vmci_tui.adoption.pointed_note import PointedNote, pointed_note
from vmci_tui.adoption.rank import choose, rank_candidates
from vmci_tui.cli.run import main
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.kernel.symbols import read_symbols as of_image
from vmci_tui.kernel.symbols.raw_tables import raw_tables
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.search.candidate import Proof, RankedCandidate

_NAMED = ("amd64-61", "amd64-612-panic")
"""Guests whose kernels have symbols of variables (CONFIG_KALLSYMS_ALL), and whose CPUs name their page tables."""
_NOT_NAMED = ("arm64-61", "s390x-61")


@pytest.fixture
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made = tmp_path / "dump.elf"
    made.write_bytes(lzma.decompress((DATA / "kernels" / f"{request.param}.elf.xz").read_bytes()))
    return made


@pytest.fixture
def guest(path: Path) -> Iterator[Guest]:
    with open_document(str(path)) as document:
        assert document.dump is not None
        yield guest_of(document.dump)


@pytest.mark.parametrize("path", ["amd64-61"], indirect=True)
def test_the_symbols_that_lead_to_the_note_are_read_once_to_prove_its_lines(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "LARGE", 0)
    monkeypatch.setattr(adopt, "find", pytest.fail)
    read = Mock(side_effect=raw_tables)
    monkeypatch.setattr(of_image, "raw_tables", read)
    assert main(("prove", str(path))) == 0
    assert read.call_count == 1


def _bare(item: RankedCandidate) -> RankedCandidate:
    return item._replace(why="", runs=None, found_by="search")


@pytest.mark.parametrize("path", _NAMED, indirect=True)
def test_it_is_the_candidate_that_a_search_chooses(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = adopt.search(guest, no_progress)
    assert choose(searched) is searched[0]
    monkeypatch.setattr(adopt, "LARGE", 0)
    monkeypatch.setattr(adopt, "find", pytest.fail)
    (named,) = adopt.search(guest, no_progress)
    assert named.found_by == "kernel" and "own pointers name it" in named.why
    assert _bare(named) == _bare(searched[0]) and choose([named]) is named


@pytest.mark.parametrize("path", ["amd64-61"], indirect=True)
def test_the_page_tables_say_which_kernel_runs_while_programs_do(guest: Guest) -> None:
    inside = pointed_note(guest, no_progress)
    pcs = {cpu.role("pc") or 0 for cpu in cpus_of(guest.notes, guest.machine)}
    notes = guest.notes
    for pc in pcs:
        code, program = (value.to_bytes(8, "little") for value in (pc, 0x401000))
        notes = tuple(replace(note, raw=note.raw.replace(code, program)) for note in notes)
    assert not any(one.runs for one in read_symbols(guest._replace(notes=notes)))
    outside = pointed_note(guest._replace(notes=notes), no_progress)
    assert inside is not None and outside is not None and outside.note == inside.note


@pytest.mark.parametrize("path", _NOT_NAMED, indirect=True)
def test_without_symbols_of_variables_or_page_tables_memory_is_searched(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pointed_note(guest, no_progress) is None
    searched = adopt.search(guest, no_progress)
    monkeypatch.setattr(adopt, "LARGE", 0)
    assert adopt.search(guest, no_progress) == searched


@pytest.mark.parametrize("path", ["amd64-61"], indirect=True)
@pytest.mark.parametrize("name", [b"elfcorehdr_addr", b"vmcoreinfo_note"])
def test_a_kernel_that_follows_a_crash_and_one_without_a_note_name_none(path: Path, name: bytes) -> None:
    """The first means a kdump kernel: the note of the kernel that crashed is wanted, and only a search finds it."""
    with open_document(str(path)) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        table = read_symbols(guest)[0].table
        address = table.address(name)
        paddr = None if address is None else table.paddr(address)
        at = None if paddr is None else guest.offset_of(paddr)
        assert at is not None and pointed_note(guest, no_progress)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes(8))
    with open_document(str(path)) as document:
        assert document.dump is not None
        assert pointed_note(guest_of(document.dump), no_progress) is None


def test_the_running_kernels_own_note_is_chosen_among_several_that_memory_proves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kexec leaves the note of the kernel before: large memory, which is not searched, asks no question either."""
    other = TEXT_64.replace(b"6.1.0-test", b"5.10.0-old")
    memory = guest_with((0x3000, note(other)), (0x5000, other), (0x9000, note()), (0xB000, TEXT_64))
    monkeypatch.setattr(adopt, "rank_candidates", partial(rank_candidates, prove=lambda *_: Proof(True, "it fits")))
    monkeypatch.setattr(wanted_note, "pointed_note", lambda *_: None)
    found = adopt.search(memory, no_progress)
    assert choose(found) is None, "nothing says which of them runs"
    (named,) = [one for one in found if one.candidate.text == TEXT_64]
    monkeypatch.setattr(wanted_note, "pointed_note", lambda *_: PointedNote(named._replace(found_by="kernel"), None))
    first, second = adopt.search(memory, no_progress)
    assert choose((first, second)) is first and first.candidate is not second.candidate
    assert (first.candidate.text, second.candidate.text) == (TEXT_64, other) and "runs names this one" in first.why
