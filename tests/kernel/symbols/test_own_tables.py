"""Test where a kernel's own page tables say that its image is, in pages that are made for the test."""

from __future__ import annotations

import struct

import pytest

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Spent
from vmci_tui.containers.guest import Guest, raw_guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.image.own_tables import shift_by_tables
from vmci_tui.kernel.image.places import Place
from vmci_tui.layers.file import BytesSource

_RAM, _CODE, _DATA, _END = 0x40000000, 0x40200000, 0x40600000, 0x40800000
_PLACE = Place(_DATA, b"Linux version 6.1.0 (x) #1", None)
_START = 0xFFFFB7B4BDA00000
_LAST = _START + 0x3FFFFF


def _guest(order: ByteOrder, *roots: tuple[int, int]) -> Guest:
    """Return memory with tables of three levels of 4 KiB pages and 39 bits; `roots`: where one is and maps the code."""
    memory = bytearray(_END - _RAM)

    def put(table: int, index: int, entry: int) -> None:
        at = table - _RAM + 8 * index
        memory[at : at + 8] = struct.pack("<Q" if order == "little" else ">Q", entry)

    for root, code in roots:
        middle = root + 0x1000
        put(root, _START >> 30 & 511, middle | 3)
        for block in range(2):  # of 2 MiB
            put(middle, (_START >> 21 & 511) + block, (code + (block << 21)) | 1)
    return raw_guest(BytesSource(bytes(memory)), _RAM)


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_image_is_where_tables_in_it_map_its_code(order: ByteOrder) -> None:
    guest = _guest(order, (_DATA + 0x5000, _CODE))
    assert shift_by_tables(guest, _PLACE, _START, _LAST, order, Budget()) == _START - _CODE
    twice = _guest(order, (_DATA + 0x5000, _CODE), (_DATA + 0x9000, _CODE))
    assert shift_by_tables(twice, _PLACE, _START, _LAST, order, Budget()) == _START - _CODE


@pytest.mark.parametrize(
    "roots",
    [
        [],
        [(_CODE + 0x5000, _CODE)],  # before the read-only data
        [(_DATA + 0x5000, _DATA)],  # the code would be after it
        [(_DATA + 0x5000, _CODE), (_DATA + 0x9000, _CODE - 0x200000)],  # at two places
    ],
    ids=["none", "elsewhere", "data", "two"],
)
def test_tables_that_do_not_map_the_code_before_the_data_say_nothing(roots: list[tuple[int, int]]) -> None:
    assert shift_by_tables(_guest("little", *roots), _PLACE, _START, _LAST, "little", Budget()) is None


def test_tables_that_map_only_the_start_of_the_code_say_nothing() -> None:
    guest = _guest("little", (_DATA + 0x5000, _CODE))
    assert shift_by_tables(guest, _PLACE, _START, _LAST + 0x200000, "little", Budget()) is None


def test_a_dump_full_of_what_may_be_tables_is_given_up() -> None:
    memory = struct.pack("<Q", _CODE | 3) * 0x10000
    with pytest.raises(Spent):
        shift_by_tables(raw_guest(BytesSource(memory), _DATA), _PLACE, _START, _LAST, "little", Budget(64))
