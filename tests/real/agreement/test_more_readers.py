"""Compare the verdicts of gdb and volatility3 with the installed programs, over damaged dumps.

gdb: a seeded slice, more with `-m long`; volatility3, which takes a second a dump, only with `-m long`.
"""

from __future__ import annotations

import shutil

import pytest

from tests.real import readers
from tests.real.agreement.comparison import hold
from tests.real.agreement.mutator import mutants
from tests.real.agreement.oracle import Oracle


def _held(name: str, program: str, count: int) -> None:
    readers.need(program)
    with Oracle((name,)) as oracle:
        tally = hold(mutants("more", count), oracle)
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements[:60]))
    assert 0.1 <= tally.share_accepted(name) <= 0.9


@pytest.mark.parametrize("count", [60, pytest.param(1500, marks=pytest.mark.long)])
def test_gdb_does_as_predicted(count: int) -> None:
    _held("gdb", "gdb", count)


@pytest.mark.long
def test_volatility3_does_as_predicted() -> None:
    if shutil.which("vol") is None:  # in CI too: it is not in Debian
        pytest.skip("volatility3 is not installed")
    _held("volatility3", "vol", 200)
