"""Define a node of the tree, whose children are made when they are asked for, and windows over many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from vmci_tui.common.safe_text import Safe

WINDOW: Final = 256
"""The most children of a node; the children of a node that has more are ranges of at most this number."""
_EMPTY: Final = Safe("")


def _none() -> tuple[Node, ...]:
    return ()


@dataclass(frozen=True)
class Node:
    """Bytes of the file that are one thing: `length` bytes at `offset` of the document's layout."""

    name: Safe
    offset: int
    length: int
    kind: str
    """The kind of bytes, as a region has it."""
    value: Safe = _EMPTY
    meaning: Safe = _EMPTY
    parts: Callable[[], tuple[Node, ...]] = field(default=_none, compare=False, repr=False)
    """Makes the children: they read the file."""
    window: bool = False
    """Whether it is a range of the children of another node."""

    @property
    def end(self) -> int:
        return self.offset + self.length

    @property
    def is_leaf(self) -> bool:
        return self.parts is _none

    @cached_property
    def children(self) -> tuple[Node, ...]:
        """The parts by offset, at most WINDOW."""
        return self.parts()

    def path(self, offset: int) -> Iterator[int]:
        """Yield the number of the child that holds the byte, then the number of that child's, and so on."""
        node = self
        while True:
            inside = (n for n, each in enumerate(node.children) if each.offset <= offset < each.end)
            if (number := next(inside, None)) is None:
                return
            yield number
            node = node.children[number]


def windows(first: int, stop: int, make: Callable[[int], Node]) -> tuple[Node, ...]:
    """Return the nodes that `make` returns for the numbers from `first` on, in windows if they are many."""
    if stop - first <= WINDOW:
        return tuple(map(make, range(first, stop)))
    step = WINDOW
    while step * WINDOW < stop - first:
        step *= WINDOW
    return tuple(_window(at, min(at + step, stop), make) for at in range(first, stop, step))


def _window(first: int, stop: int, make: Callable[[int], Node]) -> Node:
    start, last = make(first), make(stop - 1)
    name, length = Safe(f"{first} to {stop - 1}"), last.end - start.offset
    return Node(name, start.offset, length, start.kind, parts=lambda: windows(first, stop, make), window=True)
