"""Test the note that the entry of a saved VM names: it is taken without a search if the processors run its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.adoption import choose as adopt
from vmci_tui.adoption.named_note import named_note
from vmci_tui.adoption.rank import choose
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import Guest, guest_of


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    made = tmp_path / "guest.qevm"
    made.write_bytes(zstd.decompress((DATA / "streams" / "pc-7.2.qevm.zst").read_bytes()))
    with open_document(str(made)) as document:
        assert document.dump is not None
        yield guest_of(document.dump)


def test_it_is_the_candidate_that_a_search_chooses(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = adopt.search(guest._replace(named=()), no_progress)
    monkeypatch.setattr(adopt, "find", pytest.fail)
    (named,) = adopt.search(guest, no_progress)
    assert (named.found_by, named.runs) == ("entry", True)
    assert named.candidate == searched[0].candidate and named.proof.proved
    assert choose((named,)) is named


def test_every_byte_is_searched_on_request(guest: Guest) -> None:
    assert adopt.search(guest, no_progress, everywhere=True)[0].found_by == "search"


def test_without_the_page_tables_of_a_processor_memory_is_searched(guest: Guest) -> None:
    """Memory may hold a whole kernel that kexec left, with its note."""
    assert named_note(guest._replace(notes=()), no_progress) is None


def test_an_entry_that_names_no_whole_note_does_not_count(guest: Guest) -> None:
    text = guest.named[0] + 24
    assert named_note(guest._replace(named=(text, 0x1000)), no_progress) is None
