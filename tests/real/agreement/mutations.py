"""Define mutations: a mutation damages a shape and returns a description."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from tests.dumps.elf_shape import Shape

Damage = Callable[[random.Random, Shape], str | None]
"""A short description of the damage; None if the mutation does not apply to this shape."""


class Mutation(NamedTuple):
    name: str
    weight: float
    damage: Damage


class Mutations:
    """One group of mutations."""

    def __init__(self) -> None:
        self.all: list[Mutation] = []

    def __call__(self, weight: float = 1.0) -> Callable[[Damage], Damage]:
        """Make the function below a mutation of the group."""

        def keep(damage: Damage) -> Damage:
            self.all.append(Mutation(damage.__name__.strip("_"), weight, damage))
            return damage

        return keep

    def apply(self, rng: random.Random, shape: Shape) -> str | None:
        mutation = rng.choices(self.all, [m.weight for m in self.all])[0]
        done = mutation.damage(rng, shape)
        return None if done is None else f"{mutation.name}: {done}"


ODD_64 = (0, 1, 2, 3, 4, 8, 63, 64, 65, 191, 192, 193, 255, 304, 4095, 4096, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000,
          0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip
"""Values at the limits of fields."""


def near(rng: random.Random, value: int) -> int:
    """Return a value close to this one, or an odd one."""
    if rng.random() < 0.6:
        return max(value + rng.choice((-4096, -64, -8, -4, -2, -1, 1, 2, 3, 4, 5, 8, 16, 64, 4096)), 0)
    return rng.choice(ODD_64)
