"""Define the state of a document: a frozen value without guest memory, which is never edited."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vmci_tui.containers import UNCHANGED, HeaderFields, LayoutChoice, LayoutRequest, VirtualRange
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT, EntryHistory
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo


@dataclass(frozen=True)
class State:
    """Everything that can be edited."""

    notes: tuple[Note, ...] = ()
    entry: EntryHistory | None = None
    choice: LayoutChoice = UNCHANGED
    header: HeaderFields | None = None
    """The fields of a kdump file's header that may be edited; None if the container has none."""
    mapped: tuple[VirtualRange, ...] = ()
    """New virtual addresses for program headers; those of other memory stay."""

    @property
    def of_dump(self) -> LayoutRequest:
        """The part of the state that is saved in the dump; the rest is in the entry's file."""
        return LayoutRequest(self.notes, self.choice, self.header, self.mapped)

    @cached_property
    def index(self) -> int | None:
        """The index of the vmcoreinfo note: the last whole one of that name, as for most readers.

        If there is none, the index of the text that only a kdump header names, or None.
        """
        alone = None
        for index in range(len(self.notes) - 1, -1, -1):
            note = self.notes[index]
            if isinstance(note, HeaderText):
                alone = index
            elif note.is_vmcoreinfo and note.whole:
                return index
        return alone

    @property
    def header_text(self) -> HeaderText | None:
        """The text that only a kdump file's header names; None if there is no such text."""
        return next((note for note in self.notes if isinstance(note, HeaderText)), None)

    @property
    def note(self) -> Note | None:
        return None if self.index is None else self.notes[self.index]

    @cached_property
    def vmcoreinfo(self) -> Vmcoreinfo | None:
        """The key=value text; None without a note, for a Windows header, or above 1 MiB."""
        note = self.note
        return None if note is None or note.is_windows or note.descsz > SIZE_LIMIT else Vmcoreinfo(note.desc)
