"""Read an entry from text: gdb's print of QEMU's own state, /sys/kernel/vmcoreinfo, or a hex dump.

QEMU holds the 16 bytes as the guest wrote them and swaps them only when it uses them (hw/misc/vmcoreinfo.c,
dump/dump.c: le16_to_cpu). So gdb shows the right numbers on a little-endian host, and on a big-endian one each
field with its bytes swapped, which finding E10 reports and repairs.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from vmci_tui.common.errors import OpenError
from vmci_tui.formats.entry_from_hex import entry_bytes
from vmci_tui.formats.fw_cfg_entry import FIELDS, FORMAT_ELF, GDB_COMMAND, Entry, EntryHistory, Write

LIMIT: Final = 1 << 16
"""The most bytes of text that are read."""

_NUMBER: Final = rb"(0x[0-9a-fA-F]{1,32}|-?[0-9]{1,32})"
_STRUCT: Final = re.compile(rb"\s*,\s*".join(rb"\b" + field.name.encode() + rb"\s*=\s*" + _NUMBER for field in FIELDS))
_PRESENT: Final = re.compile(rb"\bhas_vmcoreinfo\s*=\s*(true|false|0x[01]\b|[01]\b)")
_PAIR: Final = re.compile(rb"[ \t]*(0x)?([0-9a-fA-F]{1,32})[ \t]+([0-9a-fA-F]{1,16})[ \t]*\r?")
_NOISE: Final = re.compile(rb"\x1b\[[0-9;]*[mK]|--Type <RET> for more[^\n]{0,80}--[ \t]*\n?")
"""Colours, and gdb's prompt between two pages."""
_TROUBLES: Final = (
    (b'No symbol "vmcoreinfo_realize"', "gdb does not know vmcoreinfo_realize: it needs QEMU's debug symbols"),
    (b"No symbol", "gdb has no symbols of QEMU: it needs QEMU's debug symbols"),
    (b"Cannot access memory", "gdb found no state there: this QEMU has no -device vmcoreinfo, or does not run yet"),
    (b"has unknown type", "gdb does not know the type: it needs QEMU's debug symbols"),
)


def from_gdb(text: bytes) -> EntryHistory:
    """Return the last entry in gdb's output, whatever is around it. Raises OpenError.

    If the whole state was printed, its `has_vmcoreinfo` is kept: only QEMU knows it.
    """
    text = _NOISE.sub(b"", text[:LIMIT])
    found = tuple(_STRUCT.finditer(text))
    if not found:
        why = next((words for sign, words in _TROUBLES if sign in text), "gdb printed no entry here")
        raise OpenError(why, f"run in gdb, on QEMU: {GDB_COMMAND}")
    last = found[-1]
    entry = Entry(
        *(_field(digits, field.name, field.length) for digits, field in zip(last.groups(), FIELDS, strict=True))
    )
    # The flag is before the fields in the same print, and after the previous print.
    start = found[-2].end() if len(found) > 1 else 0
    said = _PRESENT.findall(text, start, last.start())
    has_vmcoreinfo = said[-1] in (b"true", b"1", b"0x1") if said else None
    return _history(entry, "blob", has_vmcoreinfo)


def from_sysfs(text: bytes) -> EntryHistory:
    """Return the entry that Linux writes for the pair "paddr size", both in hex. Raises OpenError.

    Other lines around the pair, such as a shell prompt, are ignored.
    """
    pairs = [match for line in text[:LIMIT].split(b"\n") if (match := _PAIR.fullmatch(line))]
    if not pairs:
        raise OpenError("no pair of /sys/kernel/vmcoreinfo is in it", 'it looks like "0x0000000100c66000 1024"')
    if len(pairs) > 1:
        raise OpenError(f"{len(pairs)} pairs of /sys/kernel/vmcoreinfo are in it", "give one of them")
    return _of_pair(pairs[0])


def looks_like_pair(data: bytes) -> bool:
    """Return whether this is the content of /sys/kernel/vmcoreinfo, and nothing else.

    Read as a blob, the digits would be a size above 1 MiB, which no guest writes.
    """
    return len(data) <= 64 and data.count(b"\n") <= 1 and _PAIR.fullmatch(data.removesuffix(b"\n")) is not None


def looks_like_gdb(data: bytes) -> bool:
    return len(data) <= LIMIT and b"guest_format" in data and _STRUCT.search(_NOISE.sub(b"", data)) is not None


def is_entry_text(data: bytes) -> bool:
    """Return whether this is a text of one of these kinds."""
    return looks_like_pair(data) or looks_like_gdb(data) or entry_bytes(data) is not None


def from_text(data: bytes) -> EntryHistory:
    """Return the entry in a text that holds one. Raises OpenError for numbers that do not fit."""
    if looks_like_pair(data):
        return from_sysfs(data)
    raw = entry_bytes(data)
    return from_gdb(data) if raw is None else EntryHistory.of_blob(raw)


def _of_pair(match: re.Match[bytes]) -> EntryHistory:
    paddr, size = int(match[2], 16), int(match[3], 16)
    if paddr >= 1 << 64 or size >= 1 << 32:
        raise OpenError("the pair of /sys/kernel/vmcoreinfo does not fit an entry", "paddr has 64 bits, size has 32")
    return _history(Entry(0, FORMAT_ELF, size, paddr), "derived", None)


def _history(entry: Entry, origin: Literal["blob", "derived"], has_vmcoreinfo: bool | None) -> EntryHistory:
    data = entry.pack()
    history = EntryHistory.of_blob(data, origin)
    return EntryHistory(origin, (Write(0, len(data), data),), has_vmcoreinfo) if history.writes else history


def _field(digits: bytes, name: str, length: int) -> int:
    """Return a number as gdb prints it: hex, octal with a leading 0, or decimal, which may be signed."""
    text = digits.decode()
    if text.lower().startswith("0x"):
        value = int(text, 16)
    elif text.startswith("0") and set(text) <= set("01234567"):
        value = int(text, 8)
    else:
        value = int(text)
    top = 1 << (8 * length)
    if not -top // 2 <= value < top:
        raise OpenError(f"{name} is {length} bytes wide: {text} does not fit", "print it with p/x")
    return value % top
