"""`vmci symbols`: print the kernel's symbols, or those of some names and addresses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.cli.kernel_address import as_bytes, number_of
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.lines.gather import NOT_SEARCHED, kernel_with_types
from vmci_tui.kernel.symbols.modules import Modules
from vmci_tui.kernel.symbols.other_kernels import other_kernels
from vmci_tui.kernel.symbols.table import Spot, SymbolTable
from vmci_tui.kernel.variables.loaded_modules import loaded_modules
from vmci_tui.render.dump_report import head_json
from vmci_tui.render.kernel.symbol_report import kernel_json, kernels_words, symbols_json, symbols_lines


def run(options: argparse.Namespace) -> int:
    """Print symbols; return 1 if one of the names or addresses has none. Raises UsageError and OpenError."""
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no memory", "name a dump")
        guest = guest_of(document.dump)
        kernels, _ = placed_symbols(document.state.vmcoreinfo, guest, shown_progress())
        if kernels and kernels[0].runs:
            kernels = (*kernels, *other_kernels(guest, kernels, shown_progress()))
        if kernels and any(_is_outside(kernels[0].table, item) for item in options.items):
            kernels[0].table.modules = Modules(loaded_modules(kernel_with_types(guest, kernels[0])))
        head = head_json(document)
        if not kernels and document.runs:
            raise OpenError(NOT_SEARCHED.why, "`vmci convert` makes a dump of it")
    if not kernels:
        raise OpenError(
            "the memory in this dump has no whole symbol table of a kernel (kallsyms)",
            "a dump of all pages has it, unless the kernel was built without CONFIG_KALLSYMS",
        )
    table = kernels[0].table
    missing: list[str] = []
    spots = _asked(table, options.items, missing) if options.items else [Spot(one, 0) for one in table]
    if options.json:
        others = [kernel_json(one) for one in kernels[1:]]
        print_json(head | {"kernel": kernel_json(kernels[0]), "others": others, "symbols": symbols_json(table, spots)})
    else:
        for words in kernels_words(kernels):
            say(f"vmci: {words}")
        print_lines(symbols_lines(kernels[0], spots))
    if missing:
        say(f"vmci: no symbol: {', '.join(map(visible, missing))}")
    return int(bool(missing))


def _is_outside(table: SymbolTable, item: str) -> bool:
    """Return whether an item is an address outside the image, where modules may be."""
    number = number_of(item)
    return number is not None and table.spot(number) is None and not table.named(as_bytes(item))


def _asked(table: SymbolTable, items: Sequence[str], missing: list[str]) -> list[Spot]:
    """Return the symbols of names and addresses, in this order; those without one are added to `missing`."""
    out: list[Spot] = []
    for item in items:
        found = [Spot(one, 0) for one in table.named(as_bytes(item))]
        if not found and (number := number_of(item)) is not None:
            spot = table.spot(number)
            found = [] if spot is None else [spot]
        missing += [] if found else [item]
        out += found
    return out
