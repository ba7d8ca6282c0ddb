"""`vmci explain ... FILE`: what the memory of a dump says of a key, and what an address of its kernel is."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from vmci_tui.adoption.kernel_addresses import kernel_addresses
from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.kernel.lines.gather import running_kernel
from vmci_tui.kernel.lines.prove_lines import expected_of
from vmci_tui.kernel.lines.proved_line import judged
from vmci_tui.render.kernel.address_report import address_json, address_lines, look_up
from vmci_tui.render.kernel.proof_report import line_words, proof_json


class KeyInMemory(NamedTuple):
    """What the memory of a dump says of a key."""

    value: bytes | None
    """The value that was given, else that of the note; None if the note does not have the key."""
    words: Safe
    json: dict[str, Any]


def key_in_memory(options: argparse.Namespace, key: bytes, value: bytes | None) -> KeyInMemory:
    """Return what the memory of the dump says of a key, and of a value if there is one. Raises UsageError."""
    with open_named(options) as document:
        guest, own = _guest(document), document.state.vmcoreinfo
        text = text_to_read(own, guest, shown_progress()).text
        kernel = running_kernel(guest, text, shown_progress())
        fact = kernel if isinstance(kernel, NotKnown) else expected_of(kernel)(key)
    noted = own or text
    if value is None and noted is not None:
        value = noted.get(key)
    line = judged(0, key, value or b"", fact)
    return KeyInMemory(value, line_words(line), proof_json(line))


def explain_address(options: argparse.Namespace, address: int) -> int:
    """Print what an address of a dump's kernel is; return 0. Raises UsageError."""
    if options.file is None:
        raise UsageError(f"{address:#x} is an address", f"name the dump too: vmci explain {address:#x} FILE")
    with open_named(options) as document:
        guest = _guest(document)
        found = look_up(address, kernel_addresses(document.state.vmcoreinfo, guest, shown_progress()), guest)
    if options.json:
        print_json({"file": document.name} | address_json(found))
    else:
        print_lines(address_lines(found))
    return 0


def _guest(document: Document) -> Guest:
    if document.dump is None:
        raise UsageError(f"{document.name} is an entry, which has no memory", "name a dump")
    return guest_of(document.dump)
