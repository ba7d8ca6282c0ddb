"""Test memory that is made to take as much time, or memory of the machine, as a table of symbols can."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.kernel.hostile.measured import SECONDS, mebibytes, seconds
from vmci_tui.containers.guest import Guest, raw_guest
from vmci_tui.kernel.symbols.read_symbols import read_symbols
from vmci_tui.layers.file import BytesSource

_BANNER = b"Linux version 6.1 \n\0"
MIB = 1 << 20


def guest_with(memory: bytes | bytearray) -> Guest:
    """Return a guest of x86-64 whose memory this is, from paddr 0 on."""
    return raw_guest(BytesSource(bytes(memory)), 0)._replace(machine="x86_64", bits=64, order="little")


def _first_page() -> bytearray:
    return bytearray(_BANNER.rjust(0x100, b"\0").ljust(4096, b"\0"))


def _tokens(length: int = 1) -> bytes:
    """Return a token table and its index: characters, and from 0x80 on tokens of `length` characters."""
    texts = [bytes([code or 1]) if code < 0x80 else b"x" * length for code in range(256)]
    places, out = [], b""
    for text in texts:
        places.append(len(out))
        out += text + b"\0"
    return out + bytes(-len(out) % 8) + struct.pack("<256H", *places)


def _digits() -> bytearray:
    """Return what may be the digits of a token table, everywhere."""
    return _first_page() + b"".join(bytes((digit, 0)) for digit in b"0123456789") * (24 * MIB // 20)


def _banner_in_each_page() -> bytearray:
    return _first_page() * (24 * MIB // 4096)


def _banners() -> bytearray:
    return bytearray(_BANNER * (24 * MIB // len(_BANNER)))


def _runs() -> bytearray:
    """Return runs of numbers that are one too short to be markers, before many token tables."""
    run = struct.pack("<8I", *range(0, 4200, 600), 0x0FFFFFFF)
    memory = _first_page() + run * (7 * MIB // len(run))
    return memory + _tokens().ljust(4096, b"\0") * 250


def table_of(count: int, length: int, token: int) -> bytearray:
    """Return a table of `count` names of `length` codes, most of them of a token of `token` characters."""
    names, markers = bytearray(b"\x07T_stext"), [0]
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    for number in range(1, count):
        if number % 256 == 0:
            markers.append(len(names))
        own = b"T%05x" % number
        names += size + (own + b"\x80" * length)[:length]
    memory = _first_page() + struct.pack(f"<{count}i", *range(0, 16 * count, 16))
    memory += bytes(-len(memory) % 8) + struct.pack("<QQ", 0xFFFFFFFF81000000, count) + names
    memory += bytes(-len(memory) % 8) + struct.pack(f"<{len(markers)}I", *markers)
    return memory + bytes(-len(memory) % 8) + _tokens(token) + bytes(4096)


@pytest.mark.parametrize("made", [_digits, _banner_in_each_page, _banners, _runs])
def test_memory_made_to_take_time_is_given_up(made: Callable[[], bytearray]) -> None:
    guest = guest_with(made())
    found: list[object] = []
    assert seconds(lambda: found.extend(read_symbols(guest))) < SECONDS
    assert found == []


def test_a_table_of_half_a_million_names_is_read() -> None:
    guest = guest_with(table_of(1 << 19, 8, 1))
    assert [len(one.table) for one in read_symbols(guest)] == [1 << 19]
    assert read_symbols(guest_with(table_of((1 << 19) + 1, 8, 1))) == (), "one more is not a kernel's"


@pytest.mark.parametrize(("length", "token"), [(100, 250), (140, 250)])
def test_names_that_grow_when_tokens_are_put_in_are_not_a_table(length: int, token: int) -> None:
    """100,000 names of 25,000 characters would be 2.5 GB."""
    guest = guest_with(table_of(60_000, length, token))
    found: list[object] = []
    assert mebibytes(lambda: found.extend(read_symbols(guest))) < 100
    assert found == []
