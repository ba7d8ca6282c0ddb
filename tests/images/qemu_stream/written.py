"""Write migration streams by the format's description, apart from the code under test."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from typing import Final

PAGE: Final = 4096
HEAD: Final = b"QEVM\0\0\0\3"


def named(name: str) -> bytes:
    return bytes([len(name)]) + name.encode()


def configuration(machine: str = "pc-i440fx-7.2", *capabilities: str) -> bytes:
    listed = struct.pack(">I", len(capabilities)) + b"".join(map(named, capabilities))
    part = b"\5" + named("configuration/capabilities") + struct.pack(">I", 1) + listed if capabilities else b""
    return b"\7" + struct.pack(">I", len(machine)) + machine.encode() + part


def footer(section: int) -> bytes:
    return b"\x7e" + struct.pack(">I", section)


def device(section: int, name: str, state: bytes, instance: int = 0) -> bytes:
    return b"\4" + struct.pack(">I", section) + named(name) + struct.pack(">II", instance, 1) + state + footer(section)


def ram(kind: int, records: bytes) -> bytes:
    """A section of RAM: 1 is the first, 2 a part, 3 the last."""
    head = named("ram") + struct.pack(">II", 0, 4) if kind == 1 else b""
    return bytes([kind]) + struct.pack(">I", 2) + head + records + struct.pack(">Q", 0x10) + footer(2)


def sizes(blocks: Iterable[tuple[str, int]]) -> bytes:
    listed = list(blocks)
    total = sum(length for _, length in listed)
    return struct.pack(">Q", total | 4) + b"".join(named(name) + struct.pack(">Q", length) for name, length in listed)


def record(address: int, flags: int, data: bytes, block: str | None = None) -> bytes:
    """A page: of `block`, or of the same block as the page before."""
    return struct.pack(">Q", address | flags | (0 if block else 0x20)) + (named(block) if block else b"") + data


def plain(address: int, data: bytes, block: str | None = None) -> bytes:
    return record(address, 0x08, data.ljust(PAGE, b"\0"), block)


def filled(address: int, value: int = 0, block: str | None = None) -> bytes:
    return record(address, 0x02, bytes([value]), block)


def deflated(address: int, data: bytes, block: str | None = None) -> bytes:
    packed = zlib.compress(data.ljust(PAGE, b"\0"))
    return record(address, 0x100, struct.pack(">I", len(packed)) + packed, block)


def changed(address: int, changes: bytes, block: str | None = None) -> bytes:
    return record(address, 0x40, struct.pack(">BH", 1, len(changes)) + changes, block)


def entry(present: bool = True, paddr: int = 0x1000, size: int = 4132) -> bytes:
    return device(9, "vmcoreinfo", struct.pack(">?HHIQ", present, 0, 1, size, paddr))


def clock(below: int, above: int = 0) -> bytes:
    """The clock of a machine with that much memory below and above 4 GiB; at least 16 MiB below."""
    cmos = bytearray(128)
    cmos[0x34:0x36] = struct.pack("<H", below - (16 << 20) >> 16)
    cmos[0x5B:0x5E] = struct.pack("<I", above >> 16)[:3]
    return device(8, "mc146818rtc", bytes(cmos) + bytes(40))


def end(description: bytes | None = None) -> bytes:
    text = json.dumps({"page_size": PAGE, "devices": []}).encode() if description is None else description
    return b"\0\6" + struct.pack(">I", len(text)) + text


def stream(*parts: bytes, machine: str = "pc-i440fx-7.2") -> bytes:
    """A whole stream: `parts` are its sections."""
    return HEAD + configuration(machine) + b"".join(parts) + end()
