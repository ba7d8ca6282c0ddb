"""Run the cases of a campaign: some in a process with bounded memory and time, or all of them in many processes.

    python -m tests.faults.campaign FOLDER SEED FIRST COUNT [CASE_SECONDS [MIB]]
    python -m tests.faults.kdump_campaign FOLDER SEED FIRST COUNT [CASE_SECONDS [MIB]]

print figures as JSON. A case that fails is reported with its number, which is enough to repeat
it again, and the next one is run. `pytest -m long tests/faults` runs 100,000 of each with a process
for each processor; VMCI_CASES and VMCI_SEED set another number of cases and another seed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.limits import Hang, time_limit
from tests.paths import ROOT
from vmci_tui.common import internal_errors

SEED: Final = 20
CASE_SECONDS: Final = 10
"""Most processor seconds of a case; elapsed time would depend on other load."""
MIB: Final = 512
"""Bytes of address space of one process."""
_PART: Final = 1000
"""Cases of one process of a whole campaign: this bounds leaks, and all processors end together."""
_PART_SECONDS: Final = 3600
_TOLD: Final = 20
"""Failures whose traceback is kept; the rest are counted by kind."""

Figures = dict[str, Any]


def run_part(argv: list[str], one: Callable[[str, int, int, Counter[str]], None]) -> int:
    """Run the cases that a command line names; `one` gets the folder, the seed, the number and the counts so far."""
    folder, numbers = argv[0], [int(number) for number in argv[1:]]
    seed, first, count, seconds, mib = [*numbers, *(CASE_SECONDS, MIB)[len(numbers) - 3 :]]
    resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
    seen: Counter[str] = Counter()
    failures: list[Figures] = []
    slowest, start = (0.0, first), time.monotonic()
    for number in range(first, first + count):
        begin = time.process_time()
        internal_errors.recorded.clear()
        try:
            with time_limit(seconds):
                one(folder, seed, number, seen)
            assert not internal_errors.recorded, internal_errors.recorded  # one caught at an edge is a failure too
        except (Exception, Hang) as error:
            failures.append({"case": number, "seed": seed, "kind": _kind(error), "traceback": traceback.format_exc()})
        slowest = max(slowest, (time.process_time() - begin, number))
    figures = {
        "cases": count,
        "seconds": round(time.monotonic() - start, 1),
        "max_rss_mib": _peak() >> 10,
        "slowest_ms": round(slowest[0] * 1000),
        "slowest_case": slowest[1],
        "failures": failures,
        "seen": seen,
    }
    print(json.dumps(figures))
    return 0


def part(module: str, folder: Path, first: int, count: int, seed: int = SEED) -> Figures:
    """Return the figures of some cases, run in their own process; if it dies, its first case failed."""
    folder.mkdir(exist_ok=True)
    command = (sys.executable, "-m", f"tests.faults.{module}", folder, seed, first, count, CASE_SECONDS, MIB)
    done = subprocess.run(
        tuple(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=_PART_SECONDS, check=False
    )
    if done.returncode == 0:
        figures: Figures = json.loads(done.stdout)
        return figures
    died = {"case": first, "seed": seed, "kind": f"exit code {done.returncode}", "traceback": done.stderr[-4000:]}
    nothing = dict.fromkeys(("cases", "seconds", "max_rss_mib", "slowest_ms", "slowest_case"), 0)
    return nothing | {"failures": [died], "seen": {}}


def whole(module: str, folder: Path) -> Figures:
    """Return and print the figures of all cases of a campaign, with a process for each available processor."""
    count, seed = int(os.environ.get("VMCI_CASES", "100000")), int(os.environ.get("VMCI_SEED", str(SEED)))
    start = time.monotonic()

    def run(first: int) -> Figures:
        return part(module, folder / str(first), first, min(_PART, count - first), seed)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        done = list(pool.map(run, range(0, count, _PART)))
    slowest = max(done, key=lambda figures: int(figures["slowest_ms"]))
    failures = list(chain.from_iterable(figures["failures"] for figures in done))
    out = {
        "cases": sum(figures["cases"] for figures in done),
        "seed": seed,
        "seconds": round(time.monotonic() - start),
        "max_rss_mib": max(figures["max_rss_mib"] for figures in done),
        "slowest_ms": slowest["slowest_ms"],
        "slowest_case": slowest["slowest_case"],
        "failed": Counter(failure["kind"] for failure in failures),
        "seen": sum((Counter(figures["seen"]) for figures in done), Counter()),
    }
    print(json.dumps(out, indent=1))
    for failure in failures[:_TOLD]:
        print(f"case {failure['case']} of seed {failure['seed']}: {failure['traceback']}")
    return out | {"failures": failures}


def _kind(error: BaseException) -> str:
    """Return the exception and where it was raised, by which failures are grouped."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} {last.name}"


def _peak() -> int:
    """Return the peak resident KiB. (ru_maxrss would include the parent process.)"""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
