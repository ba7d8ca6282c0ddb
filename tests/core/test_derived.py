from __future__ import annotations

import pytest

from tests.core.kit import opened
from tests.factory import cpus, elf, note
from vmci_tui.core.derived import derive


def _fields(*notes: bytes) -> dict[str, int | None]:
    return {item.name: item.value for item in derive(opened(elf((b"".join(notes),))).state)}


@pytest.mark.parametrize(("page", "size"), [(4096, 4132), (16384, 16420), (65536, 65572)])
def test_linux_announces_its_page_and_36(page: int, size: int) -> None:
    fields = _fields(cpus(), note(b"OSRELEASE=6\nPAGESIZE=%d\n" % page))
    assert fields == {"host_format": 0, "guest_format": 1, "size": size, "paddr": None}


def test_windows_announces_its_own_note() -> None:
    assert _fields(note(b"PAGEDU64" + bytes(0x2000 - 8)))["size"] == 0x2018


def test_without_a_page_size_the_size_is_not_known() -> None:
    assert _fields(note(b"OSRELEASE=6\n"))["size"] is None


def test_an_empty_note_tells_of_a_paddr_outside_memory() -> None:
    fields = _fields(cpus(), bytes(12))
    assert fields["paddr"] is None and fields["guest_format"] == 1
    assert "outside" in derive(opened(elf((bytes(12),))).state)[-1].why


def test_a_dump_without_any_note_tells_nothing() -> None:
    assert derive(opened(elf()).state) == ()
