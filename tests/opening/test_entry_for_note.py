"""Test the entry that a guest writes for a note in its memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dumps.factory import TEXT_64, note
from tests.opened_files import open_document
from vmci_tui.common.errors import EditError
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.opening.entry_for_note import entry_for, linux_entry
from vmci_tui.search.candidate import Candidate
from vmci_tui.search.entry_region import object_at


def _at(raw: bytes) -> Candidate:
    return Candidate(0x19C8000, None, "note", raw, "little")


@pytest.mark.parametrize(("page", "size"), [(4096, 4132), (16384, 16420), (65536, 65572)])
def test_linux_announces_its_page_and_36(page: int, size: int) -> None:
    candidate = _at(note(TEXT_64.replace(b"PAGESIZE=4096", b"PAGESIZE=%d" % page)))
    assert linux_entry(candidate) == Entry(0, 1, size, 0x19C8000)
    document = entry_for(candidate)
    assert document.saved_layout.image.read(document.source, 0, 17) == linux_entry(candidate).pack()
    assert document.entry_unsaved and document.state.entry is not None and document.state.entry.present


def test_windows_announces_its_own_note() -> None:
    assert linux_entry(_at(note(b"PAGEDU64" + bytes(0x2000 - 8)))).size == 0x2018


@pytest.mark.parametrize(
    "candidate",
    [
        Candidate(0, None, "text", TEXT_64, None),
        _at(note()[:100]),
        _at(note(b"OSRELEASE=6\n")),
        _at(note(b"PAGESIZE=2147483648\n")),
    ],
)
def test_notes_that_no_guest_announces(candidate: Candidate) -> None:
    for make in (linux_entry, entry_for):
        with pytest.raises(EditError) as error:
            make(candidate)
        assert error.value.hint


def test_a_real_guest_wrote_the_same(sample: Callable[[str], str]) -> None:
    dump = open_document(sample("amd64-cut-note.elf")).dump
    assert dump is not None
    found = object_at(guest_of(dump), 0x19C8000)
    with open(sample("good.entry"), "rb") as file:
        assert found.candidate is not None and linux_entry(found.candidate).pack() == file.read()
