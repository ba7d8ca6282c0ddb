"""Dumps of booted guests, cut to the pages that tell of their kernels: unpacked, and without any copy of the note."""

from __future__ import annotations

import lzma
from pathlib import Path

from tests.opened_files import open_document
from tests.paths import DATA
from vmci_tui.adoption.choose import search
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of


def unpacked(name: str, folder: Path) -> Path:
    """Write the guest of this name to a folder."""
    path = folder / f"{name}.elf"
    path.write_bytes(lzma.decompress((DATA / "kernels" / f"{name}.elf.xz").read_bytes()))
    return path


def scrubbed(path: Path) -> tuple[bytes, int]:
    """Overwrite each copy of the note in a dump's memory; return its text and how many copies there were."""
    with open_document(str(path)) as document:
        assert document.dump is not None
        best = search(guest_of(document.dump), no_progress)[0]
    text, data, copies = best.candidate.text, bytearray(path.read_bytes()), 0
    head = text[:256]
    at = data.find(head)
    while at >= 0:
        data[at : at + len(text)] = bytes(len(text))
        copies += 1
        at = data.find(head, at + 1)
    path.chmod(0o600)
    path.write_bytes(data)
    return text, copies
