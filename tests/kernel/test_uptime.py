"""Test how long a kernel was up, over a timekeeper that is made for the test."""

from __future__ import annotations

import struct

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with
from vmci_tui.common.records import replace
from vmci_tui.kernel.lines.running_kernel import RunningKernel
from vmci_tui.kernel.variables.uptime import uptime_of

_AT = 0xFFFFFFFF81002000
_SECOND = 1_000_000_000
_KEEPER = {"timekeeper": (128, {"ktime_sec": 64, "offs_boot": 96, "tkr_mono.base": 48})}
_NAMED = {"tk_data": (256, {"timekeeper": 8})}
"""The struct around it has a name since 6.13."""


def _kernel(base: int, whole: int, asleep: int = 0, name: bytes = b"tk_core", named: bool = False) -> RunningKernel:
    """Return a kernel with these values in its timekeeper, which is 8 bytes after a sequence count."""
    made = bytearray(256)
    struct.pack_into("<Q", made, 8 + 48, base)
    struct.pack_into("<Q", made, 8 + 64, whole)
    struct.pack_into("<Q", made, 8 + 96, asleep)
    kernel = kernel_with(types=types_with(_KEEPER | (_NAMED if named else {})), symbols={name: _AT})
    return replace(kernel, read=lambda at, length: bytes(made[at - _AT :][:length]) if at >= _AT else None)


@pytest.mark.parametrize(("name", "named"), [(b"tk_core", False), (b"tk_core", True), (b"timekeeper_data", True)])
def test_the_uptime_has_the_time_asleep(name: bytes, named: bool) -> None:
    assert uptime_of(_kernel(62 * _SECOND + 5, 62, 10 * _SECOND, name, named)) == pytest.approx(72)


def test_nothing_is_said_of_what_is_not_a_timekeeper() -> None:
    assert uptime_of(_kernel(62 * _SECOND, 99)) is None, "its two clocks differ"
    assert uptime_of(_kernel(62 * _SECOND, 62, 1 << 63)) is None, "no kernel was up for so long"
    assert uptime_of(_kernel(62 * _SECOND, 62, name=b"other")) is None
    assert uptime_of(replace(_kernel(62 * _SECOND, 62), types=None)) is None
