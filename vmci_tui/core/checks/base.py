"""What a finding is, and what checks look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from vmci_tui.core.containers import Dump, Layout
from vmci_tui.core.document import Document, State
from vmci_tui.core.span import Span

Severity = Literal["error", "warning", "info"]


class Fix(NamedTuple):
    """An edit that removes a finding, in the words of a button."""

    label: str
    apply: Callable[[State], State]


class Finding(NamedTuple):
    """One thing worth knowing. The code's letter groups it: E entry, N note, T text, C container, M memory."""

    code: str
    severity: Severity
    message: str
    why: str
    span: Span | None = None
    fix: Fix | None = None


class Context(NamedTuple):
    """What a check may look at; the layout is the one that is shown, so that spans point into it."""

    state: State
    dump: Dump | None
    layout: Layout
    file_size: int

    @classmethod
    def of(cls, document: Document) -> Context:
        return cls(document.state, document.dump, document.layout, document.source.size)

    def note_span(self, index: int) -> Span:
        return Span(self.layout.note_offsets[index], len(self.layout.notes[index].raw))

    def text_span(self, offset: int, length: int) -> Span | None:
        """The span of `length` bytes at `offset` of the vmcoreinfo text."""
        index = self.state.index
        if index is None:
            return None
        return Span(self.layout.note_offsets[index] + self.layout.notes[index].desc_start + offset, length)


Check = Callable[[Context], Iterable[Finding]]
