"""Boot a kernel until it panics, and print its note: `python -m tests.real.booted.arm64_widths.boot FOLDER CPU`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.opened_files import open_document
from tests.real.booted.boot.boot import dump, stopped
from vmci_tui.adoption.choose import search
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of


def note(folder: Path, processor: str) -> bytes:
    """Return the note of `arch/arm64/boot/Image`; `processor`: by QEMU's name, `max` has addresses of 52 bits."""
    with tempfile.TemporaryDirectory() as scratch:
        console, path = Path(scratch) / "console", Path(scratch) / "dump.elf"
        machine = ("-machine", "virt,accel=tcg", "-cpu", processor, "-m", "128M")
        guest = ("-kernel", str(folder / "arch/arm64/boot/Image"), "-append", "console=ttyAMA0")
        with stopped(("qemu-system-aarch64", *machine, *guest), console, b"end Kernel panic") as qmp:
            dump(qmp, path)
        with open_document(str(path)) as document:
            assert document.dump is not None
            return search(guest_of(document.dump), no_progress)[0].candidate.text


if __name__ == "__main__":
    sys.stdout.buffer.write(note(Path(sys.argv[1]), sys.argv[2]))
