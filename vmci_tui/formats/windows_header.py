"""Parse the dump header that a Windows guest announces instead of a vmcoreinfo text.

The Windows driver (virtio-win, fwcfg64) has Windows fill in the header of a crash dump and
points the entry at it. Fields that Windows leaves out are filled with the word PAGE.
Layout: QEMU, include/qemu/win_dump_defs.h; the end of the 32-bit header (type, times), which
it lacks, is from volatility's crash_vtypes. Always little-endian.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.formats.elf_note import Note
from vmci_tui.machines.table import MACHINES

HEADER_BYTES: Final = {64: 0x2000, 32: 0x1000}
"""Bytes of a whole header for QEMU, by the guest's width."""
_64: Final = (
    ("MajorVersion", 0x8, 4), ("MinorVersion", 0xC, 4), ("DirectoryTableBase", 0x10, 8), ("PfnDatabase", 0x18, 8),
    ("PsLoadedModuleList", 0x20, 8), ("PsActiveProcessHead", 0x28, 8), ("MachineImageType", 0x30, 4),
    ("NumberProcessors", 0x34, 4), ("BugcheckCode", 0x38, 4), ("BugcheckParameter1", 0x40, 8),
    ("BugcheckParameter2", 0x48, 8), ("BugcheckParameter3", 0x50, 8), ("BugcheckParameter4", 0x58, 8),
    ("KdDebuggerDataBlock", 0x80, 8), ("NumberOfRuns", 0x88, 4), ("NumberOfPages", 0x90, 8), ("DumpType", 0xF98, 4),
    ("RequiredDumpSpace", 0xFA0, 8), ("SystemTime", 0xFA8, 8), ("SystemUpTime", 0x1030, 8),
)  # fmt: skip
_32: Final = (
    ("MajorVersion", 0x8, 4), ("MinorVersion", 0xC, 4), ("DirectoryTableBase", 0x10, 4), ("PfnDatabase", 0x14, 4),
    ("PsLoadedModuleList", 0x18, 4), ("PsActiveProcessHead", 0x1C, 4), ("MachineImageType", 0x20, 4),
    ("NumberProcessors", 0x24, 4), ("BugcheckCode", 0x28, 4), ("BugcheckParameter1", 0x2C, 4),
    ("BugcheckParameter2", 0x30, 4), ("BugcheckParameter3", 0x34, 4), ("BugcheckParameter4", 0x38, 4),
    ("KdDebuggerDataBlock", 0x60, 4), ("NumberOfRuns", 0x64, 4), ("NumberOfPages", 0x68, 4), ("DumpType", 0xF88, 4),
    ("RequiredDumpSpace", 0xFA0, 8), ("SystemTime", 0xFC0, 8), ("SystemUpTime", 0xFB8, 8),
)  # fmt: skip
_PARAMETERS: Final = tuple(f"BugcheckParameter{number}" for number in range(1, 5))
_WORDS: Final = re.compile("(?<=[a-z])(?=[A-Z])")
_DECIMAL: Final = frozenset(("MinorVersion", "NumberProcessors", "NumberOfRuns", "NumberOfPages", "RequiredDumpSpace"))
_TICKS: Final = 10_000_000
"""Windows counts time in units of 100 ns,"""
_1601: Final = 11_644_473_600
"""from 1601 on: this number of seconds before 1970."""
_YEAR_10000: Final = 253_402_300_800
_LIVE: Final = 0x161
"""LIVE_SYSTEM_DUMP, which QEMU and the driver write if nothing crashed."""

_MEANINGS: Final = {
    "MinorVersion": "the build of Windows",
    "DirectoryTableBase": "the page tables (CR3)",
    "PfnDatabase": "what each page of memory is used for",
    "PsLoadedModuleList": "list of the loaded drivers",
    "PsActiveProcessHead": "list of the processes",
    "NumberProcessors": "processors",
    "BugcheckParameter1": "where the decoded debugger data is",
    "KdDebuggerDataBlock": "what debuggers start from",
    "NumberOfRuns": "ranges of memory",
    "NumberOfPages": "pages of memory",
    "RequiredDumpSpace": "bytes of the whole dump",
}
_VALUES: Final = {
    "MajorVersion": {0xF: "free build", 0xC: "checked build"},
    "BugcheckCode": {_LIVE: "a live dump: nothing crashed"},
    "DumpType": {1: "full", 2: "kernel", 3: "header", 4: "mini", 5: "bitmap, full", 6: "bitmap, kernel"},
}


class WindowsField(NamedTuple):
    """One field of the header."""

    name: str
    """Its name in QEMU's header file."""
    offset: int
    """From the start of the descriptor."""
    length: int
    value: int | None
    """None if Windows left it out, or the descriptor ends before it."""

    @property
    def shown(self) -> Safe:
        if self.value is None:
            return Safe("not filled in")
        return Safe(str(self.value) if self.name in _DECIMAL else f"{self.value:#x}")

    @property
    def meaning(self) -> Safe:
        """The meaning of the field or of its value; empty if unknown."""
        value = self.value
        if value is None:
            return Safe(_MEANINGS.get(self.name, ""))
        if self.name == "SystemTime":
            return Safe(date(value) or "no date")
        if self.name == "SystemUpTime":
            return Safe(f"{value // _TICKS} seconds")
        if self.name == "MachineImageType":
            return Safe(_machine(value) or "")
        return Safe(_VALUES.get(self.name, {}).get(value) or _MEANINGS.get(self.name, ""))


def _machine(image_type: int | None) -> str | None:
    """Return the machine of a MachineImageType; None if it is unknown."""
    return next((row.name for row in MACHINES.values() if row.windows == image_type is not None), None)


class WindowsHeader(NamedTuple):
    """All fields, in the order of the file."""

    bits: int
    fields: tuple[WindowsField, ...]
    missing: int
    """Bytes that the descriptor lacks of a whole header."""

    def value(self, name: str) -> int | None:
        """Return the value of a field by its name."""
        return next(field.value for field in self.fields if field.name == name)

    @property
    def summary(self) -> Safe:
        """A short description of the guest."""
        build, code = self.value("MinorVersion"), self.value("BugcheckCode")
        words = [f"Windows build {build}" if build is not None else "Windows", f"{self.bits} bit"]
        if code is not None:
            words.append("a live dump" if code == _LIVE else f"bug check {code:#x}")
        if self.missing:
            words.append(f"{self.missing} bytes of the header are missing")
        return Safe(", ".join(words))


def windows_header(note: Note | None) -> WindowsHeader | None:
    """Return the header in a note's descriptor, even a short one; None if the note has no Windows header."""
    if note is None or not note.is_windows:
        return None
    bits = 64 if note.desc.startswith(b"PAGEDU64") else 32
    return _parse(note.desc[: HEADER_BYTES[bits]], bits)


@lru_cache(maxsize=4)
def _parse(desc: bytes, bits: int) -> WindowsHeader:
    fields = tuple(
        WindowsField(name, offset, length, _value(desc[offset : offset + length], length))
        for name, offset, length in sorted(_64 if bits == 64 else _32, key=lambda item: item[1])
    )
    return WindowsHeader(bits, fields, HEADER_BYTES[bits] - len(desc))


def _value(raw: bytes, length: int) -> int | None:
    return None if len(raw) < length or raw == b"PAGE" * (length // 4) else int.from_bytes(raw, "little")


def date(ticks: int) -> str | None:
    """Return a time of Windows, in UTC; None for 0, and past the year 9999."""
    seconds = ticks // _TICKS - _1601
    if not ticks or seconds >= _YEAR_10000:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def windows_json(note: Note | None) -> dict[str, Any] | None:
    """Return the fields as JSON: numbers, null for fields that are not filled in; None without a Windows header."""
    header = windows_header(note)
    if header is None:
        return None
    return {
        "bits": header.bits,
        **{_WORDS.sub("_", f.name).lower(): f.value for f in header.fields if f.name not in _PARAMETERS},
        "bugcheck_parameters": [header.value(name) for name in _PARAMETERS],
        "machine": _machine(header.value("MachineImageType")),
        "date": date(header.value("SystemTime") or 0),
    }


def windows_text(note: Note) -> Iterator[str]:
    """Yield the lines that `vmci show` prints for it instead of a text."""
    header = windows_header(note)
    if header is None:
        return
    yield f"Windows dump header: {header.summary}"
    for field in header.fields:
        yield f"  {field.name:<19} {field.shown:<19} {field.meaning}".rstrip()
