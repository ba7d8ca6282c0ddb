"""Files that are not ELF for crash: kdump-compressed, diskdump and flattened ones, and all rules together."""

from __future__ import annotations

from typing import Any, Final

from vmci_tui.readers.crash import elf_rules, flattened, kdump_rules
from vmci_tui.readers.crash.elf import CrashElf
from vmci_tui.readers.crash.flattened import CrashFlat
from vmci_tui.readers.crash.kdump import CrashKdump
from vmci_tui.readers.crash.text_rules import CrashReading, release_rules
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Rule

_RELEASE: Final = release_rules("diskdump.c diskdump_get_osrelease", "kdump-")
_Rules = tuple[Rule[Any], ...]
_OF_KDUMP: Final[_Rules] = (*kdump_rules.REFUSALS, *_RELEASE, *kdump_rules.REMARKS)
_OF_FLATTENED: Final[_Rules] = (*flattened.REFUSALS, *_RELEASE, *flattened.REMARKS)
_REMARKS: Final[_Rules] = (*kdump_rules.REMARKS, *flattened.REMARKS)
_ALL: Final[_Rules] = (*kdump_rules.REFUSALS, *flattened.REFUSALS, *_RELEASE, *_REMARKS, *elf_rules.RULES)


def read_other(view: View) -> CrashReading:
    """Read a file that does not begin as an ELF file does; crash takes for one what it does not recognise."""
    if CrashFlat.recognises(view):
        return CrashFlat(view)
    return CrashKdump(view) if CrashKdump.recognises(view) else CrashElf(view)


def rules_of(reading: CrashReading | None) -> _Rules:
    """Return the rules for the kind of file that crash takes it for; those of all kinds for None."""
    if reading is None:
        return _ALL
    return _OF_KDUMP if isinstance(reading, CrashKdump) else _OF_FLATTENED
