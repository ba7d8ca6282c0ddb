"""crash 8.0.2, the x86-64 build: what `crash --osrelease FILE` does with a dump."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from vmci_tui.readers.crash import elf_rules, flattened, kdump_rules
from vmci_tui.readers.crash.elf import CrashElf
from vmci_tui.readers.crash.flattened import CrashFlat
from vmci_tui.readers.crash.kdump import CrashKdump
from vmci_tui.readers.crash.text import KEYS, lines
from vmci_tui.readers.crash.text_rules import CrashReading, release_rules
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult, Reader, Rule, only


def _of(rules: Iterable[Rule[Any]], *kinds: type) -> tuple[Rule[CrashReading], ...]:
    """Return the rules limited to some kinds of containers."""
    return only(lambda reading: type(reading) in kinds, rules)


def _read(view: View) -> CrashReading:
    """Read the file as the container for which crash takes it."""
    if CrashFlat.recognises(view):
        return CrashFlat(view)
    return CrashKdump(view) if CrashKdump.recognises(view) else CrashElf(view)


def _accepted(reading: CrashReading) -> str:
    return os.fsdecode(reading.osrelease or b"")


def _reads(reading: CrashReading) -> ProbeResult:
    """Report the one known fact about a session: it rejects a flattened file without an end mark."""
    words = reading.unsorted if isinstance(reading, CrashFlat) else ""
    return ProbeResult(False, words) if words else NOT_KNOWN


READER = Reader(
    "crash",
    "8.0.2",
    "crash --osrelease FILE",
    _read,
    (
        *_of(kdump_rules.REFUSALS, CrashKdump),
        *_of(flattened.REFUSALS, CrashFlat),
        *_of(release_rules("diskdump.c diskdump_get_osrelease", "kdump-"), CrashKdump, CrashFlat),
        *_of(kdump_rules.REMARKS, CrashKdump),
        *_of(flattened.REMARKS, CrashFlat),
        *_of(elf_rules.RULES, CrashElf),
    ),
    _accepted,
    lines,
    KEYS,
    _reads,
    known=("7.2.9", "8.0.2", "8.0.6", "9.0.2"),
    edition="{} (x86-64)".format,
    shows_refused=False,
)
