"""Render the symbols of a kernel as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.kernel.image.places import BANNER
from vmci_tui.kernel.symbols.read_symbols import KernelSymbols
from vmci_tui.kernel.symbols.table import Spot, SymbolTable

_BANNER_SHOWN: Final = 160
"""Bytes of a banner that are shown in JSON; all that tell kernels apart are among them."""
_RELEASE_SHOWN: Final = 80
_NAMED: Final = 3
"""Other kernels that are named: a file of one may be in memory several times."""
_LEFT: Final = "left by a kexec, the pages of a file, or the memory of another guest"


def symbols_lines(kernel: KernelSymbols, spots: Iterable[Spot]) -> Iterator[Safe]:
    """Yield a line a symbol, as System.map has it; an address inside of one with the bytes from it."""
    digits = kernel.bits // 4
    for symbol, offset in spots:
        place = symbol.address + offset
        yield Safe(f"{place:0{digits}x} {visible(symbol.type)} {spot_words(Spot(symbol, offset))}")


def spot_words(spot: Spot) -> Safe:
    """Return `symbol+0x12`, or the bare symbol at its start; in a module `symbol+0x12 [module]`, as the kernel does."""
    symbol, offset = spot.symbol, f"+{spot.offset:#x}" if spot.offset else ""
    if not symbol.module:
        return Safe(visible(symbol.name) + offset)
    module = f"[{visible(symbol.module)}]"
    return Safe(f"{visible(symbol.name)}{offset} {module}" if symbol.name else f"{module}{offset}")


def place_json(address: int, spot: Spot | None) -> dict[str, Any]:
    """Return an address with its symbol."""
    return {
        "address": address,
        "symbol": None if spot is None else visible(spot.symbol.name),
        "offset": None if spot is None else spot.offset,
        "module": visible(spot.symbol.module) if spot is not None and spot.symbol.module else None,
    }


def symbols_json(table: SymbolTable, spots: Iterable[Spot]) -> list[dict[str, Any]]:
    return [
        {
            "name": visible(symbol.name),
            "type": visible(symbol.type),
            "address": symbol.address,
            "offset": offset,
            "paddr": table.paddr(symbol.address + offset),
            "module": visible(symbol.module) if symbol.module else None,
        }
        for symbol, offset in spots
    ]


def kernel_json(kernel: KernelSymbols) -> dict[str, Any]:
    """Return a kernel and the form of its table, without the symbols."""
    return {
        "banner": visible(kernel.banner[:_BANNER_SHOWN]),
        "paddr": kernel.paddr,
        "shift": kernel.table.shift,
        "form": kernel.table.form,
        "count": len(kernel.table),
        "why": kernel.runs or None,
    }


def kernels_words(kernels: Sequence[KernelSymbols]) -> Iterator[Safe]:
    """Yield what a reader must know of where the symbols are from; nothing where that is plain."""
    first = kernels[0]
    if not first.runs and len(kernels) > 1:
        yield Safe(f"no CPU was in any of {len(kernels)} kernels; these are the symbols of {release_words(first)}")
    elif others := kernels[1:]:
        named = ", ".join(f"{release_words(one)} at {one.paddr:#x}" for one in others[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        yield Safe(f"the symbols of {release_words(first)}, because {first.runs}; memory also has {named}{more}")
        if idle := sum(not one.runs for one in others):
            which = "it" if len(others) == 1 else "any of these" if idle == len(others) else f"{idle} of these"
            yield Safe(f"no CPU was in {which}: {_LEFT}")
    if first.older:
        yield Safe("the table has the form of kernels before 4.20, which vmci has not been tested with on a real dump")


def release_words(kernel: KernelSymbols) -> Safe:
    """Return the release in a banner."""
    return visible(kernel.banner.removeprefix(BANNER).partition(b" ")[0][:_RELEASE_SHOWN])
