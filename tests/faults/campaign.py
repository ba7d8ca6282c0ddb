"""Runs cases of the mutator in a process of its own, whose memory and time are bounded.

    python -m tests.faults.campaign FOLDER SEED FIRST COUNT [CASE_SECONDS [MIB]]

prints figures as JSON; a case that fails ends it with its number, which is enough to have it again.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import Counter
from random import Random

from tests.faults.exercise import exercise, time_limit
from tests.faults.mutate import Case, case


def write_case(folder: str, item: Case) -> tuple[str, str | None]:
    """The case as files, the same ones each time; their names."""
    path = os.path.join(folder, "case.write.json" if item.kind == "writes" else "case")
    blob = None if item.blob is None else os.path.join(folder, "case.blob")
    for name, data in ((path, item.data), (blob, item.blob)):
        if name is not None and data is not None:
            with open(name, "wb") as file:
                file.write(data)
    return path, blob


def _peak() -> int:
    """The most KiB that were resident. (ru_maxrss would count those of whoever started this process.)"""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def main(folder: str, seed: int, first: int, count: int, seconds: float = 2.0, mib: int = 512) -> int:
    """Run `count` cases from `first` on; 1 and the case's number at the first that fails."""
    resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
    seen: Counter[str] = Counter()
    slowest = (0.0, first)
    start = time.monotonic()
    for number in range(first, first + count):
        begin = time.monotonic()
        try:
            with time_limit(seconds):
                exercise(*write_case(folder, case(seed, number)), Random(number), seen)
        except BaseException:
            print(f"case {number} of seed {seed} failed", file=sys.stderr)
            raise
        slowest = max(slowest, (time.monotonic() - begin, number))
    figures = {
        "cases": count,
        "seconds": round(time.monotonic() - start, 1),
        "max_rss_mib": _peak() >> 10,
        "slowest_ms": round(slowest[0] * 1000),
        "slowest_case": slowest[1],
        "seen": dict(sorted(seen.items())),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    where, *numbers = sys.argv[1:]
    raise SystemExit(main(where, *(int(number) for number in numbers)))
