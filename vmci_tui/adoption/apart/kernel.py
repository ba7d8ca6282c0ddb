"""Read what the kernel's tables in a dump's memory say, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from typing import Final

from vmci_tui.adoption.apart.messages import begin, values_of, write
from vmci_tui.adoption.kernel_facts import KernelFound, kernel_found
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import NotKnown
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import open_document

_LONGEST: Final = 32 << 10
"""Bytes of a text that is sent as an argument. Linux writes a page at most, usually 4 KiB."""


def kernel_apart(
    source: FileSource, text: Vmcoreinfo | None, check: Callable[[], None]
) -> KernelFound | NotKnown | None:
    """Return what the tables say, of the lines of a text too; None if the process fails, or may not start.

    `check` is called ten times a second. Raises what it raises; the process is then ended.
    """
    raw = b"" if text is None or len(text.text) > _LONGEST else text.text
    with closing(values_of(__name__, [os.path.abspath(source.path), source.identity, raw.hex()], check)) as values:
        return next(values, None)


def main(wanted: str) -> None:
    """Look into the memory of a file; `wanted`: its path, its identity, and the text in hex, empty for none."""
    path, identity, raw = begin(wanted)
    text = Vmcoreinfo(bytes.fromhex(raw)) if raw else None
    with open_document(path) as document:
        source = document.source
        if document.dump is not None and isinstance(source, FileSource) and list(source.identity) == identity:
            write(kernel_found(text, guest_of(document.dump)))
