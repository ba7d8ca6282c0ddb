"""Test that mutants are equal in every run, and that only mutations change bytes."""

from __future__ import annotations

import hashlib
import random
from itertools import islice

import pytest

from tests.dumps.elf_shape import take_apart
from tests.paths import SAMPLES
from tests.real.agreement.bases import any_base
from tests.real.agreement.mutator import mutant, mutants

_WHOLE_GUESTS = ("amd64-cut-note.elf", "amd64-note.elf-win4k", "i386flash-nonote.elf-win16k",
                 "ppc64el-nonote.elf-win16k", "s390x-cut-note.elf", "x86_64-smp16.elf")  # fmt: skip


@pytest.mark.parametrize("name", _WHOLE_GUESTS)
def test_undamaged_parts_keep_their_bytes(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    assert take_apart(data).bytes(random.Random(0)) == data


def test_a_seed_gives_the_same_dumps() -> None:
    first = list(mutants("here", 40))
    assert first == list(islice(mutants("here", 1000), 40))
    assert first[17] == mutant("here", 17)
    assert first[17].name == "here-17"
    assert first != list(mutants("there", 40))


def test_the_mutants_differ() -> None:
    some = list(mutants("many", 400))
    assert len({hashlib.sha256(m.data).digest() for m in some}) > 380
    kinds = {done.partition(":")[0] for m in some for done in m.what[1:]}
    assert len(kinds) > 55
    assert {len(m.what) - 1 for m in some} == {0, 1, 2, 3}
    assert {(m.data[4], m.data[5]) for m in some if m.data[:4] == b"\x7fELF"} >= {(1, 1), (2, 1), (2, 2)}


def test_a_base_is_not_changed_by_its_mutants() -> None:
    bases = [any_base(random.Random(n))[1].bytes(random.Random(0)) for n in range(60)]
    list(mutants("other", 60))
    assert bases == [any_base(random.Random(n))[1].bytes(random.Random(0)) for n in range(60)]
