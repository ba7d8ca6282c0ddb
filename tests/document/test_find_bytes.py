from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.kit import opened
from tests.opened_files import open_document
from vmci_tui.common.errors import EditError
from vmci_tui.document import edit_text
from vmci_tui.document import find_bytes as search
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.find_bytes import pattern_of


def find(
    document: Document, pattern: bytes, start: int = 0, go_on: Callable[[int], bool] = lambda _: True
) -> int | None:
    return search.search(document, pattern, start, go_on)


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("0x0b000000", b"\x0b\0\0\0"), ("0X0B 00", b"\x0b\0"), ("0b 00 00 00", b"\x0b\0\0\0"), ("0b", b"0b"),
        ("OSRELEASE=", b"OSRELEASE="), ("\\x00A", b"\0A"), ("no hex", b"no hex"), ("zz zz", b"zz zz"),
    ],
)  # fmt: skip
def test_valid_patterns(typed: str, pattern: bytes) -> None:
    assert pattern_of(typed) == pattern


@pytest.mark.parametrize("typed", ["", "  ", "0x123", "0xzz", "é", "\\q"])
def test_invalid_patterns(typed: str) -> None:
    with pytest.raises(EditError):
        pattern_of(typed)


@pytest.mark.parametrize("chunk", [7, 16, 4 << 20])
def test_every_occurrence_is_found_in_order(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CHUNK", chunk)
    document = opened(elf((cpus() + note(),), (Load(0, b"VMCOREINFO" + ram(512) + b"VMCOREINFO"),), qemu=True))
    document.edit(Edit.of(edit_text.set_key, b"NEW", b"VMCOREINFO"))
    data = document.read(0, document.layout.image.size)
    hits, at = [], find(document, b"VMCOREINFO")
    while at is not None:
        hits.append(at)
        at = find(document, b"VMCOREINFO", at + 1)
    assert hits == [n for n in range(len(data)) if data.startswith(b"VMCOREINFO", n)] and len(hits) == 4
    assert find(document, b"not there") is None
    back, at = [], search.search_back(document, b"VMCOREINFO", len(data), lambda _: True)
    while at is not None:
        back.append(at)
        at = search.search_back(document, b"VMCOREINFO", at, lambda _: True)
    assert back == hits[::-1] and search.search_back(document, b"not there", len(data), lambda _: True) is None


def test_holes_are_not_read_and_it_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(elf((note(),), (Load(0, b""),)))
        file.truncate(1 << 40)
        file.seek((1 << 40) - 8)
        file.write(b"needle")
    document = open_document(str(path))
    seen: list[int] = []
    assert find(document, b"needle", 0, lambda at: seen.append(at) or True) == (1 << 40) - 8  # type: ignore[func-returns-value]
    assert len(seen) < 10
    assert find(document, b"\0needle") == (1 << 40) - 9, "a pattern that begins in a hole"
    assert find(document, b"needle", 0, lambda _: False) is None
    assert search.search_back(document, b"VMCOREINFO\0", 1 << 40, lambda at: seen.append(at) or True) is not None  # type: ignore[func-returns-value]
    assert len(seen) < 100
    assert search.search_back(document, b"\0needle", 1 << 40, lambda _: True) == (1 << 40) - 9
    assert search.search_back(document, b"needle", 1 << 40, lambda _: False) is None
