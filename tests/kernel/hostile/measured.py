"""Measure the processor time and the memory of a call."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Final

SECONDS: Final = 6.0
"""The most processor time of one reading: twice what is wanted, for a machine that is busy or slow."""


def seconds(call: Callable[[], object]) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def mebibytes(call: Callable[[], object]) -> float:
    """Return the most memory that Python had for a call, in MiB above what it had before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()
