"""Let eu-readelf print the notes of a dump: its values are the standard for registers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.formats.elf_records import IDENT, ElfHeader, Segment, format_of
from vmci_tui.machines.table import MACHINES

needs_eu_readelf = pytest.mark.skipif(shutil.which("eu-readelf") is None, reason="eu-readelf is not installed")
_RENAMED = {"spsr": "cpsr", "orig_gpr3": "orig_r3", "cr": "ccr"}
_OTHER = {"info.si_signo", "info.si_code", "info.si_errno", "spr0", "vscr", "vrsave", "fpscr"}
"""Names of ours that begin otherwise, and registers of which eu-readelf 0.188 prints other bytes than the kernel wrote:
fpscr of arm from offset 0, of ppc64 in two halves, vscr and vrsave cut to 32 bits, spr0 for softe."""
_VALUE = re.compile(r"([\w.]+):\s+(-?0x[0-9a-f]+|-?\d+)(?![\d.x])")
_HEADING = re.compile(r"^  \S+ +\d+  .*$", re.MULTILINE)


def core_of(folder: Path, machine: str, order: ByteOrder, notes: tuple[Note, ...]) -> Path:
    """Write a core with one PT_NOTE and no sections, which eu-readelf would look at alone."""
    facts = MACHINES[machine]
    form = format_of(facts.bits or 64, order)
    area = b"".join(note.raw for note in notes)
    size, each = form.header_size, form.segment.size
    header = ElfHeader(4, facts.e_machine, 1, 0, size, 0, 0, size, each, 1, 0, 0, 0)
    start = size + each
    ident = IDENT.pack(b"\x7fELF", form.bits // 32, 1 if order == "little" else 2, 1, 0, 0, bytes(7))
    segment = form.pack_segment(Segment(4, 0, start, 0, 0, len(area), len(area), 0))
    path = folder / "core"
    path.write_bytes(ident + form.header.pack(*header) + segment + area)
    return path


def printed_notes(core: Path) -> list[dict[str, int]]:
    """Return what eu-readelf prints of each note."""
    out = subprocess.run(["eu-readelf", "-n", str(core)], capture_output=True, text=True, check=False).stdout
    return [
        {_RENAMED.get(name, name): int(value, 0) for name, value in _VALUE.findall(part) if name not in _OTHER}
        for part in _HEADING.split(out)[1:]
    ]
