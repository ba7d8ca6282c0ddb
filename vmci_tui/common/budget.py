"""Bound the work of a judgement or a proof: count its steps, and let it be stopped from outside.

Each loop has its own bound. This is the backstop: bytes of a dump may make any loop longer than
its author expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.common.errors import Cancelled, Spent

STEPS: Final = 1 << 19
"""Steps of one reader's model, or of one proof; real dumps take less than a thousandth of it."""
_STEP: Final = 1 << 16
"""Bytes that are read in one step."""
_RECORD: Final = 1 << 12
"""Bytes of a record of a flattened file that are followed in one step: QEMU's have 16 KiB at most."""
_MOST_RECORDS: Final = 1 << 22
_LARGE: Final = 1 << 30


def _never() -> bool:
    return False


class Budget:
    """The remaining steps. `stopped` is called at each step, so it must be quick."""

    def __init__(self, steps: int = STEPS, stopped: Callable[[], bool] = _never) -> None:
        self._steps = self._given = self._left = steps
        self._stopped = stopped

    def refill(self, size: int = 0) -> Budget:
        """Start the next task with all steps, and more for a file of `size` bytes: a large one may be all records."""
        self._given = self._left = self._steps + (min(size // _RECORD, _MOST_RECORDS) if size > _LARGE else 0)
        return self

    def spend(self, length: int = 0) -> None:
        """Count one step, and the steps for reading `length` bytes. Raises Spent and Cancelled."""
        if self._stopped():
            raise Cancelled("stopped")
        self._left -= 1 + length // _STEP
        if self._left < 0:
            raise Spent(f"given up after {self._given} steps")
