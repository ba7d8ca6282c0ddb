"""Take a dump of another container as a memory image, so that it can be written as an ELF dump."""

from __future__ import annotations

from vmci_tui.containers import Dump
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.images.as_dump import dump_of
from vmci_tui.images.guest_image import GuestImage
from vmci_tui.layers.file import files_of


def as_elf(document: Document) -> Document:
    """Return a document of the same memory, notes and entry with ELF headers: the same one where it has them.

    Raises OpenError if its memory has more ranges than an ELF dump may have. The files stay those of `document`.
    """
    if document.dump is None or document.dump.kind == "elf":
        return document
    dump = dump_of(_image(document.dump, document), files_of(document.source))
    return Document(document.name, dump.source, dump, State(notes=dump.notes, entry=document.state.entry))


def _image(dump: Dump, document: Document) -> GuestImage:
    return GuestImage(
        dump.container,
        dump.machine,
        dump.bits,
        dump.order,
        dump.guest_source,
        dump.guest_memory,
        document.state.notes,
        document.state.entry,
        dump.doubts,
        dump.missing,
    )
