"""The symbols of one kernel, looked up by name and by address."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from vmci_tui.kernel.symbols.addresses import Form
from vmci_tui.kernel.symbols.compressed_names import CompressedNames
from vmci_tui.kernel.symbols.modules import Modules

_STARTS = (b"_text", b"_stext")
_ENDS = (b"_etext", b"_einittext")


class Symbol(NamedTuple):
    """A symbol."""

    name: bytes
    type: str
    """One letter, as nm prints it: `T` code, `D` data, `A` absolute; small if it is local."""
    address: int
    """Virtual."""
    module: bytes = b""
    """The module that has it; empty for the kernel's image. A place in a module without a symbol has no name."""


class Spot(NamedTuple):
    """An address as its symbol and the bytes from it."""

    symbol: Symbol
    offset: int


class SymbolTable:
    """All symbols of a kernel, in the order of their addresses."""

    def __init__(self, names: CompressedNames, addresses: Sequence[int], form: Form, shift: int | None) -> None:
        """`shift`: virtual less physical addresses of the image, None if unknown."""
        self._names, self._addresses = names, addresses
        self.form, self.shift = form, shift
        self.modules = Modules()
        """The modules whose addresses are looked up too."""

    def __reduce__(self) -> tuple[Callable[..., SymbolTable], tuple[object, ...]]:
        """Pack the table into few objects: unpickling 200,000 of them would keep other threads waiting."""
        return _unpacked, (
            *(self._names, array("Q", self._addresses), self.form, self.shift),
            *(self.start, self.modules),
        )

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Symbol]:
        return map(self._symbol, range(len(self)))

    def named(self, name: bytes) -> tuple[Symbol, ...]:
        """Return the symbols of this name; there may be several local ones."""
        return tuple(map(self._symbol, self._names.numbers(name)))

    def address(self, name: bytes) -> int | None:
        """Return the address of the first symbol of this name; None if there is none."""
        return next(self.addresses(name), None)

    def addresses(self, name: bytes) -> Iterator[int]:
        """Yield the addresses of the symbols of this name: of a local one there may be thousands."""
        return (self._addresses[number] for number in self._names.numbers(name))

    def spot(self, address: int) -> Spot | None:
        """Return the symbol at or before an address of the image, the first of several, or of a module; else None."""
        if not self.start <= address <= self._addresses[-1]:
            return self._in_module(address)
        before = self._addresses[bisect_right(self._addresses, address) - 1]
        found = self._symbol(bisect_left(self._addresses, before))
        return Spot(found, address - before)

    def paddr(self, address: int) -> int | None:
        """Return where a byte of the image is; None for one outside of it, such as a CPU's variable."""
        inside = self.shift is not None and self.start <= address <= self._addresses[-1]
        return address - self.shift if inside and self.shift is not None else None

    def paddr_after(self, address: int, reach: int) -> int | None:
        """Return where a byte after the last symbol is, if what is mapped as the image is goes on to it: `reach` bytes.

        Without CONFIG_KALLSYMS_ALL the variables, which are after the code, have no symbols.
        """
        inside = self.shift is not None and self._addresses[-1] < address < self._addresses[-1] + reach
        return address - self.shift if inside and self.shift is not None else None

    def same_place(self, other: SymbolTable) -> bool:
        """Return whether this is the table of the same image: it may be found by several banners of one kernel."""
        return (self.start, self.shift, len(self)) == (other.start, other.shift, len(other))

    @cached_property
    def start(self) -> int:
        """Return the first address of the image; symbols below it are offsets and constants."""
        return min((at for name in _STARTS if (at := self.address(name)) is not None), default=self._addresses[0])

    def has_code(self, address: int) -> bool:
        """Return whether an address is in the kernel's code, that of its start too, or in a module."""
        return self.start <= address < self._code_end or self.modules.at(address) is not None

    @cached_property
    def _code_end(self) -> int:
        return max((at for name in _ENDS if (at := self.address(name)) is not None), default=self._addresses[-1])

    def _in_module(self, address: int) -> Spot | None:
        module = self.modules.at(address)
        if module is None:
            return None
        found = module.symbol_at(address)
        return Spot(Symbol(found.name, "t", found.address, module.name), address - found.address)

    def _symbol(self, number: int) -> Symbol:
        text = self._names.text(number)
        return Symbol(text[1:], text[:1].decode("latin-1"), self._addresses[number])


def _unpacked(
    names: CompressedNames, addresses: array[int], form: Form, shift: int | None, start: int, modules: Modules
) -> SymbolTable:
    """Return a table as it was before it was pickled, with its start, which was looked up then."""
    table = SymbolTable(names, addresses, form, shift)
    table.modules = modules
    table.__dict__["start"] = start
    return table
