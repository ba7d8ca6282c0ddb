"""crash 8.0.2, the x86-64 build: what `crash --osrelease FILE` does with a dump."""

from __future__ import annotations

import os
from typing import Any

from vmci_tui.formats.elf_records import MAGIC
from vmci_tui.readers.crash import elf_rules
from vmci_tui.readers.crash.elf import CrashElf
from vmci_tui.readers.crash.text import KEYS, lines
from vmci_tui.readers.crash.text_rules import CrashReading
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult, Reader, Rule


def _read(view: View) -> CrashReading:
    """Read the file as the container for which crash takes it."""
    if view.head.startswith(MAGIC):
        return CrashElf(view)
    from vmci_tui.readers.crash.other_files import read_other

    return read_other(view)


def _rules_of(reading: CrashReading | None) -> tuple[Rule[Any], ...]:
    if isinstance(reading, CrashElf):
        return elf_rules.RULES
    from vmci_tui.readers.crash.other_files import rules_of

    return rules_of(reading)


def _accepted(reading: CrashReading) -> str:
    return os.fsdecode(reading.osrelease or b"")


def _reads(reading: CrashReading) -> ProbeResult:
    """Report the one known fact about a session: it rejects a flattened file without an end mark."""
    return ProbeResult(False, reading.unsorted) if reading.unsorted else NOT_KNOWN


READER = Reader(
    "crash",
    "8.0.2",
    "crash --osrelease FILE",
    _read,
    _rules_of,
    _accepted,
    lines,
    KEYS,
    _reads,
    known=("7.2.9", "8.0.2", "8.0.6", "9.0.2"),
    edition="{} (x86-64)".format,
    shows_refused=False,
)
