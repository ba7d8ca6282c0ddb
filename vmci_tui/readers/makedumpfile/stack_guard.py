"""How makedumpfile dies: what it writes past the end of a buffer on its stack.

The C library's guard of the x86-64 build of Debian detects it and ends the program with
`*** stack smashing detected ***` (SIGABRT). This models the layout of that build's stack,
as observed; a build with another compiler may survive, or die otherwise.
"""

from __future__ import annotations

from typing import Final

_SECTION_BUFFER: Final = 72
"""Bytes of room for section header 0: an Elf64_Shdr and the 8 bytes before the stack's guard."""


def section_0_smashes(section: bytes) -> bool:
    """Return whether reading these bytes as section header 0 changes the guard, whose own first byte is 0."""
    return len(section) > _SECTION_BUFFER + 1 or bool(section[_SECTION_BUFFER:].strip(b"\0"))
