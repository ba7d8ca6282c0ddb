"""Test `vmci predict`, one line of output for each line of input, against 4,353 recorded cases of QEMU 7.2.22."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
from hashlib import sha256
from typing import Any

import pytest

from tests.limits import PATIENCE
from tests.paths import DATA
from vmci_tui.cli.run import main
from vmci_tui.common.errors import OpenError
from vmci_tui.formats.fw_cfg_entry import RESET
from vmci_tui.qemu.prediction import LINE_LIMIT, predict

_CASES = DATA / "qemu-cases.jsonl.gz"
_FIELDS = ["id", "warnings", "appended_length", "appended_sha256", "phys_base"]
_TEXT = b"NUMBER(phys_base)=1000\n\0"
_NOTE = b"\x0b\0\0\0" + bytes([len(_TEXT)]) + bytes(7) + b"VMCOREINFO\0\0" + _TEXT
_ENTRY = "00000100000100000010000000000000"
_GOOD = {
    "id": "x", "machine": 62, "bits": 64, "byte_order": "little",
    "write": {"offset": 0, "length": 16, "bytes": _ENTRY}, "entry": _ENTRY, "region": _NOTE.hex(),
}  # fmt: skip


def answered(case: object, version: Any = "7.2") -> dict[str, Any]:
    return json.loads(predict(json.dumps(case).encode(), 1, version))  # type: ignore[no-any-return]


def changed(**fields: object) -> dict[str, object]:
    return {**_GOOD, **fields}


def test_all_recorded_cases_through_the_command(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.decompress(_CASES.read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["predict"]) == 0
    out = capsys.readouterr().out.splitlines()
    wanted = [json.loads(line) for line in data.splitlines()]
    assert len(out) == len(wanted) == 4353
    for line, case in zip(out, wanted, strict=True):
        assert json.loads(line) == {name: case[name] for name in _FIELDS}, case["id"]


def test_the_fields_and_their_types() -> None:
    assert list(answered(_GOOD)) == _FIELDS
    assert answered(_GOOD) == {
        "id": "x", "warnings": [], "appended_length": 48, "appended_sha256": sha256(_NOTE).hexdigest(),
        "phys_base": "0x1000",
    }  # fmt: skip
    refused = answered(changed(write=None, entry=RESET.hex()))
    assert refused["appended_length"] == 0 and refused["appended_sha256"] is None
    assert answered({key: value for key, value in _GOOD.items() if key != "id"})["id"] is None


def test_a_list_of_writes_a_reset_since_and_an_entry_alone() -> None:
    full, partial = _GOOD["write"], {"offset": 4, "length": 4, "bytes": "00010000"}
    assert answered(changed(write=[full, partial], entry=None))["warnings"] == ["guest note is not present"]
    assert answered(changed(write=[partial, full]))["appended_length"] == 48
    assert answered(changed(entry=RESET.hex()))["warnings"] == ["guest note is not present"]
    failed = changed(write=[full, {"offset": 0, "length": 16, "bytes": None}], entry="00" * 16)
    assert answered(failed)["warnings"] == ["guest note size is invalid: 0"]
    alone = {key: value for key, value in _GOOD.items() if key != "write"}
    assert answered(alone)["appended_length"] == 48


def test_versions_differ_for_big_endian_guests() -> None:
    swapped = b"".join((_NOTE[3::-1], _NOTE[7:3:-1], _NOTE[8:])).hex()
    for machine, bits, region, old, new in (
        (40, 32, _NOTE.hex(), 48, 0),
        (40, 32, swapped, 0, 48),
        (183, 64, _NOTE.hex(), 48, 0),
        (183, 64, swapped, 0, 0),
        (183, 64, "", 12, 12),
    ):
        case = changed(machine=machine, bits=bits, byte_order="big", region=region)
        assert (answered(case)["appended_length"], answered(case, "10.0")["appended_length"]) == (old, new)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "`machine`"),
        (json.dumps(changed(machine=True)).encode(), "`machine`"),
        (json.dumps(changed(bits=16)).encode(), "`bits`"),
        (json.dumps(changed(byte_order=[])).encode(), "`byte_order`"),
        (json.dumps(changed(region=7)).encode(), "`region`"),
        (json.dumps(changed(region="0")).encode(), "`region`"),
        (json.dumps(changed(entry="00")).encode(), "`entry` has 1 bytes"),
        (json.dumps(changed(entry="11" * 16)).encode(), "not what the write leaves"),
        (json.dumps(changed(write=7)).encode(), "write 1"),
        (json.dumps({k: v for k, v in _GOOD.items() if k not in ("write", "entry")}).encode(), "neither"),
        (b" " * (LINE_LIMIT + 1), "more than"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_line_is_reported_by_its_number(line: bytes, words: str) -> None:
    with pytest.raises(OpenError, match=f"line 17: .*{words}"):
        predict(line, 17, "7.2")


def test_each_answer_comes_before_the_next_question_and_a_bad_line_ends_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "vmci_tui", "predict", "--qemu", "10.0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        for _ in range(3):
            process.stdin.write(json.dumps(_GOOD).encode() + b"\n\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["appended_length"] == 48
        process.stdin.write(b'{"machine": 1}\n')
        process.stdin.close()
        assert process.wait(PATIENCE) == 3 and b"vmci: line 7: " in process.stderr.read()


def test_batches_are_fast() -> None:
    lines = gzip.decompress(_CASES.read_bytes()).splitlines()
    start = time.process_time()
    for number, line in enumerate(lines):
        predict(line, number, "7.2")
    assert time.process_time() - start < 1, "100,000 lines should take a few seconds"
