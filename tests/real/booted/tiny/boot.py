"""Boot the tiny kernel until it panics, and dump it: `python -m tests.real.booted.tiny.boot FOLDER`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real.booted.boot.boot import Monitor, wait

_LINE = "earlyprintk=serial,ttyS0,115200,keep no_timer_check"
"""The kernel has no driver of terminals; and the timer of a guest on a busy machine may be late."""


def boot(folder: Path) -> None:
    """Write `whole.elf`, with all memory."""
    console, dump = folder / "console", folder / "whole.elf"
    for path in (console, dump):
        path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        monitor = f"{scratch}/qmp"
        guest = ("-kernel", str(folder / "bzImage"), "-initrd", str(folder / "initrd"), "-append", _LINE)
        machine = ("-machine", "pc,accel=tcg", "-m", "64M", "-smp", "2,sockets=2")
        channels = ("-serial", f"file:{console}", "-qmp", f"unix:{monitor},server=on,wait=off", "-display", "none")
        command = ("qemu-system-x86_64", *machine, *guest, *channels, "-nodefaults", "-no-reboot")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            wait(console, b"end Kernel panic", process)
            qmp = Monitor(monitor)
            qmp.ask("stop")
            qmp.ask("dump-guest-memory", protocol=f"file:{dump}", paging=False)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    boot(Path(sys.argv[1]))
