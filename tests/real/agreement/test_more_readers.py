"""Compare the verdicts of gdb with the installed program, over damaged dumps: a seeded slice, more with `-m long`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real import readers
from tests.real.agreement.comparison import hold
from tests.real.agreement.mutator import mutants
from tests.real.agreement.oracle import Oracle


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    readers.need("gdb")
    with Oracle(("gdb",)) as oracle:
        yield oracle


@pytest.mark.parametrize("count", [60, pytest.param(1500, marks=pytest.mark.long)])
def test_gdb_does_as_predicted(oracle: Oracle, count: int) -> None:
    tally = hold(mutants("more", count), oracle)
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements[:60]))
    assert 0.1 <= tally.share_accepted("gdb") <= 0.9
