"""Boot a kernel until it panics, and print its note: `python -m tests.real.booted.arm64_widths.boot FOLDER CPU`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.opened_files import open_document
from tests.real.booted.boot.boot import Monitor, wait
from vmci_tui.adoption.choose import search
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of


def note(folder: Path, processor: str) -> bytes:
    """Return the note of `arch/arm64/boot/Image`; `processor`: by QEMU's name, `max` has addresses of 52 bits."""
    with tempfile.TemporaryDirectory() as scratch:
        console, monitor, dump = (Path(scratch) / name for name in ("console", "qmp", "dump.elf"))
        machine = ("-machine", "virt,accel=tcg", "-cpu", processor, "-m", "128M")
        guest = ("-kernel", str(folder / "arch/arm64/boot/Image"), "-append", "console=ttyAMA0")
        channels = ("-serial", f"file:{console}", "-qmp", f"unix:{monitor},server=on,wait=off", "-display", "none")
        command = ("qemu-system-aarch64", *machine, *guest, *channels, "-nodefaults", "-no-reboot")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            wait(console, b"end Kernel panic", process)
            qmp = Monitor(str(monitor))
            qmp.ask("stop")
            qmp.ask("dump-guest-memory", protocol=f"file:{dump}", paging=False)
        finally:
            process.kill()
            process.wait()
        with open_document(str(dump)) as document:
            assert document.dump is not None
            return search(guest_of(document.dump), no_progress)[0].candidate.text


if __name__ == "__main__":
    sys.stdout.buffer.write(note(Path(sys.argv[1]), sys.argv[2]))
