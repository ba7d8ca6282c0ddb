"""Convert a memory image or a dump to the ELF dump that QEMU would have written, with the guest's own note."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from vmci_tui.common.errors import EditError
from vmci_tui.common.progress import Progress
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.document import Document
from vmci_tui.images.of_dump import as_elf
from vmci_tui.layers.range_table import Range
from vmci_tui.proof.witnessed import witnessed
from vmci_tui.readers.verdicts import ChosenReaders
from vmci_tui.repair.repaired import Repair
from vmci_tui.repair.safe_fixes import Choice, repair
from vmci_tui.search.entry_region import object_at


class Conversion(NamedTuple):
    """A document whose `saved_layout` is the dump, and what is known about its note."""

    document: Document
    done: Repair
    witnessed: tuple[int, ...]
    """The indices of the ranges of memory in which the note's witnesses are; () if it is not proved."""
    by_entry: bool = False
    """Whether the note is the one that the entry names, as QEMU would have put it in, though memory proves none."""

    @property
    def unread(self) -> tuple[Range, ...]:
        """The ranges of memory that the source is known to lack."""
        assert self.document.dump is not None
        return tuple(item for item in self.document.dump.guest_memory.ranges if item.offset is None)


def convert(document: Document, choice: Choice, progress: Progress, readers: ChosenReaders) -> Conversion:
    """Return the conversion of an image or a dump. Nothing is written.

    Raises OpenError, EditError if there is no candidate at `choice.paddr`, SaveError if no file can hold the note, and
    what `progress` raises.
    """
    elf = as_elf(document)
    assert elf.dump is not None
    done, by_entry = repair(elf, choice, progress, readers), False
    entry = elf.state.entry
    if done.question and entry is not None and entry.present and choice.paddr is None:
        try:
            done = repair(elf, choice._replace(paddr=entry.entry.paddr), progress, readers)
            by_entry = True
        except EditError:  # there is no note
            pass
    return Conversion(elf, done, _witnessed(elf, guest_of(elf.dump)), by_entry)


def _witnessed(document: Document, guest: Guest) -> tuple[int, ...]:
    """Return the ranges with witnesses of the proved note, and that in which the entry names this very note."""
    text, entry = document.state.vmcoreinfo, document.state.entry
    proved = () if text is None else witnessed(text, guest)
    if text is None or not proved or entry is None or not entry.present:
        return proved
    named = object_at(guest, entry.entry.paddr, entry.entry.size).candidate
    if named is None or named.text != text.text:
        return proved
    return tuple(sorted({*proved, bisect_right(guest.memory.ranges.starts, named.paddr) - 1}))
