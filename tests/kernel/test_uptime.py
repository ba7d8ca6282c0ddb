"""Test how long a kernel was up, over a timekeeper that is made for the test."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with
from tests.opened_files import open_document
from vmci_tui.adoption.kernel_state import shown_kernel
from vmci_tui.common.progress import no_progress
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.types.names import Names
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


def test_the_uptime_is_not_known_if_a_type_without_a_known_name_may_say_where_it_is() -> None:
    kernel, types = _kernel(62 * _SECOND, 62), types_with(_KEEPER | {"tk_lost": (16, {})})
    known = replace(types, names=Names(types.names.texts.replace(b"tk_lost", bytes(7))))
    assert uptime_of(replace(kernel, types=types)) == pytest.approx(62)
    assert uptime_of(replace(kernel, types=known)) is None


_GUESTS = sorted(Path(os.environ["VMCI_GUESTS"]).glob("*/dumps/*.elf")) if "VMCI_GUESTS" in os.environ else []


@pytest.mark.long
@pytest.mark.skipif(not _GUESTS, reason="VMCI_GUESTS names no folder with dumps of booted guests")
@pytest.mark.parametrize("path", _GUESTS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_the_uptime_is_the_time_of_the_guests_own_log(path: Path) -> None:
    """Compare with the last line of the log: in a guest that panicked it is the last moment, else it is before."""
    with open_document(str(path)) as document:
        kernel = shown_kernel(document, no_progress)
    assert kernel is not None and kernel.state.seconds is not None
    if kernel.state.uptime is None:
        assert kernel.state.taint is None, "a kernel without symbols of its variables"
        return
    assert kernel.state.uptime > kernel.state.seconds - 1
    assert not kernel.state.panic or kernel.state.uptime < kernel.state.seconds + 1
