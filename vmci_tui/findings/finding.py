"""What a finding is, and what checks look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.containers import Dump, Layout
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.findings.catalogue import Severity, catalogue
from vmci_tui.search.candidate import Proof


class ReaderImpact(NamedTuple):
    """What a finding means for one reader: a rule of that reader which holds."""

    reader: str
    refuses: bool
    """False: it goes on, but complains or reads another value."""
    says: Safe
    """The program's own words; empty where it says nothing."""
    why: str


class Finding(NamedTuple):
    """One thing worth knowing. The code's letter groups it: E entry, N note, T text, C container, M memory."""

    code: str
    severity: Severity
    message: str
    why: str
    span: Span | None = None
    fix: Edit | None = None
    """An edit that removes it, in the words of a button."""
    readers: tuple[ReaderImpact, ...] = ()


def new_finding(
    code: str,
    message: str,
    span: Span | None = None,
    fix: Edit | None = None,
    *,
    severity: Severity | None = None,
    why: str | None = None,
    readers: tuple[ReaderImpact, ...] = (),
) -> Finding:
    """A finding of the catalogue; the check says more about severity and reason where it knows more."""
    kind = catalogue()[code]
    return Finding(code, severity or kind.severity, message, why or kind.why, span, fix, readers)


NEED_MEMORY: Final = tuple(
    ReaderImpact(name, False, Safe(""), "it reads memory, and fails where that is not in the file")
    for name in ("crash", "drgn", "libkdumpfile", "makedumpfile")
)
"""What it means to the readers that part of memory is missing; the others read notes alone."""


class Context(NamedTuple):
    """What a check may look at; the layout is the one that is shown, so that spans point into it."""

    state: State
    dump: Dump | None
    layout: Layout
    arranged: bool
    """Whether the layout is one that saving would write, its head in the order that readers need."""
    proof: Proof | None
    """What memory says of the text; None where there is no text, or no memory."""

    @classmethod
    def of(cls, document: Document, proof: Proof | None) -> Context:
        """Return what the checks look at in a document."""
        return cls(document.state, document.dump, document.layout, document.arranged, proof)

    def note_span(self, index: int) -> Span:
        return Span(self.layout.note_offsets[index], len(self.layout.notes[index].raw))

    def text_span(self, offset: int, length: int) -> Span | None:
        """The span of `length` bytes at `offset` of the vmcoreinfo text."""
        index = self.state.index
        if index is None:
            return None
        return Span(self.layout.note_offsets[index] + self.layout.notes[index].desc_start + offset, length)


Check = Callable[[Context], Iterable[Finding]]
