"""Record by which names the types of a kernel answer: those that a cut keeps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from vmci_tui.cutting.recorder import Part
from vmci_tui.kernel.types.names import Names
from vmci_tui.layers.range_table import joined


class AskedNames(Names):
    """Names that record what is asked of them, as if some were lacking: what a cut must have to say the same."""

    def __init__(self, names: Names) -> None:
        super().__init__(names.texts, names.lacking)
        self._asked: set[int] = set()

    @cached_property
    def whole(self) -> bool:
        return False

    def places(self, name: bytes) -> tuple[int, ...]:
        found = super().places(name)
        self._asked.update(found)
        return found

    def has(self, at: int) -> bool:
        found = super().has(at)
        if found:
            self._asked.add(at)
        return found

    def parts(self) -> Iterator[Part]:
        """Yield what was asked for, with the zeros before and after each name: they show that it is whole."""
        return joined((at - 1, at + len(self.text(at)) + 1) for at in sorted(self._asked))
