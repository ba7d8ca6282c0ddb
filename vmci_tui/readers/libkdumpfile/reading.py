"""A file that drgn opens: it reads most ELF dumps itself, and gives the other files to libkdumpfile."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from vmci_tui.common.span import Span
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libdrgn.core import CORE_RULES, FLATTENED_RULES, LibdrgnCore
from vmci_tui.readers.libdrgn.text import DrgnText
from vmci_tui.readers.libdrgn.text_rules import TEXT_RULES
from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.libkdumpfile.guest_rules import ELF_MEMORY_RULES, ELF_RULES, GUEST_RULES
from vmci_tui.readers.libkdumpfile.opening import OpeningDump
from vmci_tui.readers.libkdumpfile.releases import NEWEST, Release, release_of
from vmci_tui.readers.rule import Rule
from vmci_tui.readers.version import Version

if TYPE_CHECKING:
    from vmci_tui.readers.libkdumpfile.open_kdump import OpeningKdump


class RuleParts(NamedTuple):
    """The rules of drgn with libkdumpfile, of all versions, in order."""

    note: tuple[Rule[Any], ...]
    """Up to the note."""
    memory: tuple[Rule[Any], ...]
    """For what libkdumpfile does before drgn gets the text."""
    last: tuple[Rule[Any], ...]
    """For the text in drgn."""


@cache
def rule_parts(kdump: bool) -> RuleParts:
    """Return the rules for ELF dumps; with `kdump` those for the formats of kdump too."""
    if not kdump:
        note: tuple[Rule[Any], ...] = (*FLATTENED_RULES, *ELF_RULES, *CORE_RULES)
        return RuleParts(note, (*GUEST_RULES, *ELF_MEMORY_RULES), TEXT_RULES)
    from vmci_tui.readers.libkdumpfile.kdump_rules import KDUMP_MACHINE_RULES, KDUMP_MEMORY_RULES, KDUMP_RULES

    return RuleParts(
        (*FLATTENED_RULES, *KDUMP_RULES, *ELF_RULES, *CORE_RULES),
        (*GUEST_RULES, *KDUMP_MEMORY_RULES, *ELF_MEMORY_RULES),
        (*TEXT_RULES, *KDUMP_MACHINE_RULES),
    )


class OpenedByDrgn(LibdrgnCore):
    """A file as drgn opens it, with libkdumpfile for kdump formats only; `library`: the release of libkdumpfile."""

    def __init__(self, view: View, library: Release = NEWEST) -> None:
        super().__init__(view)
        self._library = library

    def at(self, version: Version) -> Self:
        """Return the file as a version of drgn opens it."""
        library = release_of(version)
        same = library == self._library or self.guest is None or not self.guest.depends
        return self if same else type(self)(self.view, library)

    @cached_property
    def kdump(self) -> OpeningKdump | None:
        """The result of libkdumpfile for a kdump; None for all other files."""
        if not self.is_kdump:
            return None
        from vmci_tui.readers.libkdumpfile.open_kdump import run_of

        return run_of(self.view, self._library)

    @property
    def guest(self) -> OpeningDump | None:
        """The result of libkdumpfile; None if drgn reads the file itself."""
        return self.kdump

    @property
    def stopped(self) -> Stopped | None:
        """Where libkdumpfile stopped."""
        return None if self.guest is None else self.guest.stopped

    @property
    def note(self) -> Span | None:
        return super().note if self.guest is None else self.guest.note_span

    @property
    def text(self) -> bytes | None:
        """The whole text that it or libkdumpfile stores."""
        return super().text if self.guest is None else self.guest.text

    @cached_property
    def parsed(self) -> DrgnText | None:
        """The text as drgn parses it; libkdumpfile gives it a C string with its NUL."""
        text = self.text
        if text is None or self.stopped:
            return None
        return DrgnText(text if self.guest is None else text.partition(b"\0")[0] + b"\0")

    def in_text(self, offset: int, length: int) -> Span | None:
        return super().in_text(offset, length) if self.guest is None else self.guest.span_of(offset, length)

    @property
    def answer(self) -> str:
        """Its answer, in short."""
        raw = b"" if self.parsed is None else self.parsed.raw
        return f"prog['VMCOREINFO'] has {len(raw) - (self.guest is not None)} bytes of text"
