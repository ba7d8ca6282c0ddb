"""Compare verdicts of crash and makedumpfile over kdump-compressed and flattened files with the installed programs.

readelf and eu-readelf, which refuse all of them, are asked too. First files made on
purpose, then damaged ones: a seeded slice in every run, the whole with `-m long`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.dumps.kdump_files import cases
from tests.real import readers
from tests.real.agreement.comparison import FIELDS, Tally, hold
from tests.real.agreement.kdump_mutations import MEMORY, kdump_mutants
from tests.real.agreement.mutator import Mutant
from tests.real.agreement.oracle import Conditions, Oracle

_READERS = ("crash", "makedumpfile", "readelf", "eu-readelf")
_AGREE = 0.995
_NATIVE = ("crash", "makedumpfile")
"""Readers of kdump files; both read only the files of their own machine."""
_EACH_WAY = 0.30
"""Least share of the files that such a reader accepts, and that it refuses."""


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    for program in ("crash", "makedumpfile", "readelf", "eu-readelf", "stdbuf", "prlimit"):
        readers.need(program)
    with Oracle(_READERS, Conditions(MEMORY)) as oracle:
        yield oracle


def _held(tally: Tally) -> None:
    """Compare, print the table, and fail with the disagreements."""
    print(tally.table())
    if path := os.environ.get("VMCI_AGREEMENT"):
        with open(path, "a") as file:
            file.write(tally.table() + "\n")
    told = "\n".join([tally.table(), *map(str, tally.disagreements[:60])])
    for name in _READERS:
        for field in FIELDS:
            assert tally.agreement(name, field) >= _AGREE, told
    for name in _NATIVE:
        assert _EACH_WAY <= tally.share_accepted(name) <= 1 - _EACH_WAY, told


def test_crafted_files(oracle: Oracle) -> None:
    tally = hold((Mutant(case.name, case.data, [case.name]) for case in cases()), oracle)
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))


def test_a_slice(oracle: Oracle) -> None:
    _held(hold(kdump_mutants("native", 100), oracle))


@pytest.mark.long
def test_the_whole(oracle: Oracle) -> None:
    _held(hold(kdump_mutants("native-whole", 1000), oracle))
