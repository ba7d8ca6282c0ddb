"""Test a file that cannot be read, or changes, while it is judged: one line, never a traceback or a hang.

A slice of the campaign runs in every run; 20,000 cases of it with `-m long`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from tests.paths import ROOT

_ROOT: Final = ROOT
_SEED: Final = 32
_ALL: Final = 20_000


def _campaign(folder: Path, first: int, count: int) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    command = (sys.executable, "-m", "tests.faults.read_faults", folder, _SEED, first, count)
    done = subprocess.run(tuple(map(str, command)), cwd=_ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr[-4000:]
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_a_slice_of_the_campaign(tmp_path: Path) -> None:
    figures = _campaign(tmp_path, 0, 250)
    assert {key.partition(":")[0] for key in figures["seen"]} == {"EIO", "cut", "zeroed", "grown"}


@pytest.mark.long
def test_the_whole_campaign(tmp_path: Path) -> None:
    part = 1000
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(_campaign, tmp_path / str(n), n * part, part) for n in range(_ALL // part)]
        done = [job.result() for job in jobs]
    seen: Counter[str] = sum((Counter(figures["seen"]) for figures in done), Counter())
    assert seen.total() == _ALL, seen
    assert max(figures["slowest_ms"] for figures in done) < 10_000, done
