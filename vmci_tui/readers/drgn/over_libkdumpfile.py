"""libkdumpfile, as drgn uses it for an ELF dump with DRGN_USE_LIBKDUMPFILE_FOR_ELF=1.

drgn first looks for the note itself; only if it finds one, libkdumpfile opens the dump,
reads the note again in its own way, and gives drgn the text up to the first NUL. A kdump
file goes to libkdumpfile with or without that variable: then this is drgn's verdict.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, cast

from vmci_tui.common.span import Span
from vmci_tui.readers.drgn import drgn
from vmci_tui.readers.drgn.drgn import DrgnReading, parsed_of, shown_length
from vmci_tui.readers.libdrgn.text import KEYS as DRGN_KEYS
from vmci_tui.readers.libdrgn.text import DrgnText
from vmci_tui.readers.libdrgn.text_rules import TEXT_RULES
from vmci_tui.readers.libkdumpfile.context import OpeningDump
from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.libkdumpfile.guest_rules import ELF_MEMORY_RULES, GUEST_RULES
from vmci_tui.readers.libkdumpfile.kdump_rules import KDUMP_MACHINE_RULES, KDUMP_MEMORY_RULES
from vmci_tui.readers.libkdumpfile.open_elf import OpeningElf
from vmci_tui.readers.libkdumpfile.vmcoreinfo import KEYS, lines
from vmci_tui.readers.rule import NOT_KNOWN, Reader, Rule, RuleHit, Rules, why
from vmci_tui.readers.version import numbers_of


class LibkdumpfileReading(DrgnReading):
    """A file as drgn and libkdumpfile read it together."""

    @cached_property
    def run(self) -> OpeningElf | None:
        """The result of libkdumpfile for an ELF dump; None if drgn found no note."""
        return None if self.place is None else OpeningElf(self.view, self.core)

    @property
    def guest(self) -> OpeningDump | None:
        """The result of libkdumpfile, whatever the container."""
        return self.run if self.kdump is None else self.kdump

    @property
    def stopped(self) -> Stopped | None:
        return None if self.guest is None else self.guest.stopped

    @property
    def note(self) -> Span | None:
        if self.kdump is not None:
            return super().note
        if self.run is None or self.run.note is None:
            return None
        return self.run.note.unpadded

    @cached_property
    def text(self) -> bytes | None:
        """The whole text that libkdumpfile stores."""
        return None if self.guest is None else self.guest.text

    @cached_property
    def parsed(self) -> DrgnText | None:
        """The part of the text that drgn gets."""
        return parsed_of(self.guest)

    def in_text(self, offset: int, length: int) -> Span | None:
        return None if self.guest is None else self.guest.span_of(offset, length)


rule: Rules[LibkdumpfileReading] = Rules()
_again: Final = {found.name for found in (*GUEST_RULES, *KDUMP_MACHINE_RULES)}
for found in drgn.rule.all:
    if found.stage != "after" and found.name not in _again:
        rule.all.append(cast("Rule[LibkdumpfileReading]", found))
rule.all.extend((*GUEST_RULES, *KDUMP_MEMORY_RULES, *ELF_MEMORY_RULES))


@rule("C10", "note", "kdump_vmcoreinfo_raw: linux.vmcoreinfo.raw is not set", "libkdumpfile 0.5.6, kdumpfile/notes.c")
@why("drgn follows p_align 8 and finds the note; libkdumpfile takes all notes as padded to 4 bytes, and misses it.")
def _padded_to_eight_for_drgn(r: LibkdumpfileReading) -> RuleHit | None:
    lost = r.run is not None and r.run.stopped is None and r.run.text is None
    return RuleHit(r.place.span) if lost and r.place is not None else None


rule.all.extend((*TEXT_RULES, *KDUMP_MACHINE_RULES))


def _accepted(r: LibkdumpfileReading) -> str:
    return f"prog['VMCOREINFO'] has {shown_length(r.parsed)} bytes of text"


def _edition(version: str) -> str:
    """Return the version of libkdumpfile in the wheel of a version of drgn, and that one."""
    drgns = numbers_of(version)
    library = "0.5.6" if drgns >= (0, 0, 31) else "0.5.4" if drgns >= (0, 0, 24) else "0.5.1"
    return f"{library} in drgn {version}"


READER: Final = Reader(
    name="libkdumpfile",
    version=drgn.READER.version,
    command=f"DRGN_USE_LIBKDUMPFILE_FOR_ELF=1 {drgn.READER.command}",
    read=LibkdumpfileReading,
    rules=tuple(rule.all),
    accepted=_accepted,
    lines=lines,
    keys={**DRGN_KEYS, **KEYS},
    reads=lambda r: NOT_KNOWN if r.guest is None else r.guest.reads(),
    known=drgn.READER.known,
    edition=_edition,
)
