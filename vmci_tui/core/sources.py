"""Where a note to append comes from: a raw note, another dump, or a text."""

from __future__ import annotations

from vmci_tui.core.containers import is_dump, open_dump
from vmci_tui.core.containers.sniff import HEAD, looks_like
from vmci_tui.core.document import State
from vmci_tui.core.errors import OpenError
from vmci_tui.core.note import NAME, Note, build, parse_raw
from vmci_tui.core.source import FileSource, read_small
from vmci_tui.core.text import visible

NOTE_LIMIT = (1 << 20) + 64
"""QEMU takes no note above 1 MiB."""


def note_from(path: str) -> Note:
    """The VMCOREINFO note in a raw note file (zeros may follow it) or in another dump. Raises OpenError."""
    source = FileSource(path)
    try:
        dump = open_dump(source)
        if dump is not None:
            note = State(notes=dump.notes).note
            if note is None:
                raise OpenError(f"{source.name} has no VMCOREINFO note", "name a dump that has one")
            return note
        data = source.read(0, NOTE_LIMIT)
        note = parse_raw(data)
        if note is None:
            known = looks_like(data[:4096])
            text = data.startswith(b"OSRELEASE=")
            raise OpenError(
                f"{source.name} is {known[0] if known else 'no note and no dump'}",
                "use --text for the key=value text" if text else "a raw note begins with namesz 11, descsz, type 0",
            )
        return note
    finally:
        source.close()


def text_from(path: str) -> bytes:
    """The key=value text of a file, to the byte. Raises OpenError for what is plainly none."""
    data = read_small(path, NOTE_LIMIT, "the text of a note")
    if not data:
        raise OpenError(f"{visible(path)} is empty", "name a file with key=value lines")
    if is_dump(data) or parse_raw(data) is not None:
        kind = "a dump or another ELF file" if is_dump(data) else "a raw note"
        raise OpenError(f"{visible(path)} is {kind}, not the text of a note", "use --note")
    known = looks_like(data[:4096])
    if b"=" not in data or (known is not None and not data.startswith(b"OSRELEASE=")):
        raise OpenError(
            f"{visible(path)} is {known[0] if known else 'no key=value text'}", "the lines look like PAGESIZE=4096"
        )
    return data


def note_or_text(path: str) -> Note:
    """Whatever the file is: a dump, a raw note, or a text around which a note is built. Raises OpenError."""
    source = FileSource(path)
    try:
        head = source.read(0, HEAD)
    finally:
        source.close()
    if is_dump(head) or parse_raw(head) is not None or head[12:22] == NAME[:-1]:
        return note_from(path)
    return build(NAME, 0, text_from(path), "little")


def bytes_from(path: str) -> bytes:
    """What shall lie in guest memory: a dump's note, the note around a text, else the file as it is. Raises OpenError.

    A note that is broken is what one may want to see QEMU refuse, so nothing is asked of other bytes.
    """
    source = FileSource(path)
    try:
        head = source.read(0, HEAD)
    finally:
        source.close()
    if is_dump(head):
        return note_from(path).raw
    if head.startswith(b"OSRELEASE="):
        return build(NAME, 0, text_from(path), "little").raw
    return read_small(path, NOTE_LIMIT, "a note")
