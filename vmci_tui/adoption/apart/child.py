"""The process that decides about the note: it writes its progress and then the result."""

from __future__ import annotations

import time
from typing import Final

from vmci_tui.adoption.apart.messages import begin, write
from vmci_tui.adoption.choose import consider
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import open_document
from vmci_tui.readers.verdicts import DEFAULT

_EVERY: Final = 0.1
"""Seconds between two messages of progress, at least."""


def main(path: str, wanted: str) -> None:
    """Decide about the file at `path`; `wanted`: its identity, and the versions of readers.

    Nothing is written about another file than the one with this identity.
    """
    last = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY:
            last = now
            write((what, done, total))

    identity, versions = begin(wanted)
    with open_document(path) as document:
        source = document.source
        if document.dump is not None and isinstance(source, FileSource) and list(source.identity) == identity:
            readers = DEFAULT.at(versions)
            write(consider(Judgement.of(document, readers=readers), progress))
