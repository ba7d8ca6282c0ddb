"""Look up addresses in the modules of a kernel: which module, and which of its symbols."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class ModuleSymbol(NamedTuple):
    """A symbol of a module."""

    address: int
    """Virtual."""
    name: bytes


class Module(NamedTuple):
    """A module that a kernel has loaded."""

    name: bytes
    ranges: tuple[tuple[int, int], ...]
    """Where it is: the first address of each part, and its bytes."""
    symbols: tuple[ModuleSymbol, ...]
    """By their addresses; empty where the dump lacks its table."""

    def symbol_at(self, address: int) -> ModuleSymbol:
        """Return the symbol at or before an address in the same part; a nameless one at its start if there is none."""
        start = next(start for start, length in self.ranges if start <= address < start + length)
        at = bisect_right(self.symbols, address, key=lambda symbol: symbol.address) - 1
        found = self.symbols[at] if at >= 0 else None
        return found if found is not None and found.address >= start else ModuleSymbol(start, b"")


class Modules:
    """All modules of a kernel, looked up by address: a stack has thousands of words that may be one."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._parts = sorted((start, length, module) for module in modules for start, length in module.ranges)
        self._starts = [start for start, _, _ in self._parts]

    def at(self, address: int) -> Module | None:
        """Return the module that an address is in; None if it is in none."""
        number = bisect_right(self._starts, address) - 1
        if number < 0:
            return None
        start, length, module = self._parts[number]
        return module if address < start + length else None
