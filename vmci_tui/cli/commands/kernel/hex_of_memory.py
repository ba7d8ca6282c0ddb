"""`vmci hex --paddr` and `--vaddr`: a hex dump of guest memory, with the kernel's symbols."""

from __future__ import annotations

import argparse

from vmci_tui.adoption.kernel_addresses import kernel_addresses
from vmci_tui.cli.kernel_address import NOT_AN_ADDRESS, address_of
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.formats.hex_dump import dump_lines
from vmci_tui.render.kernel.pointer_report import pointers_in, pointers_json, rows_with_symbols
from vmci_tui.render.kernel.symbol_report import place_json, spot_words


def print_memory(options: argparse.Namespace, document: Document, length: int) -> None:
    """Print guest memory; addresses of the kernel in it as symbols, where memory has its table. Raises UsageError."""
    if document.dump is None:
        raise UsageError(f"{document.name} is an entry, which has no memory", "name a dump")
    guest = guest_of(document.dump)
    if options.paddr is not None:
        paddr = start = parse_number(options.paddr)
        data = _memory(guest, paddr, length)
        kernel = kernel_addresses(document.state.vmcoreinfo, guest)
        shift = None if kernel.symbols is None else kernel.symbols.shift
        va = None if shift is None else paddr + shift
    else:
        kernel = kernel_addresses(document.state.vmcoreinfo, guest, shown_progress())
        va = start = address_of(options.vaddr, kernel.symbols)
        found = kernel.physical(va)
        if found is None:
            raise UsageError(f"no page table in this dump maps {va:#x}", NOT_AN_ADDRESS)
        paddr, data = found, kernel.read(guest, va, length)
        if length and not data:
            raise UsageError(
                f"the dump has no byte at {va:#x}, which is paddr {paddr:#x}", "`vmci show` lists its memory"
            )
    pointers = tuple(pointers_in(data, start, kernel))
    spot = None if kernel.symbols is None or va is None else kernel.symbols.spot(va)
    if options.json:
        place = None if va is None or (spot is None and options.paddr is not None) else place_json(va, spot)
        more = {"paddr": paddr, "place": place, "pointers": pointers_json(pointers)}
        out = {"file": document.name, "offset": guest.offset_of(paddr), "length": len(data), "hex": data.hex()}
        print_json({**out, **more})
        return
    if options.paddr is None:
        say(f"vmci: {va:#x} is paddr {paddr:#x}" + ("" if spot is None else f", {spot_words(spot)}"))
    elif spot is not None:
        say(f"vmci: paddr {paddr:#x} is {va:#x}, {spot_words(spot)}")
    print_lines(rows_with_symbols(dump_lines(data, start), start, pointers))


def _memory(guest: Guest, paddr: int, length: int) -> bytes:
    """Return bytes up to the end of their range. Raises UsageError."""
    item = guest.memory.range_at(paddr)
    if item is None or item.offset is None:
        raise UsageError(f"the dump has no byte at paddr {paddr:#x}", "`vmci show` lists its memory")
    data = guest.source.read(item.offset + paddr - item.paddr, min(length, item.end - paddr))
    if length and not data:
        raise UsageError(f"the page at paddr {paddr:#x} is damaged", "dump the guest again")
    return data
