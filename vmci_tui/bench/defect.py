"""A defect: one way to cause one finding."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from vmci_tui.bench.parts import Parts
from vmci_tui.findings.catalogue import catalogue

ALL: Final = ("x86_64", "i386", "aarch64", "s390x")
LITTLE: Final = ("x86_64", "i386", "aarch64")
"""Little-endian, so more readers reach the text; QEMU has a vmcoreinfo device for these."""
X86_64: Final = ("x86_64",)
AARCH64: Final = ("aarch64",)


class Defect(NamedTuple):
    """One way to cause one finding; it is applied to parts that may already have other defects."""

    name: str
    """Unique among all defects; `vmci craft --defect` takes it as well as the code."""
    does: str
    """What is done to the good dump, in one line."""
    apply: Callable[[Parts], Parts]
    machines: tuple[str, ...] = ALL
    """The guests on which it can be made; the first is the default."""

    @property
    def code(self) -> str:
        """Return the code of the finding, by the catalogue."""
        return _crafted()[self.name][0]

    @property
    def beside(self) -> tuple[str, ...]:
        """Return the codes of findings that always come with it: another effect of the same fault."""
        return _crafted()[self.name][1]


@cache
def _crafted() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return what each defect makes by the catalogue: the code, and the codes beside it."""
    return {name: (row.code, beside) for row in catalogue().values() for name, beside in row.craft.items()}
