"""A note that an edit takes from elsewhere, and where it was."""

from __future__ import annotations

from typing import Literal, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.elf_note import Note


class FromFile(NamedTuple):
    """A note of another file, or a note made of its text."""

    note: Note
    path: str
    form: Literal["note", "text"] = "note"
    """What of the file is taken."""

    @property
    def label(self) -> str:
        """How the edit is called that appends it."""
        return f"append the {self.form} of {visible(self.path)}"


class FromMemory(NamedTuple):
    """A note that was found in the dump's own guest memory."""

    note: Note
    paddr: int
    form: Literal["note", "text"]
    """What was found: a whole note, or a text with no note's header before it."""

    @property
    def label(self) -> str:
        """How the edit is called that takes it as the dump's own."""
        return f"adopt the {self.form} at paddr {self.paddr:#x}"
