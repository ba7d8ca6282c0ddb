"""Boot the tiny kernel until it panics, and dump it: `python -m tests.real.booted.tiny.boot FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.real.booted.boot.boot import dump, stopped

_LINE = "earlyprintk=serial,ttyS0,115200,keep no_timer_check"
"""The kernel has no driver of terminals; and the timer of a guest on a busy machine may be late."""


def boot(folder: Path) -> None:
    """Write `whole.elf`, with all memory."""
    guest = ("-kernel", str(folder / "bzImage"), "-initrd", str(folder / "initrd"), "-append", _LINE)
    machine = ("-machine", "pc,accel=tcg", "-m", "64M", "-smp", "2,sockets=2")
    with stopped(("qemu-system-x86_64", *machine, *guest), folder / "console", b"end Kernel panic") as qmp:
        dump(qmp, folder / "whole.elf")


if __name__ == "__main__":
    boot(Path(sys.argv[1]))
