"""Open a file by its name as a document: a dump, an entry, writes; or report what it is in one line."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import open_dump
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import RESET, EntryHistory
from vmci_tui.layers.file import BytesSource, FileSource


def open_document(path: str, blob: str | None = None) -> Document:
    """Open a dump, with the entry in `blob` if given, or an entry alone.

    Raises OpenError: one line with the file's real type, and what to do.
    """
    with ExitStack() as stack:
        source = stack.enter_context(FileSource(path))
        try:
            dump = open_dump(source)
        except OpenError as error:
            raise OpenError(f"{source.name}: {error.message}", error.hint) from None
        if dump is None:
            from vmci_tui.opening.open_entry import open_entry

            document = open_entry(source, blob)
        else:
            document = Document(source.name, source, dump, State(notes=dump.notes, header=dump.header_fields))
            if blob is not None:
                attach_entry(document, blob)
        stack.pop_all()
    return document


def attach_entry(document: Document, path: str) -> None:
    """Open the entry of a dump."""
    from vmci_tui.opening.open_entry import own_source, read_entry

    history, data, name = read_entry(path)
    document.opened = replace(document.opened, entry=history)
    document.blob = own_source(FileSource(path), data)
    document.blob_name = name


def new_entry(history: EntryHistory) -> Document:
    """Return a document with an entry that the user creates."""
    return Document(Safe("new entry"), BytesSource(RESET), None, State(entry=history), made=True)
