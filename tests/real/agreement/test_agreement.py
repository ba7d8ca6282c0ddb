"""Compare every reader's predicted verdict with the installed program, over damaged dumps.

A seeded slice in every run, the whole with `-m long`. VMCI_AGREEMENT names a file to which
the table is added. `python -m tests.real.agreement` looks at single mutants.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.real import readers
from tests.real.agreement.comparison import FIELDS, Tally, hold
from tests.real.agreement.mutator import mutants
from tests.real.agreement.oracle import READERS, Oracle

_SLICE = ("slice", 120)
_WHOLE = ("whole", 2000)
_AGREE = 0.995
_EACH_WAY = 0.30


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    for program in ("crash", "drgn", "makedumpfile", "readelf", "eu-readelf", "stdbuf"):
        readers.need(program)
    with Oracle() as oracle:
        yield oracle


def _held(tally: Tally) -> None:
    """Compare, print the table, and fail with the disagreements."""
    print(tally.table())
    if path := os.environ.get("VMCI_AGREEMENT"):
        with open(path, "a") as file:
            file.write(tally.table() + "\n")
    told = "\n".join([tally.table(), *map(str, tally.disagreements[:60])])
    for name in READERS:
        for field in FIELDS:
            assert tally.agreement(name, field) >= _AGREE, told
        assert _EACH_WAY <= tally.share_accepted(name) <= 1 - _EACH_WAY, told


def test_a_slice(oracle: Oracle) -> None:
    _held(hold(mutants(*_SLICE), oracle))


@pytest.mark.long
def test_the_whole(oracle: Oracle) -> None:
    _held(hold(mutants(*_WHOLE), oracle))
