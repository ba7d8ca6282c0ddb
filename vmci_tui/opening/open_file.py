"""Open a file by its name as a document: a dump, an entry, writes; or report what it is in one line."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import Dump, open_dump
from vmci_tui.document.document import Document, OpenedAs, entry_document
from vmci_tui.document.state import State
from vmci_tui.formats.fw_cfg_entry import RESET, EntryHistory
from vmci_tui.layers.file import BytesSource, FileSource, Source

if TYPE_CHECKING:
    from vmci_tui.images.guest_image import ImageChoice

_VMS: Final = ("qmp:", "virsh:")
"""How the name of a running VM begins."""
_SAVE: Final = b"LibvirtQemud"
"""The first bytes of a save, finished or not."""
_STREAMS: Final = (b"QEVM", b"QFI\xfb", _SAVE)
"""The first bytes of files that hold a QEMU stream: a stream itself, a qcow2 disk, and a save."""
_COMPRESSED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")
"""The first bytes of files by gzip, bzip2, xz and zstd, which may hold a stream."""
_QUICK: Final = 4 << 20
"""Bytes; a shorter save decompresses in a tenth of a second, if not by bzip2."""
_LARGE: Final = 128 << 20
"""Bytes; to find the pages of a shorter stream takes a twentieth of a second, if the file is in memory."""


def open_document(
    path: str,
    blob: str | None = None,
    choice: ImageChoice | None = None,
    progress: Progress = no_progress,
    pages: bool = False,
) -> Document:
    """Open a dump, a memory image or a running VM, with the entry in `blob` if given, or an entry alone.

    With `pages` all pages of a saved VM are found now, with `progress`; else when its memory is first read.

    Raises OpenError: one line with the file's real type, and what to do.
    """
    document = _opened(path, blob, choice, progress, pages)
    document.opened_as = OpenedAs(path, *(choice[:4] if choice is not None else ()))
    return document


def _opened(path: str, blob: str | None, choice: ImageChoice | None, progress: Progress, pages: bool) -> Document:
    if names_vm(path):
        from vmci_tui.opening.open_vm import open_vm

        return _with_entry(open_vm(path, choice), blob)
    if "@" in path:
        from vmci_tui.opening.raw_names import names_raw, open_raw_parts, refuse_address

        if names_raw(path):
            return _with_entry(open_raw_parts(path), blob)
        refuse_address(path)
    with ExitStack() as stack:
        source = stack.enter_context(FileSource(path))
        try:
            dump = None if choice is not None and choice.map is not None else open_dump(source)
        except OpenError as error:
            raise OpenError(f"{source.name}: {error.message}", error.hint) from None
        if dump is None:
            document = _not_a_dump(source, blob, choice, progress, pages)
        else:
            document = _of_dump(source.name, source, dump)
        if document.dump is not None:
            _with_entry(document, blob)
        stack.pop_all()
    return document


def names_vm(name: str) -> bool:
    """Return whether the user means a running VM: `qmp:SOCKET` or `virsh:DOMAIN`, unless a file has that name."""
    return name.startswith(_VMS) and not os.path.lexists(name)


def _with_entry(document: Document, blob: str | None) -> Document:
    if blob is not None:
        attach_entry(document, blob)
    return document


def _of_dump(name: Safe, source: Source, dump: Dump) -> Document:
    return Document(name, source, dump, State(notes=dump.notes, header=dump.header_fields))


def _not_a_dump(
    source: FileSource, blob: str | None, choice: ImageChoice | None, progress: Progress, pages: bool
) -> Document:
    """Open a memory image or an entry. Raises OpenError."""
    from vmci_tui.images.open_image import open_image

    dump = open_image(source, choice, progress, pages)
    if dump is None:
        from vmci_tui.opening.open_entry import open_entry

        return open_entry(source, blob)
    stream = dump.image.stream
    alone = not dump.image.memory.ranges and (stream is None or not stream.blocks)
    if dump.image.entry is not None and alone and blob is None:
        # The devices of a VM, as `xen-save-devices-state` writes them: its entry is all that a dump could have of it.
        source.close()
        return entry_document(source.name, dump.image.entry, BytesSource(dump.image.entry.raw))
    document = _of_dump(source.name, dump.source, dump)
    document.opened = replace(document.opened, entry=dump.image.entry)
    document.files = (source,)
    return document


def opens_slowly(path: str) -> bool:
    """Return whether all of a file is read to open it with its pages: a large saved VM, or a compressed one."""
    try:
        with FileSource(path) as source:
            head = source.read(0, len(_SAVE))
            if head.startswith(_STREAMS) and source.size >= _LARGE:
                return True
            if head.startswith(_COMPRESSED):
                return source.size >= _QUICK
            if source.size < _QUICK or head != _SAVE:
                return False
            from vmci_tui.images.wrapped.libvirt_save import read_save_head

            return read_save_head(source).compression is not None
    except OpenError:
        return False


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
