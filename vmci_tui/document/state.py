"""The state of what is open: a frozen value. Guest memory is not in it, since it is never edited."""

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
    head: LayoutChoice = UNCHANGED
    header: HeaderFields | None = None
    """The fields of a kdump file's header that may be edited; None where the container has none."""
    mapped: tuple[VirtualRange, ...] = ()
    """The virtual addresses that program headers get; of memory in none of them they stay."""

    @property
    def of_dump(self) -> LayoutRequest:
        """The part of the state that lies in the dump; the rest lies in the entry's file."""
        return LayoutRequest(self.notes, self.head, self.header, self.mapped)

    @cached_property
    def index(self) -> int | None:
        """Which note is the vmcoreinfo: the last whole one of that name, as most readers take it.

        A text that only a kdump file's header names, where there is no such note.
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
        """The text that only a kdump file's header names; None where the note's is all there is."""
        return next((note for note in self.notes if isinstance(note, HeaderText)), None)

    @property
    def note(self) -> Note | None:
        return None if self.index is None else self.notes[self.index]

    @cached_property
    def vmcoreinfo(self) -> Vmcoreinfo | None:
        """The key=value text; None where there is no note, a Windows header in it, or more than 1 MiB."""
        note = self.note
        return None if note is None or note.is_windows or note.descsz > SIZE_LIMIT else Vmcoreinfo(note.desc)
