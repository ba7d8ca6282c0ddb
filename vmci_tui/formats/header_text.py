"""Model a text without a note, which only a kdump file's header names: offset_vmcoreinfo and size_vmcoreinfo.

Files of header_version 3 can hold a text only in this way; from version 4 on it may be beside
the notes, or replace them (makedumpfile, diskdump_mod.h).
"""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.formats.elf_note import NAME, WINDOWS_HEADERS, ByteOrder, Note, build
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT

_KEY: Final = re.compile(rb"(?:\A|\n)[A-Za-z][!-<>-~]*=")
"""A line as the kernel writes it, up to its equals sign."""


def is_text(data: bytes) -> bool:
    """Return whether these bytes are a text: a line has a key, and they are not a Windows dump header."""
    return len(data) <= SIZE_LIMIT and not data.startswith(WINDOWS_HEADERS) and _KEY.search(data) is not None


class HeaderText(Note):
    """The text alone: edited, checked and shown like a note's text, but without header, name and padding.

    `order` is the file's byte order: a note made of the text has its header words in it.
    """

    @property
    def namesz(self) -> int:
        return len(NAME)

    @property
    def descsz(self) -> int:
        return len(self.raw)

    @property
    def type(self) -> int:
        return 0

    @property
    def name(self) -> bytes:
        return NAME

    @property
    def desc_start(self) -> int:
        return 0

    @property
    def padding(self) -> bytes:
        return b""

    @property
    def is_empty(self) -> bool:
        return False

    def with_desc(self, desc: bytes) -> Note:
        """Return the text with other bytes; a note, if `desc` would no longer be recognised as a text."""
        return HeaderText(desc, self.order) if is_text(desc) else build(NAME, 0, desc, self.order)

    def packed(self, order: ByteOrder) -> Note:
        return self

    def as_note(self) -> Note:
        """Return the note that Linux would have put around it."""
        return build(NAME, 0, self.raw, self.order)


def saved_order(notes: tuple[Note, ...]) -> tuple[int, ...]:
    """Return the indices of the notes in the file's order: a broken one last, since readers stop there, then a text.

    A text that one of the notes also holds is left out: the header then names that note's text.
    """
    texts = {note.desc for note in notes if note.is_vmcoreinfo and note.whole and not isinstance(note, HeaderText)}
    kept = [i for i, note in enumerate(notes) if not (isinstance(note, HeaderText) and note.raw in texts)]
    return tuple(sorted(kept, key=lambda i: (isinstance(notes[i], HeaderText), not notes[i].whole)))
