"""Hold what vmci says of booted guests with several kernels in memory to what the one that is wanted said of itself.

`VMCI_GUESTS` names the folder of guests, which boot/several.py has filled; see boot/README.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.real.booted.guest import FOLDER

_DUMPS = sorted(FOLDER.glob("*/several/*.elf")) if FOLDER else []
pytestmark = [
    pytest.mark.long,
    pytest.mark.parametrize("dump", _DUMPS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}"),
]


def _json(command: str, dump: Path, *words: str) -> Any:
    run = [sys.executable, "-m", "vmci_tui", command, str(dump), *words, "--json"]
    done = subprocess.run(run, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def _said(dump: Path, what: str) -> int:
    """Return what the wanted kernel said: the last one that booted, or the one that crashed."""
    found = re.findall(rf"TRUTH {what} (?:0x)?([0-9a-f]+)", dump.with_suffix(".serial").read_text(errors="replace"))
    return int(found[0 if "crash" in dump.name else -1], 16)


def test_the_first_candidate_is_the_note_of_the_wanted_kernel(dump: Path) -> None:
    candidates = _json("find", dump)["candidates"]
    assert candidates[0]["paddr"] == _said(dump, "vmcoreinfo") and candidates[0]["proved"]


def test_the_log_is_that_of_the_wanted_kernel(dump: Path) -> None:
    log = _json("log", dump)
    assert log["log"] and not any(record["problem"] for record in log["log"])
    assert f"{_said(dump, 'vmcoreinfo'):#x}" in log["remarks"][0]
    assert any("Kernel panic" in record["text"] for record in log["log"]) is ("crash" in dump.name)


def test_symbols_are_those_of_the_wanted_kernel_and_the_others_are_named(dump: Path) -> None:
    said = _json("symbols", dump, "_stext")
    assert said["symbols"][0]["address"] == _said(dump, "stext")
    assert said["kernel"]["why"] and said["others"]
    assert all(other["paddr"] != said["kernel"]["paddr"] for other in said["others"])


def test_no_line_of_the_wanted_note_is_contradicted(dump: Path) -> None:
    counts = _json("prove", dump)["counts"]
    assert counts["confirmed"] >= 16 and not counts["contradicted"]


def test_each_cpu_has_symbols_of_the_kernel_that_it_ran(dump: Path) -> None:
    cpus = _json("cpus", dump)["cpus"]
    inside = [cpu for cpu in cpus if cpu["where"] == "kernel"]
    assert inside and all(cpu["pc"]["symbol"] for cpu in inside)


def test_of_a_cut_is_said_what_is_said_of_the_whole(dump: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.elf"
    run = [sys.executable, "-m", "vmci_tui"]
    options = ("--mask", "--keep", "note,proof,cpus,log,symbols,types")
    subprocess.run([*run, "cut", str(dump), "-o", str(cut), *options], capture_output=True, check=True)
    for command in ("log", "cpus", "prove"):
        whole, part = (subprocess.run([*run, command, str(path)], capture_output=True) for path in (dump, cut))
        assert (whole.stdout, whole.returncode) == (part.stdout, part.returncode), command
