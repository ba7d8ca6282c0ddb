"""Run cases of the mutator of ELF dumps, blobs and writes by `cases`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from random import Random

from tests.faults.cases import run_part
from tests.faults.exercise import exercise
from tests.faults.mutate import Case, case


def write_case(folder: str, item: Case) -> tuple[str, str | None]:
    """Write the case as files, always the same; return their names."""
    path = os.path.join(folder, "case.write.json" if item.kind == "writes" else "case")
    blob = None if item.blob is None else os.path.join(folder, "case.blob")
    for name, data in ((path, item.data), (blob, item.blob)):
        if name is not None and data is not None:
            with open(name, "wb") as file:
                file.write(data)
    return path, blob


def one(folder: str, seed: int, number: int, seen: Counter[str]) -> None:
    """Write the case and exercise it."""
    exercise(*write_case(folder, case(seed, number)), Random(number), seen)


if __name__ == "__main__":
    raise SystemExit(run_part(sys.argv[1:], one))
