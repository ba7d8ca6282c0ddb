"""`vmci hex`: print a hex dump of a file or of guest memory."""

from __future__ import annotations

import argparse
from typing import Final

from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.formats.hex_dump import dump_lines

_LIMIT: Final = 1 << 20
"""Most bytes that one command prints."""


def run(options: argparse.Namespace) -> int:
    """Print the bytes; return 0."""
    with open_named(options) as document:
        return _print(options, document)


def _print(options: argparse.Namespace, document: Document) -> int:
    length = parse_number(options.length)
    if not 0 <= length <= _LIMIT:
        raise UsageError(f"--len must be from 0 to {_LIMIT}", "print the file in parts")
    at: int | None = 0
    if options.paddr is not None:
        shown = parse_number(options.paddr)
        data, at = _memory(document, shown, length)
    else:
        at = shown = parse_number(options.at or "0")
        if not 0 <= at <= document.layout.image.size:
            raise UsageError(f"the file has no byte at {at}", f"it has {document.layout.image.size} bytes")
        data = document.read(at, length)
    if options.json:
        print_json({"file": document.name, "offset": at, "length": len(data), "hex": data.hex()})
    else:
        print_lines(dump_lines(data, shown))
    return 0


def _memory(document: Document, paddr: int, length: int) -> tuple[bytes, int | None]:
    """Return bytes up to the end of their range, and their file offset (None: compressed). Raises UsageError."""
    guest = guest_of(document.dump) if document.dump is not None else None
    item = guest.memory.range_at(paddr) if guest is not None else None
    if guest is None or item is None or item.offset is None:
        raise UsageError(f"the dump has no byte at paddr {paddr:#x}", "`vmci show` lists its memory")
    data = guest.source.read(item.offset + paddr - item.paddr, min(length, item.end - paddr))
    if length and not data:
        raise UsageError(f"the page at paddr {paddr:#x} is damaged", "dump the guest again")
    return data, guest.offset_of(paddr)
