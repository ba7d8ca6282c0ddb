"""Test that mutants of kdump files are many, equal in every run, and unchanged where not damaged."""

from __future__ import annotations

import gzip
import hashlib
import random

from tests.real.agreement.kdump_bases import _CASES, _FILES, base, real_packed
from tests.real.agreement.kdump_mutations import kdump_mutant, kdump_mutants


def test_undamaged_parts_keep_their_bytes() -> None:
    raw = gzip.decompress((_FILES / "i386-packed.kdump.gz").read_bytes())
    assert real_packed().bytes(random.Random(0)) == raw


def test_a_seed_gives_the_same_files() -> None:
    first = list(kdump_mutants("here", 30))
    assert first == list(kdump_mutants("here", 30))
    assert first[17] == kdump_mutant("here", 17)
    assert first != list(kdump_mutants("there", 30))


def test_the_mutants_differ() -> None:
    some = list(kdump_mutants("many", 400))
    assert len({hashlib.sha256(m.data).digest() for m in some}) > 360
    kinds = {done.partition(":")[0] for m in some for done in m.what[1:]}
    assert len(kinds) > 30
    assert {m.what[0] for m in some} >= set(_CASES)
    assert 0.25 < sum("flattened" in m.what or "real" in m.what[0] for m in some) / len(some) < 0.5


def test_a_base_is_not_changed_by_its_mutants() -> None:
    before = {name: base(name).bytes(random.Random(0)) for name in _CASES}
    list(kdump_mutants("other", 100))
    assert before == {name: base(name).bytes(random.Random(0)) for name in _CASES}
