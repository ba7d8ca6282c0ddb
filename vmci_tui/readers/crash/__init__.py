"""crash 8.0.2, the x86-64 build: what `crash --osrelease FILE` does with a dump."""

from __future__ import annotations

import os
from functools import cached_property

from vmci_tui.readers.crash import elf_head_rules as crash_head
from vmci_tui.readers.crash import elf_note_rules as crash_notes
from vmci_tui.readers.crash import kdump_rules as crash_kdump
from vmci_tui.readers.crash.elf_reading import CrashReading
from vmci_tui.readers.crash.text import KEYS, lines
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult, Reader, only

_RULES = (
    *only(lambda run: run.is_other, crash_kdump.rule.all),
    *only(lambda run: not run.is_other, (*crash_head.rule.all, *crash_notes.rule.all)),
)


class _PrintedReading(CrashReading):
    """A reading, with the release that the program prints."""

    @cached_property
    def osrelease(self) -> bytes | None:
        """The release that is printed; None if a rule refuses the file."""
        refused = any(rule.refuses and rule.check(self) is not None for rule in _RULES)
        return None if refused else self.release


def _accepted(run: CrashReading) -> str:
    return os.fsdecode(run.release or b"")


def _reads(run: CrashReading) -> ProbeResult:
    """Report the one known fact about a session: it rejects a flattened file without an end mark."""
    return ProbeResult(False, run.flat.unsorted) if run.flat is not None and run.flat.unsorted else NOT_KNOWN


READER = Reader(
    "crash",
    "8.0.2",
    "crash --osrelease FILE",
    _PrintedReading,
    _RULES,
    _accepted,
    lines,
    KEYS,
    _reads,
    known=("7.2.9", "8.0.2", "8.0.6", "9.0.2"),
    edition="{} (x86-64)".format,
)
