"""Read a virtual address of the kernel as users type it: a number, or a symbol with bytes from it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import literal, visible

if TYPE_CHECKING:
    from vmci_tui.kernel.symbols.table import SymbolTable

NOT_AN_ADDRESS: Final = "name a symbol, or an address that `vmci symbols FILE` or `vmci cpus FILE` prints"
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9a-fA-F]{8}|[0-9a-fA-F]{16}")
"""Hexadecimal: with 0x, or all digits, as System.map and registers have it."""
_SYMBOL: Final = re.compile(r"([^+]+)(?:\+(0[xX][0-9a-fA-F]{1,8}|\d{1,8}))?")


def number_of(typed: str) -> int | None:
    """Return a number that is written as an address; None if it is not one."""
    return int(typed, 16) if _NUMBER.fullmatch(typed) else None


def address_of(typed: str, symbols: SymbolTable | None) -> int:
    """Return a typed address, `0xffffffff81000000`, or `_stext+0x10`. Raises UsageError."""
    number = number_of(typed)
    if number is not None:
        return number
    match = _SYMBOL.fullmatch(typed)
    if symbols is None:
        raise UsageError("memory has no table of the kernel's symbols (kallsyms)", "give the address in hex, with 0x")
    found = None if match is None else symbols.address(as_bytes(match[1]))
    if match is None or found is None:
        raise UsageError(f"the kernel has no symbol {visible(typed)}", NOT_AN_ADDRESS)
    return found + int(match[2] or "0", 0)


def as_bytes(typed: str) -> bytes:
    """Return the bytes of what was typed in the shell; `\\xNN` is any byte."""
    return literal(typed) if typed.isascii() else os.fsencode(typed)
