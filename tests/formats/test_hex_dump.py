from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.limits import time_limit
from tests.properties import given
from vmci_tui.common.errors import EditError
from vmci_tui.formats.hex_dump import PASTE_LIMIT, dump_lines, read_pasted


@given(st.binary(max_size=200), st.integers(0, 2**50))
def test_a_dump_is_read_back(data: bytes, start: int) -> None:
    lines = list(dump_lines(data, start))
    assert len(lines) == -(-len(data) // 16)
    assert [int(line.split(":")[0], 16) for line in lines] == list(range(start, start + len(data), 16))
    if data:
        assert read_pasted("\n".join(lines)) == data


def test_the_format_of_a_line() -> None:
    (line,) = dump_lines(b"VMCOREINFO\0\0\x1b[31", 0x10)
    assert line == "00000010: 56 4D 43 4F 52 45 49 4E  46 4F 00 00 1B 5B 33 31  VMCOREINFO...[31"


@pytest.mark.parametrize("text", ["000001", "00 00 01", "0x000001", "00\n00 01\n", " 0 0 0 0 0 1 "])
def test_plain_digits_are_accepted(text: str) -> None:
    assert read_pasted(text) == b"\0\0\1"


@pytest.mark.parametrize(
    "text",
    ["xyz", "123", "0000000 000001 000002\n", "00000000: 5\n", "00000000: zz  ..\n", "é",
     "00000000: 56 4D 43 4F 52 45 49 4E  46 4F\n00000020: 00"],
)  # fmt: skip
def test_other_text_is_refused_or_read_whole(text: str) -> None:
    with pytest.raises(EditError):
        read_pasted(text)


def test_a_paste_is_bounded_in_size_and_time() -> None:
    with pytest.raises(EditError, match="more than"):
        read_pasted("0" * (PASTE_LIMIT + 1))
    whole = "\n".join(dump_lines(bytes(range(256)) * 3))
    big = "\n".join(dump_lines(bytes(13_000)))
    with time_limit(5):
        assert read_pasted(whole) == bytes(range(256)) * 3
        assert len(read_pasted(big)) == 13_000


def test_a_dump_that_lacks_a_line_is_refused() -> None:
    lines = list(dump_lines(bytes(range(64)), 0x100))
    assert read_pasted("\n".join(lines)) == bytes(range(64))
    with pytest.raises(EditError):
        read_pasted("\n".join([*lines[:1], *lines[2:]]))


@pytest.mark.parametrize("data", [b" ", b"a ", b" " * 16, b" " * 17, bytes(33)])
def test_a_dump_that_ends_in_blanks_is_read_back(data: bytes) -> None:
    assert read_pasted("\n".join(dump_lines(data))) == data
