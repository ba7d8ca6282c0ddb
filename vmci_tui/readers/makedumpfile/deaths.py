"""How makedumpfile dies: what it writes past the end of a buffer.

This models the memory of Debian's x86-64 builds, as observed; a build with another compiler may survive, or
die otherwise. The C library's guard after a buffer on the stack has 8 bytes, the first of which is 0: if it is
changed the program ends with `*** stack smashing detected ***` (SIGABRT).
"""

from __future__ import annotations

from typing import Final

_SECTION_ROOM: Final = 72
"""Bytes for section header 0 before the guard: an Elf64_Shdr and 8 more."""
_TEXT_ROOM: Final = 4104
"""Bytes for the text before the guard, up to 1.6.9: VMCOREINFO_BYTES and 8 more."""
_RELEASE_ROOM: Final = 176
"""Bytes from the release to the first pointer that 1.6.8 frees in the end."""


def _smashes(data: bytes, room: int) -> bool:
    """Return whether the data change the guard after this room."""
    return len(data) > room + 1 or bool(data[room:].strip(b"\0"))


def section_0_smashes(section: bytes) -> bool:
    """Return whether it dies of reading these bytes as section header 0."""
    return _smashes(section, _SECTION_ROOM)


def text_smashes(text: bytes) -> bool:
    """Return whether it dies of copying the text."""
    return _smashes(text, _TEXT_ROOM)


def release_overflows(release: bytes) -> bool:
    """Return whether it dies in the end of a release that is much too long for its room of 65 bytes."""
    return len(release) > _RELEASE_ROOM
