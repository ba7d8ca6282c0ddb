"""Make dumps from the samples, each damaged one to three times; equal seeds give equal dumps.

The weights are such that every reader accepts at least three in ten and refuses three in
ten: what costs all of them the note is drawn apart, since readelf shows nearly anything.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.dumps.elf_shape import Shape
from tests.real.agreement.bases import any_base
from tests.real.agreement.byte_mutations import cuts, raw
from tests.real.agreement.head_mutations import head
from tests.real.agreement.note_mutations import losses, notes
from tests.real.agreement.text_mutations import text

_GROUPS = {"head": head, "notes": notes, "losses": losses, "text": text, "raw": raw, "cuts": cuts}
_LOST = {"losses": 8, "cuts": 2}
"""Groups of the first mutation of a dump that is to lose its note."""
_MILD = {"head": 7, "notes": 7, "text": 13, "raw": 5}
_LOST_SHARE = 0.25


class Mutant(NamedTuple):
    """One damaged dump."""

    name: str
    data: bytes
    what: list[str]
    """The base, and the damage."""


def mutants(seed: int | str, count: int) -> Iterator[Mutant]:
    """Return `count` mutants."""
    for number in range(count):
        yield mutant(seed, number)


def mutant(seed: int | str, number: int) -> Mutant:
    """Return the mutant of this number alone, to examine a disagreement."""
    rng = random.Random(f"{seed}/{number}")
    base, shape = any_base(rng)
    what = [base]
    wanted = rng.choices((0, 1, 2, 3), (4, 56, 27, 13))[0]
    lost = wanted > 0 and rng.random() < _LOST_SHARE
    while len(what) <= wanted:
        done = _once(rng, shape, _LOST if lost and len(what) == 1 else _MILD)
        if done is not None:
            what.append(done)
    return Mutant(f"{seed}-{number}", shape.bytes(rng), what)


def _once(rng: random.Random, shape: Shape, groups: dict[str, int]) -> str | None:
    group = rng.choices(list(groups), list(groups.values()))[0]
    return _GROUPS[group].apply(rng, shape)
