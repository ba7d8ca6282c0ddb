from __future__ import annotations

import json

import pytest

from vmci_tui.core import writes
from vmci_tui.core.entry import EntryHistory, Write
from vmci_tui.core.errors import OpenError

_ONE = {"offset": 0, "length": 2, "bytes": "0100"}


def parse(value: object) -> EntryHistory:
    return writes.parse(json.dumps(value).encode())


def test_one_write_a_list_null_and_a_line_of_cases() -> None:
    one = (Write(0, 2, b"\x01\0"),)
    assert parse(_ONE).writes == parse([_ONE]).writes == parse({"id": "x", "write": _ONE}).writes == one
    assert parse(None).writes == parse({"write": None}).writes == parse([]).writes == ()
    assert parse({"offset": 0, "length": 16, "bytes": None}).writes == (Write(0, 16, None),)
    assert parse(_ONE).origin == "writes"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"text"', "write 1 is not an object"),
        (b"[null, 7]", "write 2 is not an object"),
        (b"{}", "no offset"),
        (b'{"offset": -1, "length": 0, "bytes": ""}', "no offset"),
        (b'{"offset": true, "length": 0, "bytes": ""}', "no offset"),
        (b'{"offset": 0, "length": 4294967296, "bytes": ""}', "no length"),
        (b'{"offset": 0, "length": 1.5, "bytes": ""}', "no length"),
        (b'{"offset": 0, "length": 2, "bytes": "zz"}', "not hex digits"),
        (b'{"offset": 0, "length": 2}', "not hex digits"),
        (b'{"offset": 0, "length": 3, "bytes": "0000"}', "says length 3 and has 2"),
        (b"[" + b"null," * 10_000 + b"null]", "more than 10000"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data: bytes, why: str) -> None:
    with pytest.raises(OpenError, match=why) as error:
        writes.parse(data)
    assert "\n" not in str(error.value)
