"""Findings about the lines of the text that the kernel's own tables in memory contradict (code M13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document import edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import ProvedLine, ProvedLines

_SHOWN: Final = 80
"""Bytes of a key and of a value in a message."""


def check(context: Context) -> Iterator[Finding]:
    """Check the lines that were compared with the kernel's tables, unless M05 sets all of them right."""
    proved, text = context.proved, context.state.vmcoreinfo
    if proved is None or text is None:
        return
    corrected = {item.key for item in context.proof.corrections} if context.proof is not None else set()
    wrong = [line for line in proved.contradicted if line.key not in corrected]
    if wrong and not proved.consistent:
        yield _foreign(context, proved)
        return
    for line in wrong:
        span = context.line_span(text.lines[line.line - 1])
        yield new_finding("M13", f"memory contradicts {_pair(line.key, line.value)}: {_said(line)}", span, _fix(line))


def _foreign(context: Context, proved: ProvedLines) -> Finding:
    """Report a text of which so much is contradicted that it seems to be another kernel's."""
    index, counts = context.state.index, proved.counts
    words = f"memory contradicts {counts['contradicted']} lines and confirms {counts['confirmed']}"
    span = None if index is None else context.note_span(index)
    return new_finding("M13", f"{words}: the note does not seem to be of this kernel", span, severity="warning")


def _said(line: ProvedLine) -> str:
    return f"it has {visible((line.found or b'')[:_SHOWN])}, by {line.by}"


def _pair(key: bytes, value: bytes) -> Safe:
    return visible(key[:_SHOWN] + b"=" + value[:_SHOWN])


def _fix(line: ProvedLine) -> Edit | None:
    if line.found is None:
        return None
    edit = Edit.of(edit_text.set_line, line.line, line.key + b"=" + line.found)
    return edit.named(f"set {_pair(line.key, line.found)}")
