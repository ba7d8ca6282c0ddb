"""Make the entry that a Linux guest writes for a note in its memory, from the note and its address."""

from __future__ import annotations

from vmci_tui.common.errors import EditError
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_entry import set_entry
from vmci_tui.formats.elf_note import parse_raw
from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, LENGTH, SIZE_LIMIT, Entry, EntryHistory, Write, linux_size
from vmci_tui.opening.open_file import new_entry
from vmci_tui.search.candidate import Candidate


def linux_entry(candidate: Candidate) -> Entry:
    """Return the entry that fw_cfg_write_vmcoreinfo of Linux writes (drivers/firmware/qemu_fw_cfg.c).

    For a Windows header it is the Windows driver's, with the note's own length. Raises EditError.
    """
    at = f"paddr {candidate.paddr:#x}"
    if candidate.kind != "note":
        raise EditError(
            f"the text at {at} has no note header: no guest writes an entry for it", "choose a candidate that is a note"
        )
    note = parse_raw(candidate.raw)
    if note is None:
        raise EditError(f"the note at {at} is not whole: no guest writes an entry for it", "choose another candidate")
    if note.is_windows:
        return Entry(0, FORMAT_ELF, len(note.raw), candidate.paddr)
    page = candidate.vmcoreinfo.page_size
    if page is None or linux_size(page) > SIZE_LIMIT:
        raise EditError(
            f"the note at {at} has no usable PAGESIZE, and Linux writes an entry of PAGESIZE + 36 bytes",
            "choose another candidate, or `vmci new entry --size N`",
        )
    return Entry(0, FORMAT_ELF, linux_size(page), candidate.paddr)


def entry_for(candidate: Candidate) -> Document:
    """Return the same entry as a document of its own, to be saved as a blob. Raises EditError."""
    entry = linux_entry(candidate)
    document = new_entry(EntryHistory("blob"))
    history = EntryHistory("blob", (Write(0, LENGTH, entry.pack()),))
    document.edit(Edit.of(set_entry, history).named(f"the entry for the note at paddr {candidate.paddr:#x}"))
    return document
