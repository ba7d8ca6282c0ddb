"""Test where a kernel's own variables say that its image is, in pages that are made for the test."""

from __future__ import annotations

import struct

import pytest

from vmci_tui.containers.guest import Guest, raw_guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.image.places import Place
from vmci_tui.kernel.symbols.own_place import own_shift
from vmci_tui.layers.file import BytesSource

_AT = 0x200000
_BANNER = b"Linux version 7.2.1 (x) #1"
_PLACE = Place(_AT, _BANNER, None)


def _guest(**words: bytes) -> Guest:
    """Return two pages at _AT: the banner is at 0xc0 and at 0x17b8; each word is at the offset of its name."""
    memory = bytearray(0x2000)
    for at in (0xC0, 0x17B8):
        memory[at : at + len(_BANNER)] = _BANNER
    for name, data in words.items():
        at = int(name.removeprefix("at_"), 16)
        memory[at : at + len(data)] = data
    return raw_guest(BytesSource(bytes(memory)), _AT)


def test_whole_addresses_are_placed_by_the_banner_that_has_their_place_in_a_page() -> None:
    values = {b"linux_banner": 0xFFFF8000817B87B8}
    assert own_shift(_guest(), _PLACE, values.get, False, "little", "aarch64") == 0xFFFF8000817B87B8 - _AT - 0x17B8
    for wrong in (0xFFFF8000817B87B9, 0xFFFF8000817B8000):
        assert own_shift(_guest(), _PLACE, {b"linux_banner": wrong}.get, False, "little", "aarch64") is None
    twice = _guest(at_7b8=_BANNER)
    assert own_shift(twice, _PLACE, values.get, False, "little", "aarch64") is None
    assert own_shift(_guest(), _PLACE, dict[bytes, int]().get, False, "little", "aarch64") is None


@pytest.mark.parametrize("kind", ["little", "big"])
def test_addresses_from_the_table_itself_are_placed_by_a_variable(kind: ByteOrder) -> None:
    prefix = "<" if kind == "little" else ">"
    values = {b"linux_banner": 0x17B8, b"kimage_voffset": 0x1000, b"kernel_map": 0x1100, b"_start": -0x100000}
    words = (0, 0xFFFFFFFF80200000, 0, _AT - 0x100000, 0x1000000, 0, 0, 0)
    guest = _guest(at_1000=struct.pack(prefix + "Q", 0xFFFF80007F000000), at_1100=struct.pack(prefix + "8Q", *words))
    assert own_shift(guest, _PLACE, values.get, True, kind, "aarch64") == 0xFFFF80007F000000
    assert own_shift(guest, _PLACE, values.get, True, kind, "riscv64") == 0xFFFFFFFF80200000 - (_AT - 0x100000)
    assert own_shift(guest, _PLACE, values.get, True, kind, "ppc64") == 0xC000000000000000
    assert own_shift(guest, _PLACE, values.get, True, kind, "x86_64") is None
    elsewhere = {**values, b"linux_banner": 0xC4}
    assert own_shift(guest, _PLACE, elsewhere.get, True, kind, "ppc64") is None
    moved = {**values, b"_start": 8}
    assert own_shift(guest, _PLACE, moved.get, True, kind, "riscv64") is None
    outside = {**values, b"kimage_voffset": 0x5000, b"kernel_map": 0x5000}
    assert own_shift(guest, _PLACE, outside.get, True, kind, "aarch64") is None
    assert own_shift(guest, _PLACE, outside.get, True, kind, "riscv64") is None
