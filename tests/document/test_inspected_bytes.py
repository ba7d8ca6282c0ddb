from __future__ import annotations

import struct

from hypothesis import strategies as st

from tests.dumps.factory import Load, elf, note, ram
from tests.kit import opened
from tests.properties import given
from vmci_tui.document.byte_map import Places
from vmci_tui.document.inspected_bytes import HEAD, inspect_at, inspected_lines, numbers
from vmci_tui.formats.elf_note import ByteOrder

_ORDERS: tuple[tuple[ByteOrder, str], ...] = (("little", "<"), ("big", ">"))


@given(st.binary(max_size=20))
def test_numbers_agree_with_struct(data: bytes) -> None:
    found = {(n.width, n.order): (n.unsigned, n.signed) for n in numbers(data)}
    for width, letter in ((1, "b"), (2, "h"), (4, "i"), (8, "q")):
        for order, mark in _ORDERS:
            key = (width, None if width == 1 else order)
            if len(data) < width:
                assert key not in found
            else:
                both = (struct.unpack_from(mark + c, data)[0] for c in (letter.upper(), letter))
                assert found[key] == tuple(both)


def test_the_field_the_text_and_both_addresses() -> None:
    document = opened(elf((note(b"PAGESIZE=4096\n"),), (Load(0x1000, ram()),)))
    places = Places(document)
    data = document.read(0, places.size)
    item = inspect_at(document, places, data.index(b"4096\n") + 1)
    assert item is not None and item.paddr is None
    assert (item.field, item.offset - item.field_offset, item.field_length) == ("value of PAGESIZE", 1, 5)
    assert item.text.startswith("096\\x0a") and "byte 2 of 5" in inspected_lines(item)[1]
    memory = document.layout.memory.offset_of(0x1010)
    assert memory is not None
    item = inspect_at(document, places, memory)
    assert item is not None and item.paddr == 0x1010
    assert inspected_lines(item)[0] == f"offset {memory:#x} = {memory}   paddr 0x1010 = 4112"


def test_the_end_of_the_file_and_past_it() -> None:
    document = opened(elf((note(),)))
    places = Places(document)
    last = inspect_at(document, places, places.size - 3)
    assert last is not None and [n.width for n in last.numbers] == [1, 2, 2]
    assert inspect_at(document, places, places.size) is None and inspect_at(document, places, -1) is None


def test_the_lines_fit_a_screen_of_80_cells() -> None:
    document = opened(elf((note(),), (Load(0x1000, b"\xff" * 64),)))
    places = Places(document)
    at = document.layout.memory.offset_of(0x1000)
    assert at is not None
    item = inspect_at(document, places, at)
    assert item is not None
    lines = inspected_lines(item)
    assert len(lines) == HEAD + 7 and max(map(len, lines)) <= 78
    assert lines[-1].split() == ["64", "bit", "big", str((1 << 64) - 1), "0xffffffffffffffff", "-1"]
