"""Find where the section of a device ends: by its footer, since a stream has no lengths of sections."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from vmci_tui.images.qemu_stream import records
from vmci_tui.images.qemu_stream.cursor import BrokenStream
from vmci_tui.layers.file import Source

_SEARCHED: Final = 64 << 20
"""The most bytes of a device's state. Most have less than 20 KB; a passed-through device (VFIO) may have megabytes."""
_WINDOW: Final = 1 << 16
_FOOTER: Final = 5
_HEADER: Final = 1 + 4 + 1 + 255 + 4 + 4
"""The most bytes of the header of a section."""
_PADDING: Final = bytes(_HEADER)
_COMMANDS: Final = 32
"""Numbers of commands; QEMU 10.0 has 12."""
_TEXT: Final = re.compile(rb"[\x20-\x7e]*")


def find_footer(source: Source, start: int, section: int, started: Container[int]) -> int:
    """Return the offset of the footer of a section whose state begins at `start`. Raises BrokenStream.

    `started` are the sections that are sent in parts: parts of them may follow.
    """
    footer = bytes([records.FOOTER]) + section.to_bytes(4, "big")
    at = start
    while at < start + _SEARCHED and (data := source.read(at, _WINDOW + _FOOTER - 1)):
        found = data.find(footer)
        while found >= 0:
            if begins_record(source.read(at + found + _FOOTER, _HEADER), started):
                return at + found
            found = data.find(footer, found + 1)
        at += _WINDOW
    if at < source.size:
        raise BrokenStream(f"a section has no end in {_SEARCHED >> 20} MiB", start)
    raise BrokenStream("the file ends", source.size, cut=True)


def begins_record(data: bytes, started: Container[int]) -> bool:
    """Return whether a record of a stream can begin with these bytes; fewer than a header has are all up to its end."""
    match data[:1]:
        case b"":
            return True
        case b"\0":
            return data == _PADDING[: len(data)] or _begins_description(data[1:])
        case b"\1" | b"\4":
            length = data[5] if len(data) > 5 else 1
            return length > 0 and _TEXT.fullmatch(data[6 : 6 + length]) is not None
        case b"\2" | b"\3":
            return len(data) < 5 or int.from_bytes(data[1:5], "big") in started
        case b"\6":
            return _begins_description(data)
        case b"\x08":
            return len(data) < 3 or int.from_bytes(data[1:3], "big") < _COMMANDS
    return False


def _begins_description(data: bytes) -> bool:
    return data[:1] == bytes([records.DESCRIPTION]) and data[5:7] == b'{"'[: max(len(data) - 5, 0)]
