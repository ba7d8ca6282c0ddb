"""The process that decides: it writes its progress and then the result to stdout, as pickles of its own values.

It ends at the latest when it next writes after its parent ended.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
import time
from typing import Final

from vmci_tui.adoption.choose import Adoption, consider
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import open_document
from vmci_tui.readers.verdicts import DEFAULT

LENGTH: Final = struct.Struct("<I")
"""The length before each message."""
Message = tuple[str, int, int] | Adoption
"""How much of what work is done, or the result."""
_EVERY: Final = 0.1
"""Seconds between two messages of progress, at least."""
_NICER: Final = 5
"""By how much the app comes before this process, on a machine with one processor."""


def main(path: str, wanted: str) -> None:
    """Decide about the file at `path`; `wanted` is JSON: its identity, and the versions of readers.

    Nothing is written about another file than the one with this identity.
    """
    os.nice(_NICER)
    last = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY:
            last = now
            _write((what, done, total))

    identity, versions = json.loads(wanted)
    with open_document(path) as document:
        source = document.source
        if document.dump is not None and isinstance(source, FileSource) and list(source.identity) == identity:
            readers = DEFAULT.at(versions)
            _write(consider(Judgement.of(document, readers=readers), progress))


def _write(message: Message) -> None:
    data = pickle.dumps(message)
    sys.stdout.buffer.write(LENGTH.pack(len(data)) + data)
    sys.stdout.buffer.flush()
