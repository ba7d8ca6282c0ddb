"""Read a note to append: from a raw note, another dump, a text, or the running machine.

A dump is a file; notes and texts can also come through a pipe.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers import is_dump, open_dump
from vmci_tui.containers.file_types import HEAD, describe_known
from vmci_tui.containers.guest import guest_of
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import NAME, Note, build, parse_raw
from vmci_tui.formats.entry_from_text import from_sysfs, looks_like_pair
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.layers.file import BytesSource, FileSource, Source, is_stream, read_stream
from vmci_tui.search.entry_region import object_at

NOTE_LIMIT = (1 << 20) + 64
"""Bytes; QEMU accepts no note above 1 MiB."""
SYSFS: Final = "/sys/kernel/vmcoreinfo"
KCORE: Final = "/proc/kcore"
"""The memory of the running machine as an ELF file; since Linux 4.19 the note is in its headers."""


def note_from(path: str) -> Note:
    """Return the VMCOREINFO note in a raw note file (zeros may follow it), in another dump, or in /proc/kcore.

    For /sys/kernel/vmcoreinfo itself it is the running machine's note. Raises OpenError.
    """
    with _opened(path, "a note") as (source, name):
        return _note_in(source, name, path)


def _note_in(source: Source, name: Safe, path: str) -> Note:
    dump = open_dump(source)
    if dump is not None:
        note = State(notes=dump.notes).note
        if note is None:
            raise OpenError(f"{name} has no VMCOREINFO note", "name a dump that has one")
        return note
    data = source.read(0, NOTE_LIMIT)
    if looks_like_pair(data):
        entry = from_sysfs(data).entry
        if os.path.realpath(path) == SYSFS:
            return running_note(entry)
        raise OpenError(
            f"{name} is a copy of {SYSFS}: it has the note's address, paddr {entry.paddr:#x}, but not the note",
            f"that machine has it in {KCORE}; a dump of it has it in memory: vmci append DUMP --from-memory "
            f"{entry.paddr:#x}",
        )
    note = parse_raw(data)
    if note is None:
        known = describe_known(data[:4096])
        text = data.startswith(b"OSRELEASE=")
        raise OpenError(
            f"{name} is {known[0] if known else 'neither a note nor a dump'}",
            "use --text for the key=value text" if text else "a raw note begins with namesz 11, descsz, type 0",
        )
    return note


def running_note(entry: Entry, kcore: str = KCORE) -> Note:
    """Return the running machine's note: from the headers of /proc/kcore, else from `entry`. Raises OpenError."""
    with _opened(kcore, "a note") as (source, name):
        dump = open_dump(source)
        if dump is None:
            raise OpenError(f"{name} is not readable as ELF; it may be masked or fake", "run it on the machine itself")
        note = State(notes=dump.notes).note
        if note is None:
            found = object_at(guest_of(dump), entry.paddr, entry.size)
            note = parse_raw(found.candidate.raw) if found.kind == "note" and found.candidate else None
        if note is None:
            raise OpenError(
                f"{name} has neither a VMCOREINFO note nor memory at {entry.paddr:#x}", "name a dump that has one"
            )
        return note


def text_from(path: str) -> bytes:
    """Return the key=value text of a file or a pipe, unchanged. Raises OpenError if it is plainly something else."""
    with _opened(path, "the text of a note") as (source, name):
        return _text_in(source, name)


def _text_in(source: Source, name: Safe) -> bytes:
    if source.size > NOTE_LIMIT:
        raise OpenError(
            f"{name} has {source.size} bytes, too many for the text of a note", f"at most {NOTE_LIMIT} are read"
        )
    data = source.read(0, NOTE_LIMIT)
    if not data:
        raise OpenError(f"{name} is empty", "name a file with key=value lines")
    if is_dump(data) or parse_raw(data) is not None:
        kind = "a dump or another ELF file" if is_dump(data) else "a raw note"
        raise OpenError(f"{name} is {kind}, not the text of a note", "use --note")
    known = describe_known(data[:4096])
    if b"=" not in data or (known is not None and not data.startswith(b"OSRELEASE=")):
        raise OpenError(f"{name} is {known[0] if known else 'not key=value text'}", "the lines look like PAGESIZE=4096")
    return data


def note_or_text(path: str) -> Note:
    """Return the note of a dump, a raw note, or a note built around a text; not from a pipe. Raises OpenError."""
    with FileSource(path) as source:
        found = _either(source, source.name, path)
    return build(NAME, 0, found, "little") if isinstance(found, bytes) else found


def note_or_bare_text(path: str) -> Note | bytes:
    """Return a note, or a text unchanged; from a file or a pipe. Raises OpenError."""
    with _opened(path, "a note") as (source, name):
        return _either(source, name, path)


def _either(source: Source, name: Safe, path: str) -> Note | bytes:
    head = source.read(0, HEAD)
    if is_dump(head) or parse_raw(head) or head[12:22] == NAME[:-1] or looks_like_pair(head):
        return _note_in(source, name, path)
    return _text_in(source, name)


def bytes_from(path: str) -> bytes:
    """Return bytes for guest memory: a dump's note, the note built around a text, else the file unchanged.

    Other bytes are not checked: the user may want to see QEMU refuse a broken note. Raises OpenError.
    """
    with _opened(path, "a note") as (source, name):
        head = source.read(0, HEAD)
        if head.startswith(b"OSRELEASE="):
            return build(NAME, 0, _text_in(source, name), "little").raw
        if is_dump(head):
            return _note_in(source, name, path).raw
        if source.size > NOTE_LIMIT:
            raise OpenError(f"{name} has {source.size} bytes, too many for a note", f"at most {NOTE_LIMIT} are read")
        return source.read(0, NOTE_LIMIT)


@contextmanager
def _opened(path: str, what: str) -> Iterator[tuple[Source, Safe]]:
    """Open the file and close it afterwards; read a pipe, or `-` for standard input, to its end."""
    if is_stream(path):
        yield BytesSource(read_stream(path, NOTE_LIMIT, what)), visible(path)
        return
    with FileSource(path) as source:
        yield source, source.name
