"""Test each available QEMU against the rules of its version: recorded cases through `predict`, fresh ones as well.

`VMCI_VERSIONS` names a folder with unpacked releases, by default `.versions`: `NAME/run/qemu-system-x86_64` and so on.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.paths import DATA, ROOT
from tests.real import readers
from tests.real.test_ask import agree
from vmci_tui.formats.entry_writes_json import history_of
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT
from vmci_tui.qemu.prediction import predict
from vmci_tui.qemu.targets import TARGETS, QemuTarget, program_of

_CASES = DATA / "qemu-cases.jsonl.gz"
_SEED = 20261130
_RAM = 64 << 20
"""Bytes; the recorded notes are below."""
_FRESH = 340
"""Cases for each of the six targets: 2,040 a version."""
_FOLDER = Path(os.environ.get("VMCI_VERSIONS", ROOT / ".versions"))
_RELEASES = (
    sorted({path.parent.resolve() for path in Path(_FOLDER).glob("*/run/qemu-system-x86_64")}) if _FOLDER else []
)
_OFF = {"offset": 0, "length": 16, "bytes": "00" * 16}
"""The write by which a guest withdraws its note, so that no case inherits the note of the one before."""


def _recorded(name: str) -> list[dict[str, Any]]:
    """Return the recorded cases of a target in which the guest writes."""
    with gzip.open(_CASES) as lines:
        cases = [case for line in lines if (case := json.loads(line))["id"].startswith(f"{name}:")]
    return [{**case, "write": [_OFF, case["write"]], "entry": None} for case in cases if case["write"]]


def _hold(target: QemuTarget, program: str, cases: list[dict[str, Any]]) -> Counter[str]:
    """Do the writes of cases, compare QEMU's results with those of `predict`, and return the count of each answer."""
    from vmci_tui.qemu.ask import rules_of
    from vmci_tui.qemu.machine import QemuMachine

    seen: Counter[str] = Counter()
    with QemuMachine(target, program, _RAM, seconds=600) as machine:
        for case in cases:
            history, region = history_of(case["write"]), bytes.fromhex(case["region"])
            paddr, size = history.entry.paddr, history.entry.size
            machine.write(*history.writes)
            machine.put(paddr, region)
            # Where the guest has no RAM, or a device, the bytes are others.
            there = machine.read(paddr, size) if 12 <= size <= SIZE_LIMIT else b""
            output = machine.dump()
            machine.put(paddr, bytes(len(region)))
            line = json.dumps({**case, "region": there.rstrip(b"\0").hex()}).encode()
            predicted = json.loads(predict(line, 1, rules_of(machine.version)))
            appended = output.appended
            assert predicted == {
                "id": case["id"],
                "warnings": list(output.warnings),
                "appended_length": len(appended or b""),
                "appended_sha256": None if appended is None else sha256(appended).hexdigest(),
                "phys_base": hex(output.phys_base),
            }, machine.version
            seen[output.warnings[0].split(":")[0] if output.warnings else "appended"] += 1
    return seen


@pytest.mark.parametrize("name", TARGETS)
def test_a_slice_of_the_recorded_cases_agrees(name: str) -> None:
    readers.need(TARGETS[name].program)
    cases = list(islice(_recorded(name), 0, None, 25))
    assert _hold(TARGETS[name], program_of(TARGETS[name]), cases).total() == len(cases) >= 20


@pytest.mark.long
@pytest.mark.parametrize("folder", _RELEASES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("name", TARGETS)
def test_recorded_and_fresh_cases_agree_with_a_release(name: str, folder: Path) -> None:
    target = TARGETS[name]
    program, cases = str(folder / target.program), _recorded(name)
    assert _hold(target, program, cases).total() == len(cases) > 500
    assert agree(name, _FRESH, _SEED, program).total() == _FRESH
