"""Dump a stopped guest with the installed QEMU: the same memory as ELF and in each kdump format."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.limits import PATIENCE
from tests.real import readers


class Guest(NamedTuple):
    """A machine, and the first address of its RAM."""

    program: str
    arguments: tuple[str, ...]
    base: int


GUESTS = {
    "x86_64": Guest("qemu-system-x86_64", ("-machine", "pc", "-m", "8M"), 0),
    "i386": Guest("qemu-system-i386", ("-machine", "pc", "-m", "8M"), 0),
    "aarch64": Guest("qemu-system-aarch64", ("-machine", "virt", "-cpu", "cortex-a57", "-m", "8M"), 0x4000_0000),
    "arm": Guest("qemu-system-arm", ("-machine", "virt", "-cpu", "cortex-a15", "-m", "8M"), 0x4000_0000),
}


def dump(guest: Guest, folder: Path, memory: bytes, *formats: str) -> dict[str, str]:
    """Return the file in each format, of one stopped guest; `memory` begins at its second MiB."""
    readers.need(guest.program)
    contents = folder / "memory"
    contents.write_bytes(memory)
    asked: list[dict[str, object]] = [{"execute": "qmp_capabilities"}]
    names = {name: str(folder / f"dump.{name}") for name in formats}
    for name, path in names.items():
        arguments = {"paging": False, "protocol": f"file:{path}", "format": name}
        asked.append({"execute": "dump-guest-memory", "arguments": arguments})
    asked.append({"execute": "quit"})
    done = subprocess.run(
        [
            guest.program, *guest.arguments, "-nodefaults", "-display", "none", "-accel", "tcg", "-S", "-qmp", "stdio",
            "-device", f"loader,file={contents},addr={guest.base + (1 << 20):#x},force-raw=on",
        ],
        input="".join(json.dumps(line) + "\n" for line in asked),
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if '"error"' in line]
    assert not errors, errors
    return names
