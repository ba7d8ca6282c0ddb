from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.formats import entry_writes_json as writes
from vmci_tui.formats.fw_cfg_entry import EntryHistory, Write

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
def test_every_error_is_one_line(data: bytes, why: str) -> None:
    with pytest.raises(OpenError, match=why) as error:
        writes.parse(data)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "value", [[], [_ONE], [_ONE, {"offset": 8, "length": 0, "bytes": ""}, {"offset": 0, "length": 16, "bytes": None}]]
)
def test_encoded_writes_are_read_again(value: object) -> None:
    history = parse(value)
    assert writes.parse(writes.encode(history)) == history


def test_writes_above_the_limit_are_not_saved() -> None:
    with pytest.raises(SaveError, match="too many for a list of writes"):
        writes.encode(EntryHistory("writes", (Write(0, 1, b"x"),) * 10_001))


@pytest.mark.parametrize("name", ["two-halves.write.json", "good.entry", "15-bytes.entry", "never-written.entry"])
@pytest.mark.parametrize("ending", [".write.json", ".json"])
def test_a_name_that_is_opened_as_writes_is_saved_as_writes(name: str, ending: str, tmp_path: Path) -> None:
    source, out = str(SAMPLES / name), str(tmp_path / f"x{ending}")
    before = open_document(source).state.entry
    assert main(["set", source, "entry.size=11", "-o", out]) == 0
    after = open_document(out).state.entry
    assert before is not None and after is not None and after.entry.size == 11
    if before.origin == "writes":
        assert after.writes[:-1] == before.writes and len(after.writes) == len(before.writes) + 1
    assert main(["new", "entry", "--size", "12", "-o", out]) == 0
    made = open_document(out).state.entry
    assert made is not None and made.entry.size == 12
