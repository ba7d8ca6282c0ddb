"""Templates of guest writes: what a driver does right, and what drivers get wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from vmci_tui.formats.fw_cfg_entry import FIELDS, FORMAT_ELF, FORMAT_NONE, LENGTH, SIZE_LIMIT, Entry, Write

_HALF: Final = LENGTH // 2


class EntryTemplate(NamedTuple):
    """Writes that are made of the current fields of the entry."""

    key: str
    name: str
    does: str
    writes: Callable[[Entry], tuple[Write, ...]]


def _whole(entry: Entry) -> tuple[Write, ...]:
    return (Write(0, LENGTH, entry.pack()),)


def _halves(entry: Entry) -> tuple[Write, ...]:
    data = entry.pack()
    return Write(0, _HALF, data[:_HALF]), Write(_HALF, _HALF, data[_HALF:])


def _big_endian(entry: Entry) -> tuple[Write, ...]:
    pairs = zip(FIELDS, entry, strict=True)
    data = b"".join(value.to_bytes(field.length, "big") for field, value in pairs)
    return (Write(0, LENGTH, data),)


TEMPLATES: Final = (
    EntryTemplate("w", "whole", "all 16 bytes at offset 0, guest_format 1", lambda entry: _whole(_elf(entry))),
    EntryTemplate("h", "halves", "8 bytes at offset 0, then 8 at offset 8", lambda entry: _halves(_elf(entry))),
    EntryTemplate("b", "15 bytes", "one byte too few", lambda entry: (Write(0, LENGTH - 1, entry.pack()[:-1]),)),
    EntryTemplate(
        "0", "format 0", "the note is withdrawn", lambda entry: _whole(entry._replace(guest_format=FORMAT_NONE))
    ),
    EntryTemplate("2", "format 2", "a format that no QEMU knows", lambda entry: _whole(entry._replace(guest_format=2))),
    EntryTemplate("m", "1 MiB", "the largest size that passes", lambda entry: _whole(_sized(entry, SIZE_LIMIT))),
    EntryTemplate("o", "1 MiB + 1", "one byte too large", lambda entry: _whole(_sized(entry, SIZE_LIMIT + 1))),
    EntryTemplate("e", "big-endian", "all fields in the wrong byte order", lambda entry: _big_endian(_elf(entry))),
)


def _elf(entry: Entry) -> Entry:
    return entry._replace(guest_format=FORMAT_ELF)


def _sized(entry: Entry, size: int) -> Entry:
    return _elf(entry)._replace(size=size)
