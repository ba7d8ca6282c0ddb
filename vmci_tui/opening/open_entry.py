"""Open a file that is not a dump as an entry: a blob, writes, or a text that shows one; or report what it is."""

from __future__ import annotations

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers import is_dump
from vmci_tui.containers.file_types import HEAD, describe_known, describe_other, describe_text, is_text
from vmci_tui.document.document import Document, entry_document
from vmci_tui.formats import entry_writes_json as writes
from vmci_tui.formats.entry_from_text import from_text, is_entry_text
from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, FORMAT_NONE, LENGTH, Entry, EntryHistory
from vmci_tui.layers.file import BytesSource, FileSource, Source, read_small

BLOB_LIMIT = 4096
"""Bytes; a longer file that is not recognised is not a failed write of 16 bytes either."""
_BLOB_NAMES = (".entry", ".blob", "vmcoreinfo")
"""Ends of the names of blobs, the last by QEMU: such a file is a blob, whatever its bytes are."""

_TOLD_LIMIT = (1 << 16) + 1
"""Bytes; longer texts are not searched for an entry."""
_TOLD_HEAD = 64
"""The first bytes of a file, which decide whether it is a text."""
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n")


def own_source(source: FileSource, data: bytes) -> Source:
    """Return the file if it is the blob itself; for a file that only describes an entry, the entry's bytes."""
    if source.read(0, len(data) + 1) == data:
        return source
    source.close()
    return BytesSource(data)


def read_entry(path: str) -> tuple[EntryHistory, bytes, Safe]:
    """Read the entry in a blob, a `.write.json`, a text that describes one, or a saved VM.

    Return its history, its bytes and the file's name. Raises OpenError with the file's real type.
    """
    name = visible(path)
    with FileSource(path) as source:
        held = None if source.size == LENGTH else _entry_of_vm(source)
    if held is not None:
        return held, held.raw, name
    data = read_small(path, writes.LIMIT, "an entry")
    if writes.is_named_so(path):
        try:
            history = writes.parse(data)
        except OpenError as error:
            raise OpenError(f"{name}: {error.message}", error.hint) from None
        return history, history.raw, name
    if len(data) != LENGTH and is_dump(data):
        raise OpenError(f"{name} is a dump or another ELF file, not an entry", "name the dump first, then the blob")
    if _is_told(data):
        history = from_text(data)
        return history, history.raw, name
    instead = _instead(data[:HEAD], len(data))
    if instead is not None:
        raise OpenError(f"{name} is {instead[0]}", instead[1])
    return EntryHistory.of_blob(data), data, name


def open_entry(source: FileSource, blob: str | None) -> Document:
    """Open a file that is not a dump. Raises OpenError with the file's real type if it is not an entry."""
    if not writes.is_named_so(source.path) and not _is_told(source.read(0, _TOLD_LIMIT)):
        instead = _instead(source.read(0, HEAD), source.size)
        if instead is None and not _may_be_blob(source):
            instead = describe_other(source.size)
        if instead is not None:
            raise OpenError(f"{source.name} is {instead[0]}", instead[1])
    if blob is not None:
        raise OpenError(f"{source.name} is not a dump; an entry beside it needs a dump", "name the dump first")
    history, data, name = read_entry(source.path)
    return entry_document(name, history, own_source(source, data))


def _entry_of_vm(source: FileSource) -> EntryHistory | None:
    """Return QEMU's own entry in the file of a saved VM; None if the file is another. Raises OpenError."""
    from vmci_tui.images.guest_image import ImageChoice
    from vmci_tui.images.open_image import image_of

    try:
        image = image_of(source, ImageChoice())
    except OpenError as error:
        raise OpenError(f"{source.name}: {error.message}", error.hint) from None
    if image is not None and image.entry is None:
        raise OpenError(f"{source.name} is a memory image without an entry", "an entry has 16 bytes: name its blob")
    return None if image is None else image.entry


def _instead(head: bytes, size: int) -> tuple[str, str] | None:
    """Return what a file is that is not an entry, and what to do, by its first bytes; None if they do not show it."""
    if size == LENGTH:
        return None
    if not head:
        return "empty", f"an entry has {LENGTH} bytes, a dump has more: copy the file again"
    return describe_known(head) or (describe_text(head) if is_text(head) else None)


def _may_be_blob(source: FileSource) -> bool:
    """Return whether a file of unknown bytes is a damaged entry: too short, or too long.

    Its name says so, it is shorter than an entry, or it begins with one.
    """
    if source.size <= LENGTH or source.path.endswith(_BLOB_NAMES):
        return source.size <= BLOB_LIMIT
    entry = Entry.parse(source.read(0, LENGTH))
    formats = (FORMAT_NONE, FORMAT_ELF)
    return source.size <= BLOB_LIMIT and entry.guest_format == FORMAT_ELF and entry.host_format in formats


def _is_told(data: bytes) -> bool:
    """Return whether the file is a text that describes an entry."""
    if not data or not set(data[:_TOLD_HEAD]) <= _TEXT | {0x1B}:  # gdb's print may be coloured
        return False
    return is_entry_text(data)
