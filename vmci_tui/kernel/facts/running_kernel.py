"""What memory says of the kernel: the facts with which the lines of a text are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.proof.paging.walk import Paging, WalkEnd

if TYPE_CHECKING:
    from vmci_tui.kernel.types.btf import Btf


class Fact(NamedTuple):
    """What a line should say, by memory: a number, or words as they are."""

    value: int | bytes
    by: str
    """What in memory says so, for people."""
    or_else: tuple[int, ...] = ()
    """Other numbers that are as right: those of other symbols of the same name."""
    form: Literal["", "0x", "enumerator"] = ""
    """How Linux writes the number, where the key does not say it: `0x%lx`, or with a sign that BTF may not know."""


class NotKnown(NamedTuple):
    """Why memory does not say what the line should be."""

    why: str
    absent: bool = False
    """Whether the kernel's tables are whole and do not have it, so that this kernel does not write the line."""


Finding = Fact | NotKnown


@dataclass(frozen=True)
class RunningKernel:
    """A kernel that was located in memory, with its tables. Addresses are virtual."""

    machine: str
    """The name in the table of machines."""
    order: ByteOrder
    pointer_size: int
    """Bytes."""
    symbols: Callable[[bytes], tuple[int, ...]]
    """The addresses of a symbol, none if the kernel's table does not have it."""
    tables: Mapping[bytes, int]
    """Where the tables of symbols themselves are, by the names that Linux gives them (kallsyms_names)."""
    types: Btf | None
    read: Callable[[int, int], bytes | None]
    """Memory at an address, of a length, through the page tables; None if any of it is not in the dump."""
    physical: Callable[[int], int | None]
    """The physical address that the page tables give."""
    walk: Callable[[Paging, int, int], WalkEnd]
    """Translate by page tables of a kind, whose root is at a physical address, a virtual address."""
    release: bytes | None
    """By its banner, `Linux version ...`."""
    searched: RunningKernel | None = None
    """The same kernel for reads that only search, of which a cut keeps what was found; None if all reads are alike."""

    def number_at(self, address: int, size: int, signed: bool = False) -> int | None:
        """Read a variable."""
        raw = self.read(address, size)
        return None if raw is None else int.from_bytes(raw, self.order, signed=signed)

    def variable(self, name: bytes, size: int = 0, signed: bool = False) -> int | None:
        """Read the variable of this name, by default as long as a pointer; None if it has not one address."""
        addresses = self.symbols(name)
        return self.number_at(addresses[0], size or self.pointer_size, signed) if len(addresses) == 1 else None

    @property
    def version(self) -> tuple[int, int] | None:
        """The first two numbers of the release."""
        parts = (self.release or b"").split(b".")[:2]
        numbers = [part for part in parts if part.isdigit() and len(part) < 4]
        return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None


Rule = Callable[[RunningKernel], Finding]
"""What a line of one key should be."""
