"""The process that decides about the note: it writes its progress and then the result."""

from __future__ import annotations

import time
from typing import Final

from vmci_tui.adoption.apart.messages import begin, write
from vmci_tui.adoption.choose import consider
from vmci_tui.findings.judgement import Judgement
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import files_of
from vmci_tui.opening.open_file import open_document
from vmci_tui.readers.verdicts import DEFAULT

_EVERY: Final = 0.1
"""Seconds between two messages of progress, at least."""


def main(wanted: str) -> None:
    """Decide about a file; `wanted`: what names it, the identities of its files, and the versions of readers.

    Nothing is written about other files than those with these identities.
    """
    last = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY:
            last = now
            write((what, done, total))

    (name, *choice), identities, versions = begin(wanted)
    with open_document(name, None, ImageChoice(*choice)) as document:
        files = [list(file.identity) for file in files_of(document.source)]
        if document.dump is not None and files == identities:
            readers = DEFAULT.at(versions)
            write(consider(Judgement.of(document, readers=readers), progress))
