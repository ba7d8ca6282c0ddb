"""Test types that are made to take time: many headers, structs of many members within each other, one name for all."""

from __future__ import annotations

import struct

import pytest

from tests.kernel.hostile.measured import SECONDS, mebibytes, seconds
from tests.kernel.hostile.test_made_symbols import MIB, guest_with, table_of
from tests.kernel.test_lines import kernel_with
from vmci_tui.common.errors import Spent
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.types.btf import Btf, Kind, read_btf
from vmci_tui.kernel.types.sections import BtfError

_TEXTS = b"\0deep\0a\0"
_MOST = 0xFFFF


def _header(types: int, texts: int) -> bytes:
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, types, types, texts)


def _btf(types: bytes, texts: bytes = _TEXTS) -> Btf:
    return read_btf(_header(len(types), len(texts)) + types + texts, "little", 8)


def _struct(count: int, member: int, name: int = 1) -> bytes:
    return struct.pack("<III", name, Kind.STRUCT << 24 | count, 8) + struct.pack("<III", 0, member, 0) * count


def _given_up(types: Btf, path: bytes) -> None:
    with pytest.raises(Spent):
        while True:
            for number in types.ids(b"deep"):
                types.member(number, path)


def test_members_of_large_structs_are_given_up() -> None:
    """Forty structs of 65,535 unnamed members, all of the next struct."""
    types = _btf(b"".join(_struct(_MOST, number + 2) for number in range(40)))
    assert seconds(lambda: _given_up(types, b"none")) < SECONDS


def test_of_a_hundred_thousand_types_of_one_name_the_first_are_known() -> None:
    types = _btf(_struct(0, 0) * 100_000)
    assert types.ids(b"deep") == list(range(1, 65))
    assert seconds(lambda: _given_up(types, b"a" + b".a" * 1000)) < SECONDS


def test_of_four_million_enumerators_of_one_name_few_are_kept() -> None:
    one = struct.pack("<III", 0, Kind.ENUM << 24 | _MOST, 4)
    one += b"".join(struct.pack("<II", 6, number) for number in range(_MOST))
    types = _btf(one * 3)
    found: list[int] = []
    assert mebibytes(lambda: found.extend(types.enumerators(b"a"))) < 10
    assert len(found) == 64
    many = _btf(one * 60)
    assert seconds(lambda: many.enumerators(b"a")) < SECONDS


def test_names_within_names_take_little_memory() -> None:
    """Each of 600,000 types has a name of its own, which begins within that of another."""
    texts = b"\0" + bytes(1 + number % 250 for number in range(600_000)) + b"\0"
    records = b"".join(struct.pack("<III", 1 + at, Kind.STRUCT << 24, 0) for at in range(600_000))
    types = _btf(records, texts)
    assert mebibytes(lambda: types.ids(b"deep")) < 100


def test_too_many_types_or_too_large_ones_are_refused() -> None:
    with pytest.raises(BtfError, match="end within"):
        _btf(_struct(0, 0) * ((1 << 20) + 1))
    with pytest.raises(BtfError, match="larger than"):
        _btf(_struct(0, 0), bytes((32 << 20) + 1))


def _found(memory: bytes | bytearray) -> RunningKernel:
    kernel = running_kernel(guest_with(memory), None)
    assert isinstance(kernel, RunningKernel)
    return kernel


def _image(headers: bytes) -> bytearray:
    return table_of(3000, 8, 1) + headers


def test_headers_of_types_everywhere_are_given_up() -> None:
    """Each is whole: the types after it are 20 MiB of structs, without `list_head`."""
    at_first = _header(20 * MIB // 12 * 12 // 2, 64)
    image = _image(at_first * (4 * MIB // len(at_first)) + _struct(0, 0) * (20 * MIB // 12))
    kernels: list[RunningKernel] = []
    assert seconds(lambda: kernels.append(_found(image))) < SECONDS
    assert kernels[0].types is None
    wrong = _image(_header(1 << 31, 1 << 31)[:8] * (20 * MIB // 8))
    assert seconds(lambda: kernels.append(_found(wrong))) < SECONDS


def test_types_after_a_false_header_are_found() -> None:
    body, texts = _struct(0, 0), b"\0list_head\0"
    true = _header(len(body), len(texts)) + body + texts
    types = _found(_image(_header(8, 8) * 3 + true)).types
    assert types is not None and types.ids(b"list_head") == [1]


def test_a_line_whose_types_take_too_long_is_unknown_with_the_reason() -> None:
    types = _btf(b"".join(_struct(_MOST, number + 2) for number in range(40)))
    text = Vmcoreinfo(b"OFFSET(deep.none)=0\n" * 40 + b"PAGESIZE=4096\n")
    lines = prove_lines(kernel_with(types=types), text)
    assert [line.verdict for line in lines] == ["unknown"] * 40 + ["confirmed"]
    assert "take too long" in lines[39].why
