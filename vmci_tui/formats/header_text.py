"""A text that only a kdump file's header names: offset_vmcoreinfo and size_vmcoreinfo, with no note around it.

Files of header_version 3 have their text so and no other way; from 4 on it is legal beside the
notes, or in their stead (makedumpfile, diskdump_mod.h).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vmci_tui.formats.elf_note import NAME, WINDOWS_HEADERS, ByteOrder, Note, build
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT

_KEY: Final = re.compile(rb"(?:\A|\n)[A-Za-z][!-<>-~]*=")
"""A line as the kernel writes it, up to its equals sign."""


def is_text(data: bytes) -> bool:
    """Whether these bytes are kept as a text: a line of them has a key, and they are no Windows dump header."""
    return len(data) <= SIZE_LIMIT and not data.startswith(WINDOWS_HEADERS) and _KEY.search(data) is not None


@dataclass(frozen=True)
class HeaderText(Note):
    """The text alone: it is edited, checked and shown as a note's, and has no header, no name and no padding.

    `order` is the file's: a note that it becomes has its header words in it.
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
        """A note, where nothing would say any more that the header names a text."""
        return HeaderText(desc, self.order) if is_text(desc) else build(NAME, 0, desc, self.order)

    def packed(self, order: ByteOrder) -> Note:
        return self

    def as_note(self) -> Note:
        """The note that Linux would have put around it."""
        return build(NAME, 0, self.raw, self.order)


def saved_order(notes: tuple[Note, ...]) -> tuple[int, ...]:
    """Which notes a file has, by index, in its order: a broken one last, since readers stop there, then a text.

    A text that one of the notes has too is not among them: the header then names that one's.
    """
    texts = {note.desc for note in notes if note.is_vmcoreinfo and note.whole and not isinstance(note, HeaderText)}
    kept = [i for i, note in enumerate(notes) if not (isinstance(note, HeaderText) and note.raw in texts)]
    return tuple(sorted(kept, key=lambda i: (isinstance(notes[i], HeaderText), not notes[i].whole)))
