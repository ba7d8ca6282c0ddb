"""`vmci hex`: print a hex dump of a file or of guest memory."""

from __future__ import annotations

import argparse
from typing import Final

from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.common.errors import UsageError
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.formats.hex_dump import dump_lines

_LIMIT: Final = 1 << 20
"""Most bytes that one command prints."""


def run(options: argparse.Namespace) -> int:
    """Print the bytes; return 0. Raises UsageError."""
    length = parse_number(options.length)
    if not 0 <= length <= _LIMIT:
        raise UsageError(f"--len must be from 0 to {_LIMIT}", "print the file in parts")
    with open_named(options) as document:
        if options.paddr is None and options.vaddr is None:
            _print_file(options, document, length)
        else:
            from vmci_tui.cli.commands.kernel.hex_of_memory import print_memory

            print_memory(options, document, length)
    return 0


def _print_file(options: argparse.Namespace, document: Document, length: int) -> None:
    at = parse_number(options.at or "0")
    if not 0 <= at <= document.layout.image.size:
        raise UsageError(f"the file has no byte at {at}", f"it has {document.layout.image.size} bytes")
    data = document.read(at, length)
    if options.json:
        print_json({"file": document.name, "offset": at, "length": len(data), "hex": data.hex()})
    else:
        print_lines(dump_lines(data, at))
