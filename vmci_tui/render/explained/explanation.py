"""Explain a line of the text and a finding, as a title and lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.findings.finding import Finding
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.kernel.lines.proved_line import ProvedLine
from vmci_tui.render.finding_report import reader_lines, to_do
from vmci_tui.render.kernel.proof_report import line_words
from vmci_tui.render.key_report import explained

_KEY_SHOWN: Final = 40
"""Characters of a key in the title."""
LABEL: Final = 12
"""Cells of a label, which is two cells from the left."""
_TEXT: Final = "The text of the VMCOREINFO note: a line KEY=VALUE for each fact about the kernel that readers need."
_SEVERITIES: Final = {
    "error": "some reader rejects the file, or reads a wrong value, because of it",
    "warning": "readers accept the file; some warn, or miss a part of it",
    "info": "worth knowing; nothing has to be done",
}


class Explanation(NamedTuple):
    """What is under the cursor."""

    title: str
    lines: tuple[str, ...]
    """A label of at most LABEL cells begins a line; a line that goes on is below the text after it."""


def labelled(label: str, text: str) -> str:
    """Return a line of an explanation."""
    return f"  {label:{LABEL}}{text}"


def of_line(line: Line | None, proof: ProvedLine | None) -> Explanation:
    """Explain the key of a line, and say what memory says of the line; None for no line, or nothing."""
    if line is None:
        return Explanation("the note text", (_TEXT,))
    if not line.key:
        return Explanation("a line without a key", ("It has no KEY=VALUE, so no reader reads it.",))
    lines = explained(line.key, line.value) or ("Linux writes no key like this one",)
    lines = lines if proof is None else (*lines[:1], line_words(proof), *lines[1:])
    return Explanation(visible(line.key)[:_KEY_SHOWN], lines)


def of_finding(finding: Finding) -> Explanation:
    """Explain a finding: what to do, why it matters, and what each reader makes of it."""
    return Explanation(f"finding {finding.code}", tuple(_finding_lines(finding)))


def _finding_lines(finding: Finding) -> Iterator[str]:
    yield finding.message
    if what := to_do(finding):
        yield labelled("f fixes it" if finding.fix else "to do", what)
    yield labelled("why", finding.why)
    yield labelled(finding.severity, _SEVERITIES[finding.severity])
    for number, words in enumerate(reader_lines(finding)):
        yield labelled("" if number else "readers", words)
    if finding.span is None:
        yield labelled("where", "the whole file")
    else:
        where = "of the entry" if finding.span.of == "entry" else "of the file: Enter shows them"
        yield labelled("where", f"{finding.span.length} bytes at {finding.span.offset:#x} {where}")
