"""Findings, their fixes, and the context that checks look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.containers import Dump, Layout
from vmci_tui.document import edit_headers, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.findings.catalogue import Severity, catalogue
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.readers.version import Version
from vmci_tui.search.candidate import Proof

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import ProvedLines

ORDER_HEADERS: Final = Edit.of(edit_headers.order_headers)
_MERGE_HEADERS: Final = Edit.of(edit_headers.merge_headers)
_CRASHTIME: Final = b"CRASHTIME"


class ReaderImpact(NamedTuple):
    """What a finding means for one reader: one of its rules that applies."""

    reader: str
    refuses: bool
    """False: it continues, but complains or reads another value."""
    says: Safe
    """The program's own words; empty if it prints nothing."""
    why: str


class Finding(NamedTuple):
    """A problem or a hint. The code's letter is its group: E entry, N note, T text, C container, M memory."""

    code: str
    severity: Severity
    message: str
    why: str
    span: Span | None = None
    fix: Edit | None = None
    """An edit that removes it; its label is a button's text."""
    readers: tuple[ReaderImpact, ...] = ()
    cure: str = ""
    """What to do, where that is not what the catalogue says of the code."""

    def of_image(self) -> Finding:
        """Return the finding of a memory image or a running VM, of which a dump is made before anything is repaired."""
        return self._replace(cure=self.cure or catalogue()[self.code].cure_of_image)

    @property
    def wants_memory(self) -> bool:
        """Whether a note from guest memory is needed, and removes it: memory contradicts it, or a reader refuses."""
        return self.code == "M05" or (catalogue()[self.code].adopt and any(item.refuses for item in self.readers))


def new_finding(
    code: str,
    message: str,
    span: Span | None = None,
    fix: Edit | None = None,
    *,
    severity: Severity | None = None,
    why: str | None = None,
    readers: tuple[ReaderImpact, ...] = (),
    cure: str = "",
) -> Finding:
    """Make a finding from its row in the catalogue; severity, reason and cure replace those of the row."""
    kind = catalogue()[code]
    return Finding(code, severity or kind.severity, message, why or kind.why, span, fix, readers, cure)


NEED_MEMORY: Final = tuple(
    ReaderImpact(name, False, Safe(""), "it reads memory, and fails if the file lacks that memory")
    for name in ("crash", "drgn", "libkdumpfile", "makedumpfile")
)
"""What missing memory means for the readers that need it; the others read only notes."""


class Context(NamedTuple):
    """What a check may look at; the layout is the one on screen, so that spans point into it."""

    state: State
    dump: Dump | None
    layout: Layout
    arranged: bool
    """Whether saving would write this layout, with its headers in standard order."""
    proof: Proof | None
    """The text checked against memory; None without a text or without memory."""
    makedumpfile: Version = ()
    """The version of makedumpfile that judges; empty if it does not."""
    proved: ProvedLines | None = None
    """Each line of the text compared with the kernel's tables; None if these were not looked up."""

    @classmethod
    def of(
        cls, document: Document, proof: Proof | None, makedumpfile: Version = (), proved: ProvedLines | None = None
    ) -> Context:
        """Return what the checks look at in a document."""
        return cls(document.state, document.dump, document.layout, document.arranged, proof, makedumpfile, proved)

    def note_span(self, index: int) -> Span:
        return Span(self.layout.note_offsets[index], len(self.layout.notes[index].raw))

    def line_span(self, line: Line) -> Span | None:
        """Return the span of a line of the vmcoreinfo text; None without a text."""
        return self.text_span(line.offset, len(line.raw))

    def text_span(self, offset: int, length: int) -> Span | None:
        """Return the span of `length` bytes at `offset` in the vmcoreinfo text; None without a text."""
        index = self.state.index
        if index is None:
            return None
        return Span(self.layout.note_offsets[index] + self.layout.notes[index].desc_start + offset, length)


Check = Callable[[Context], Iterable[Finding]]


def fix_of(code: str, context: Context) -> Edit | None:
    """Return the fix that the catalogue names for a code; None if it names none, or there is nothing to fix."""
    name, text = catalogue()[code].fix, context.state.vmcoreinfo
    if name == "order-headers" and not context.arranged:
        return ORDER_HEADERS
    if name == "merge-headers":
        return _MERGE_HEADERS
    if name == "delete-crashtime" and text is not None and text.all(_CRASHTIME):
        return Edit.of(edit_text.delete_key, key=_CRASHTIME).named("remove CRASHTIME")
    return None
