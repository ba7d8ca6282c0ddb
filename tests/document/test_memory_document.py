"""Test guest memory as a document, of ELF and kdump dumps: reads, search and names by paddr."""

from __future__ import annotations

import pytest

from tests.dumps import factory
from tests.dumps.kdump_factory import kdump, pages
from tests.kit import opened
from vmci_tui.common.errors import SaveError
from vmci_tui.document.byte_map import Places
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_notes import append_text
from vmci_tui.document.find_bytes import search
from vmci_tui.document.memory_document import memory_document

_PAGES = pages(1, 2, 9)
ELF = factory.elf((factory.note(),), (factory.Load(0x1000, _PAGES[1] + _PAGES[2]), factory.Load(0x9000, _PAGES[9])))


@pytest.fixture(params=["elf", "kdump"])
def memory(request: pytest.FixtureRequest) -> Document:
    document = opened(ELF if request.param == "elf" else kdump(_PAGES))
    assert document.dump is not None
    return memory_document(document.dump, document.name)


def test_memory_is_read_by_paddr_with_zeros_for_gaps(memory: Document) -> None:
    assert memory.layout.image.size == 0xA000
    assert memory.read(0x1000, 8192) == _PAGES[1] + _PAGES[2]
    assert memory.read(0x2FF0, 32) == _PAGES[2][-16:] + bytes(16)
    assert memory.read(0x9FF0, 64) == _PAGES[9][-16:] and memory.read(0x20000, 4) == b""
    assert [(item.paddr, item.length) for item in memory.layout.memory.ranges] == [(0x1000, 0x2000), (0x9000, 0x1000)]


def test_memory_is_searched_and_its_places_are_named(memory: Document) -> None:
    assert search(memory, _PAGES[9][100:120], 0, lambda at: True) == 0x9000 + 100
    places = Places(memory)
    assert places.at(0x1234).kind == "memory" and places.at(0x5000).kind == "gap"


def test_memory_is_never_edited(memory: Document) -> None:
    with pytest.raises(SaveError, match="never edited"):
        memory.edit(Edit.of(append_text, b"OSRELEASE=1\n", "little"))
