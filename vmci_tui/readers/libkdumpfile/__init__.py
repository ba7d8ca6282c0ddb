"""libkdumpfile as drgn uses it: for kdump formats, and with DRGN_USE_LIBKDUMPFILE_FOR_ELF=1 for an ELF dump.

drgn first looks for the note of an ELF dump itself; only if it finds one, libkdumpfile opens the dump,
reads the note again in its own way, and gives drgn the text up to the first NUL. A kdump file goes to
libkdumpfile with or without that variable: then this is drgn's verdict.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, Final

from vmci_tui.common.span import Span
from vmci_tui.readers import libdrgn
from vmci_tui.readers.libdrgn.text import KEYS as DRGN_KEYS
from vmci_tui.readers.libdrgn.text import SINCE
from vmci_tui.readers.libdrgn.text import lines as drgn_lines
from vmci_tui.readers.libkdumpfile.guest_rules import NOT_SET
from vmci_tui.readers.libkdumpfile.open_elf import OpeningElf
from vmci_tui.readers.libkdumpfile.opening import OpeningDump
from vmci_tui.readers.libkdumpfile.reading import OpenedByDrgn, rule_parts
from vmci_tui.readers.libkdumpfile.releases import TURNS, release_of
from vmci_tui.readers.libkdumpfile.vmcoreinfo import KEYS, lines
from vmci_tui.readers.rule import NOT_KNOWN, Reader, Rule
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.version import numbers_of


class OpenedWithLibkdumpfile(OpenedByDrgn):
    """A file as drgn and libkdumpfile open it together."""

    @cached_property
    def run(self) -> OpeningElf | None:
        """The result of libkdumpfile for an ELF dump; None if drgn found no note."""
        return None if self.chosen is None else OpeningElf(self.view, self._library)

    @property
    def guest(self) -> OpeningDump | None:
        return self.run if self.kdump is None else self.kdump

    @property
    def lost_note(self) -> Span | None:
        """The note that drgn found, if libkdumpfile misses it."""
        lost = self.run is not None and self.run.stopped is None and self.run.text is None
        return self.chosen.unpadded if lost and self.chosen is not None else None


_row: Final[RuleRows[OpenedWithLibkdumpfile]] = RuleRows("libkdumpfile 0.5.6, kdumpfile/")
_OWN: Final[tuple[Rule[OpenedWithLibkdumpfile], ...]] = (
    _row(
        "C10", "note", "padded-to-eight-for-drgn", "notes.c", NOT_SET,
        "drgn follows p_align 8 and finds the note; libkdumpfile treats all notes as padded to 4 bytes, and misses it.",
        where=lambda r: r.lost_note,
    ),
    RuleRows[OpenedWithLibkdumpfile]("libkdumpfile in drgn 0.0.21, ")(
        "M04", "after", "killed-by-i386", "ELF dumps of i386", "killed by SIGSEGV",
        "libkdumpfile in drgn 0.0.20 and 0.0.21 dies on every ELF dump of an i386 guest.",
        holds=lambda r: r.run is not None and r.run.arch == "ia32", until=(0, 0, 22),
    ),
)  # fmt: skip


@cache
def _rules(kdump: bool) -> tuple[Rule[Any], ...]:
    note, memory, last = rule_parts(kdump)
    return (*note, *memory, *_OWN, *last)


def _edition(version: str) -> str:
    """Return the version of libkdumpfile in the wheel of a version of drgn, and that one."""
    return f"{release_of(numbers_of(version)).number} in drgn {version}"


def _lines(text: bytes) -> dict[bytes, bytes]:
    """Return the keys that libkdumpfile uses, and those that drgn then finds before the first NUL."""
    by_drgn = drgn_lines(text.partition(b"\0")[0] + b"\0")
    return {key: value for key, value in lines(text).items() if key not in DRGN_KEYS or key in by_drgn}


READER: Final = Reader(
    name="libkdumpfile",
    version=libdrgn.VERSION,
    command=f"DRGN_USE_LIBKDUMPFILE_FOR_ELF=1 {libdrgn.COMMAND}",
    read=OpenedWithLibkdumpfile,
    rules_of=lambda r: _rules(r is None or r.is_kdump),
    accepted=lambda r: r.answer,
    lines=_lines,
    keys={**DRGN_KEYS, **KEYS},
    reads=lambda r: NOT_KNOWN if r.guest is None else r.guest.reads(),
    known=libdrgn.KNOWN,
    since={key: since for key, since in SINCE.items() if key not in KEYS},
    shows_refused=False,
    edition=_edition,
    read_as=OpenedWithLibkdumpfile.at,
    turns=TURNS,
)
