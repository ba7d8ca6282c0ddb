"""What a defect is: one way to bring about one finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.bench.parts import Parts

ALL: Final = ("x86_64", "i386", "aarch64", "s390x")
LITTLE: Final = ("x86_64", "i386", "aarch64")
"""Little-endian, so that more readers come to the text; for these QEMU has a vmcoreinfo device."""
X86_64: Final = ("x86_64",)
AARCH64: Final = ("aarch64",)


class Defect(NamedTuple):
    """One way to bring about one finding; applied to parts that may have other defects already."""

    code: str
    name: str
    """Its own among all defects; what `vmci craft --defect` takes besides the code."""
    does: str
    """What is done to the good dump, in one line."""
    apply: Callable[[Parts], Parts]
    machines: tuple[str, ...] = ALL
    """The guests on which it can be made; the first is the one that is taken unless another is asked for."""
    beside: tuple[str, ...] = ()
    """Codes of findings that cannot be had without: another side of the same fault."""
