"""The note that a kernel's variables name, wherever they are in the parts of memory that are read."""

from __future__ import annotations

import struct

import pytest

from tests.dumps.factory import TEXT_64, note
from tests.search.test_find_notes import guest_with
from vmci_tui.containers.guest import Guest
from vmci_tui.search.by_variables import note_by_variables

_MAP = 0xFFFF_8000_0000_0000
_NOTE, _TEXT, _BSS, _PART = 0x1000, 0x3000, 0x10000, 0x1000
"""Where they are in memory, and how long a part of .bss is."""
_SIZE = len(TEXT_64)
_FORWARDS = [range(at, at + _PART) for at in range(_BSS, _BSS + 4 * _PART, _PART)]


def _guest(variables: int, *words: int, text: bytes = TEXT_64) -> Guest:
    """Return memory with a note, its text, and `words` at an address."""
    packed = struct.pack(f"<{len(words)}Q", *words)
    guest = guest_with((_NOTE, note(TEXT_64)), (_TEXT, text), (variables, packed))
    return guest._replace(translate=lambda address: address - _MAP if address >= _MAP else None)


@pytest.mark.parametrize("parts", [_FORWARDS, _FORWARDS[::-1]], ids=["forwards", "backwards"])
@pytest.mark.parametrize("at", [_BSS, _BSS + _PART - 24, _BSS + _PART - 16, _BSS + _PART - 8, _BSS + 4 * _PART - 24])
def test_variables_anywhere(at: int, parts: list[range]) -> None:
    found = note_by_variables(_guest(at, _MAP + _NOTE, _SIZE, _MAP + _TEXT), parts)
    assert found is not None and found.paddr == _NOTE


@pytest.mark.parametrize(
    "words",
    [
        (_SIZE, _MAP + _TEXT, _MAP + _NOTE),
        (_MAP + _NOTE, *[0] * 14, _SIZE, _MAP + _TEXT),
        (_SIZE, _MAP + _TEXT, *[0] * 15, _MAP + _NOTE),
        (3000, _MAP, 3000, _MAP + 0x5000, _MAP + 0x6000, _MAP + _NOTE, _SIZE, _MAP + _TEXT),
    ],
)
def test_the_order_of_the_variables_is_the_compilers(words: tuple[int, ...]) -> None:
    found = note_by_variables(_guest(_BSS + 512, *words), _FORWARDS)
    assert found is not None and found.paddr == _NOTE


@pytest.mark.parametrize(
    "words",
    [
        (),
        (_MAP + _NOTE, _SIZE + 1, _MAP + _TEXT),
        (_MAP + _NOTE, _SIZE, _MAP + _NOTE),
        (_MAP + _NOTE + 8, _SIZE, _MAP + _TEXT),
        (_MAP + _TEXT, _SIZE, _MAP + _NOTE),
        (_NOTE, _SIZE, _TEXT),
        (_MAP + _NOTE, *[0] * 32, _SIZE, _MAP + _TEXT),
    ],
)
def test_other_words_name_none(words: tuple[int, ...]) -> None:
    assert note_by_variables(_guest(_BSS + 512, *words), _FORWARDS) is None


def test_a_page_with_another_text() -> None:
    other = TEXT_64.replace(b"6.1.0", b"6.1.1")
    guest = _guest(_BSS + 512, _MAP + _NOTE, _SIZE, _MAP + _TEXT, text=other)
    assert note_by_variables(guest, _FORWARDS) is None


def test_hostile_words_are_followed_64_times_at_most() -> None:
    asked = list[int]()
    words = [word for at in range(2000) for word in (_SIZE, _MAP + at * 4096)]
    guest = _guest(_BSS, *words)._replace(translate=asked.append)
    assert note_by_variables(guest, _FORWARDS) is None and len(asked) <= 64
