"""A booted guest: its dump, and the truth from its own console and from QEMU's monitor."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Final

FOLDER: Final = Path(os.environ["VMCI_GUESTS"]) if "VMCI_GUESTS" in os.environ else None
"""The folder that boot/all.sh fills: SUITE/dumps/NAME.elf, SUITE/logs/NAME.serial and NAME.json."""
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=]+\Z")
_QEMU_NAMES: Final = {"sp": ("r13",), "lr": ("r14",), "pc": ("r15",), "pswa": ("addr",), "pswm": ("mask",)}
"""Our names of registers, and QEMU's where they differ."""


class Guest:
    """A guest that was dumped while it stood still."""

    def __init__(self, dump: Path) -> None:
        self.dump = dump
        self._logs = dump.parent.parent / "logs"

    def __str__(self) -> str:
        return f"{self.dump.parent.parent.name}-{self.dump.stem}"

    @cached_property
    def console(self) -> bytes:
        return (self._logs / f"{self.dump.stem}.serial").read_bytes().replace(b"\r", b"")

    def said(self, what: str) -> bytes:
        """Return what the guest packed between `what`-begin and `what`-end; empty if it said nothing."""
        found = re.search(rb"TRUTH %b-begin\n(.*?)TRUTH %b-end" % (what.encode(), what.encode()), self.console, re.S)
        # The kernel may print a line of its own in between.
        lines = [line for line in (found[1] if found else b"").split(b"\n") if _BASE64.match(line)]
        return gzip.decompress(base64.b64decode(b"".join(lines))) if lines else b""

    @property
    def btf_sum(self) -> str | None:
        """The SHA-256 of the guest's own /sys/kernel/btf/vmlinux."""
        found = re.search(rb"TRUTH btf [0-9]+ ([0-9a-f]{64})", self.console)
        return found[1].decode() if found else None

    @cached_property
    def symbols(self) -> set[tuple[int, str, bytes]]:
        """Address, type and name of each symbol of the kernel itself, without modules."""
        rows = [line.split(b" ") for line in self.said("kallsyms").split(b"\n") if line and b"\t" not in line]
        return {(int(address, 16), kind.decode(), name) for address, kind, name in rows}

    @cached_property
    def registers(self) -> list[dict[str, int]]:
        """The registers of each CPU, by QEMU's names in small letters."""
        text = json.loads((self._logs / f"{self.dump.stem}.json").read_text())["registers"].replace("\r", "")
        found = r"(?:\bx\d+/)?\b([A-Za-z][A-Za-z0-9]*) *[= ] *([0-9a-f]{8,16})\b"
        return [
            {name.lower(): int(value, 16) for name, value in reversed(re.findall(found, part))} | _powerpc(part)
            for part in re.split(r"(?m)^CPU#\d+\n", text)[1:]
        ]

    def register(self, cpu: int, name: str) -> int | None:
        """Return a register by our name of it, with QEMU's value; None if QEMU does not print it."""
        shown = self.registers[cpu]
        number = re.match(r"([rx])(\d)$", name)
        names = (name, f"{number[1]}0{number[2]}" if number else name, *_QEMU_NAMES.get(name, ()))
        return next((shown[one] for one in names if one in shown), None)


def _powerpc(text: str) -> dict[str, int]:
    """Return the general registers, which QEMU prints for PowerPC four in a line after the first one's name."""
    lines = re.findall(r"GPR(\d\d)((?: [0-9a-f]{16})+)", text)
    return {f"r{int(first) + i}": int(v, 16) for first, values in lines for i, v in enumerate(values.split())}


def guests() -> list[Guest]:
    """Return all guests in the folder, none if it is not named."""
    return [Guest(path) for path in sorted(FOLDER.glob("*/dumps/*.elf"))] if FOLDER else []
