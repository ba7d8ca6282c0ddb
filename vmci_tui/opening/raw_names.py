"""Read names of raw images: `FILE@PADDR`, as crash writes it; several of them are one memory.

Words of a command line that name parts of one memory are joined by a NUL, which no word can hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.images.as_dump import dump_of
from vmci_tui.images.raw import RawPart, open_parts
from vmci_tui.layers.file import FileSource

_PART: Final = re.compile(r"(.+)@(?:0x)?([0-9a-fA-F]{1,16})", re.S)
_BETWEEN: Final = "\0"


def names_part(word: str) -> bool:
    """Return whether a word is `FILE@PADDR` of a file that exists; a file of that literal name wins."""
    match = _PART.fullmatch(word)
    return match is not None and not os.path.lexists(word) and os.path.isfile(match[1])


def names_raw(name: str) -> bool:
    """Return whether a name is that of raw parts of memory."""
    return "@" in name and all(map(names_part, _words(name)))


def refuse_address(name: str) -> None:
    """Raise OpenError for `FILE@` with something else than an address after it, or of what is not a regular file."""
    file, _, address = name.rpartition("@")
    if os.path.lexists(file) and not os.path.lexists(name):
        FileSource(file).close()
        raise OpenError(f"{visible(name)}: '{visible(address)}' is not an address", "it is hex, as in FILE@0x100000")


def _words(name: str) -> list[str]:
    """Return the parts of a name; a document's own name has spaces between them."""
    return [name] if names_part(name) else name.split(_BETWEEN if _BETWEEN in name else " ")


def joined_parts(words: Iterable[str]) -> list[str]:
    """Return the words with those joined that name parts of memory one after the other."""
    out: list[str] = []
    for word in words:
        if out and names_part(word) and names_raw(out[-1]):
            out[-1] += _BETWEEN + word
        else:
            out.append(word)
    return out


def open_raw_parts(name: str) -> Document:
    """Open the parts of memory that a name names. Raises OpenError."""
    words = _words(name)
    with ExitStack() as stack:
        parts = []
        for word in words:
            match = _PART.fullmatch(word)
            assert match is not None
            parts.append(RawPart(stack.enter_context(FileSource(match[1])), int(match[2], 16)))
        files = tuple(part.file for part in parts)
        shown = Safe(" ".join(map(visible, words)))
        try:
            dump = dump_of(open_parts(parts), files)
        except OpenError as error:
            raise OpenError(f"{shown}: {error.message}", error.hint) from None
        document = Document(shown, dump.source, dump, State(notes=dump.notes))
        document.files = files
        stack.pop_all()
    return document
