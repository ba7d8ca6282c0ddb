"""Look up addresses in the modules of a kernel: which module, and which of its symbols."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple, overload


class ModuleSymbol(NamedTuple):
    """A symbol of a module."""

    address: int
    """Virtual."""
    name: bytes


class PackedSymbols(Sequence[ModuleSymbol]):
    """Symbols by their addresses in two objects, made into symbols when they are looked up."""

    def __init__(self, addresses: array[int], names: bytes) -> None:
        """`names`: with a zero byte after each, in the order of `addresses`."""
        self._addresses, self._joined = addresses, names

    @classmethod
    def of(cls, symbols: Sequence[ModuleSymbol]) -> PackedSymbols:
        """Pack symbols, whose names have no zero byte."""
        return cls(array("Q", (one.address for one in symbols)), b"".join(one.name + b"\0" for one in symbols))

    def __reduce__(self) -> tuple[type[PackedSymbols], tuple[array[int], bytes]]:
        return PackedSymbols, (self._addresses, self._joined)

    def __len__(self) -> int:
        return len(self._addresses)

    @overload
    def __getitem__(self, index: int) -> ModuleSymbol: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ModuleSymbol]: ...

    def __getitem__(self, index: int | slice) -> ModuleSymbol | Sequence[ModuleSymbol]:
        if isinstance(index, slice):
            return tuple(map(ModuleSymbol, self._addresses[index], self._names[index]))
        return ModuleSymbol(self._addresses[index], self._names[index])

    @cached_property
    def _names(self) -> list[bytes]:
        return self._joined.split(b"\0")[:-1]


class Module(NamedTuple):
    """A module that a kernel has loaded."""

    name: bytes
    ranges: tuple[tuple[int, int], ...]
    """Where it is: the first address of each part, and its bytes."""
    symbols: Sequence[ModuleSymbol]
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
        parts = ((start, length, module) for module in modules for start, length in module.ranges)
        self._parts = sorted(parts, key=itemgetter(0, 1))
        self._starts = [start for start, _, _ in self._parts]

    def __reduce__(self) -> tuple[Callable[..., Modules], tuple[object, ...]]:
        """Pack the symbols of each module: unpickling 100,000 of them would keep other threads waiting."""
        modules = {id(module): module for _, _, module in self._parts}.values()
        return Modules, (tuple(one._replace(symbols=PackedSymbols.of(one.symbols)) for one in modules),)

    def at(self, address: int) -> Module | None:
        """Return the module that an address is in; None if it is in none."""
        number = bisect_right(self._starts, address) - 1
        if number < 0:
            return None
        start, length, module = self._parts[number]
        return module if address < start + length else None
