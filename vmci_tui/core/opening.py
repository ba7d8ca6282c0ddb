"""From a file name to a document: a dump, an entry, writes, or one clear line."""

from __future__ import annotations

from dataclasses import replace

from vmci_tui.core import writes
from vmci_tui.core.containers import is_dump, open_dump
from vmci_tui.core.containers.sniff import HEAD, looks_like
from vmci_tui.core.document import Document, State, entry_document
from vmci_tui.core.entry import LENGTH, RESET, EntryHistory
from vmci_tui.core.errors import OpenError
from vmci_tui.core.source import BytesSource, FileSource, Source, read_small
from vmci_tui.core.text import Safe, visible

BLOB_LIMIT = 4096
"""A longer file that is nothing else is not taken for a failed write of 16 bytes."""

_TOLD_LIMIT = (1 << 16) + 1
"""A longer text tells of no entry."""
_TEXT_FROM = 64
"""A shorter text may be what somebody typed for a blob: it is shown, and flagged."""
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


def open_document(path: str, blob: str | None = None) -> Document:
    """Open a dump, with its entry beside it where `blob` names one, or an entry alone.

    Raises OpenError: one line that says what the file is instead, and what to do.
    """
    source = FileSource(path)
    try:
        dump = open_dump(source)
    except OpenError as error:
        source.close()
        raise OpenError(f"{source.name}: {error.message}", error.hint) from None
    if dump is None:
        try:
            return _open_entry(source, blob)
        except OpenError:
            source.close()
            raise
    document = Document(source.name, source, dump, State(notes=dump.notes, header=dump.header_fields))
    if blob is not None:
        attach_entry(document, blob)
    return document


def attach_entry(document: Document, path: str) -> None:
    """Open the entry beside a dump."""
    history, data, name = read_entry(path)
    document.opened = replace(document.opened, entry=history)
    document.blob = _own_source(FileSource(path), data)
    document.blob_name = name


def _own_source(source: FileSource, data: bytes) -> Source:
    """The file where it is the blob itself; of a file that only tells of an entry, the entry's bytes."""
    if source.read(0, len(data) + 1) == data:
        return source
    source.close()
    return BytesSource(data)


def read_entry(path: str) -> tuple[EntryHistory, bytes, Safe]:
    """The entry in a blob, a `.write.json`, what gdb printed, or a copy of /sys/kernel/vmcoreinfo.

    Its history, its bytes, the file's name. Raises OpenError.
    """
    data = read_small(path, writes.LIMIT, "an entry")
    if path.endswith(".json"):
        try:
            history = writes.parse(data)
        except OpenError as error:
            raise OpenError(f"{visible(path)}: {error.message}", error.hint) from None
        return history, history.raw, visible(path)
    if len(data) != LENGTH and is_dump(data):
        words = f"{visible(path)} is a dump or another ELF file, not an entry"
        raise OpenError(words, "name the dump first, then the blob")
    if _is_told(data):
        from vmci_tui.core.entry_text import from_text

        history = from_text(data)
        return history, history.raw, visible(path)
    return EntryHistory.of_blob(data), data, visible(path)


def new_entry(history: EntryHistory) -> Document:
    """An entry that is being hand-crafted."""
    return entry_document(Safe("new entry"), history, BytesSource(RESET))


def _open_entry(source: FileSource, blob: str | None) -> Document:
    head = source.read(0, HEAD)
    if not source.path.endswith(".json") and source.size != LENGTH and not _is_told(source.read(0, _TOLD_LIMIT)):
        known = looks_like(head)
        if known is not None:
            raise OpenError(f"{source.name} is {known[0]}", known[1])
        if source.size > _TEXT_FROM and set(head) <= _TEXT:
            raise OpenError(f"{source.name} is a text file", "open a dump, a blob, or NAME.write.json")
        if source.size > BLOB_LIMIT:
            raise OpenError(
                f"{source.name} is neither an ELF dump nor an entry of {LENGTH} bytes",
                "open what `dump-guest-memory` or `virsh dump --memory-only` wrote",
            )
    if blob is not None:
        raise OpenError(f"{source.name} is no dump, so no entry can stand beside it", "name the dump first")
    history, data, name = read_entry(source.path)
    return entry_document(name, history, _own_source(source, data))


def _is_told(data: bytes) -> bool:
    """Whether the file is a text that tells of an entry."""
    if not data or not set(data[:_TEXT_FROM]) <= _TEXT | {0x1B}:  # gdb's print may be coloured
        return False
    from vmci_tui.core.entry_text import tells  # its patterns: a blob and a dump need none of them

    return tells(data)
