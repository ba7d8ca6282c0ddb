"""Decode and encode the notes of a CPU's registers by a table: names, widths, and what some registers are for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, NamedTuple

from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.formats.elf_note import ByteOrder

Role = Literal["", "pc", "sp", "frame", "link", "result", "tables"]
WORDS: Final[Mapping[Role, str]] = {
    "": "",
    "pc": "the next instruction",
    "sp": "the stack pointer",
    "frame": "the frame pointer, where code keeps one",
    "link": "the return address",
    "result": "the first result of a call",
    "tables": "the root of the page tables: a paddr, with flags in its low bits",
}
"""What a register of each role is for."""
_SLACK: Final = 8
"""Bytes by which a descriptor may be longer than its record: it is padded to the alignment of its widest field."""


class Register(NamedTuple):
    """A register or another field of the descriptor; `offset` counts from the descriptor's start, in bytes."""

    name: str
    value: int
    """Unsigned."""
    meaning: str
    """What it is for; empty where its name says all."""
    offset: int
    length: int
    role: Role = ""


class RegisterSet(NamedTuple):
    """What one kind of note holds: one name and one `struct` code a field, in the order of the descriptor."""

    title: str
    names: tuple[str, ...]
    codes: tuple[str, ...]
    roles: Mapping[str, Role] = {}
    """The roles of registers, by their names."""
    meanings: Mapping[str, str] = {}
    """What other fields are for, by their names."""

    def record(self, order: ByteOrder) -> NamedStruct:
        """Return where the fields are in a descriptor of this byte order."""
        return _record(order, self.names, self.codes)

    def fits(self, length: int) -> bool:
        """Return whether a descriptor of `length` bytes is one of these."""
        return 0 <= length - self.record("little").size <= _SLACK

    def decode(self, desc: bytes, order: ByteOrder) -> tuple[Register, ...]:
        """Return the fields of a descriptor that fits."""
        return tuple(
            Register(
                name,
                int.from_bytes(desc[at : at + length], order),
                self.meanings.get(name) or WORDS[self.roles.get(name, "")],
                at,
                length,
                self.roles.get(name, ""),
            )
            for name, at, length in self.record(order).fields
        )

    def encode(self, values: Mapping[str, int], order: ByteOrder, length: int) -> bytes:
        """Return a descriptor of `length` bytes, which fits, with these values by the names of their fields.

        A value is cut to the width of its field; a field without a value is zero.
        """
        desc = bytearray(length)
        for name, at, width in self.record(order).fields:
            desc[at : at + width] = (values.get(name, 0) % (1 << 8 * width)).to_bytes(width, order)
        return bytes(desc)


_record = cache(NamedStruct.of)


def numbered(prefix: str, count: int) -> tuple[str, ...]:
    """Return the names of registers with numbers, from 0 on."""
    return tuple(f"{prefix}{number}" for number in range(count))
