"""List a folder for a prompt that asks for a file: what is in it, and how a typed path can go on."""

from __future__ import annotations

import os
import shlex
import stat
import time
from itertools import islice, takewhile
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import is_dump
from vmci_tui.formats import elf_records
from vmci_tui.formats.fw_cfg_entry import LENGTH
from vmci_tui.layers.file import FileSource, reason

_MOST: Final = 5000
"""The most names of a folder that are listed."""
_LOOKED_INTO: Final = 500
"""The most files whose first bytes are read."""
_PATIENCE: Final = 1.0
"""Seconds after which no more files are looked into: each takes a round trip on a network."""
_HEAD: Final = 18
"""Bytes that show what a file is, up to the type of an ELF file."""


class FolderItem(NamedTuple):
    """A file or a folder in a folder."""

    name: str
    is_folder: bool = False
    size: int = 0
    """Bytes; 0 for a folder."""
    kind: str = ""
    """`dump`, `entry` or `writes`; empty for another file, and one that was not looked into."""


class FolderListing(NamedTuple):
    """What is in a folder: files that can be opened first, then folders, then other files, each by name."""

    items: tuple[FolderItem, ...] = ()
    trouble: Safe | None = None
    """Why the folder cannot be listed, or that it has more names than are listed."""


def parted(typed: str) -> tuple[str, str]:
    """Return the folder of a typed path, with the slash at its end, and the beginning of a name in it."""
    folder, slash, name = typed.rpartition("/")
    return folder + slash, name


def pasted_path(text: str) -> str:
    """Return the first line of a pasted text as a path, without the quotes or backslashes of a shell."""
    line = text.strip().split("\n")[0].strip()
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    return words[0] if len(words) == 1 else line


def list_folder(folder: str) -> FolderListing:
    """List a folder; the empty string is the current one, and ~ a home folder. Reading it may take seconds."""
    path = os.path.expanduser(folder) or "."
    try:
        with os.scandir(path) as found:
            entries = list(islice(found, _MOST + 1))
    except (OSError, ValueError) as error:
        return FolderListing(trouble=Safe(f"this folder cannot be listed: {reason(error)}"))
    entries.sort(key=lambda entry: entry.name)
    until = time.monotonic() + _PATIENCE
    items = []
    for number, entry in enumerate(entries[:_MOST]):
        item = _item(entry, number < _LOOKED_INTO and time.monotonic() < until)
        if item is not None:
            items.append(item)
    items.sort(key=lambda item: (not item.kind, not item.is_folder))
    more = Safe(f"the first {_MOST} names of a larger folder: type more of the path") if len(entries) > _MOST else None
    return FolderListing(tuple(items), more)


def matching(items: tuple[FolderItem, ...], start: str) -> tuple[FolderItem, ...]:
    """Return the items whose names begin with `start`, the one of exactly that name first; hidden ones only for a dot.

    Capital letters only matter if one is typed.
    """
    folded = start == start.lower()
    hidden = start.startswith(".")
    found = [
        item
        for item in items
        if (item.name.lower() if folded else item.name).startswith(start) and (hidden or not item.name.startswith("."))
    ]
    return tuple(sorted(found, key=lambda item: item.name != start))


def completed(found: tuple[FolderItem, ...], start: str) -> str:
    """Return `start` as far as all matching names agree; a single folder's name gets its slash.

    Names that cannot be typed do not count.
    """
    names = [item.name + "/" * item.is_folder for item in found if item.name.isprintable()]
    pairs = zip(min(names, default=""), max(names, default=""), strict=False)  # all others agree where these two do
    common = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return common if len(common) >= len(start) else start


def _item(entry: os.DirEntry[str], look: bool) -> FolderItem | None:
    """Return what a name in a folder stands for; None for a device, a pipe, and a link to nothing."""
    try:
        status = entry.stat()
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return FolderItem(entry.name, is_folder=True)
    if not stat.S_ISREG(status.st_mode):
        return None
    return FolderItem(entry.name, False, status.st_size, _kind(entry, status.st_size) if look else "")


def _kind(entry: os.DirEntry[str], size: int) -> str:
    if entry.name.endswith(".write.json"):
        return "writes"
    if size == LENGTH:
        return "entry"
    if size < LENGTH:
        return ""
    try:
        with FileSource(entry.path) as source:
            head = source.read(0, _HEAD)
    except OpenError:
        return ""
    if head.startswith(elf_records.MAGIC):
        return "dump" if int.from_bytes(head[16:18], "big" if head[5] == 2 else "little") == elf_records.ET_CORE else ""
    return "dump" if is_dump(head) else ""
