"""Render findings as text, for the shell and the screen: what to do comes right after what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vmci_tui.common.safe_text import Safe
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.finding import Finding
from vmci_tui.readers.rule import quoted

MISREAD: Final = Safe("warned about or misread by")
REFUSED: Final = Safe("refused by")
_NOTHING_TO_DO: Final = "none"
"""The first word of a cure where nothing is to be done."""


def findings_text(findings: Sequence[Finding]) -> Iterator[Safe]:
    """Yield what `vmci check` prints."""
    if not findings:
        yield Safe("no findings")
    for finding in findings:
        span = finding.span
        where = f" [{span.of} {span.offset:#x}+{span.length}]" if span else ""
        yield Safe(f"{finding.code} {finding.severity}: {finding.message}{where}")
        if what := to_do(finding):
            yield Safe(f"     {'fix' if finding.fix else 'to do'}: {what}")
        yield Safe(f"     why: {finding.why}")
        for words, names in affected(finding):
            yield Safe(f"     {words}: {names}")


def to_do(finding: Finding) -> Safe:
    """Return the label of the fix, or what else cures it; empty if nothing is to be done."""
    if finding.fix is not None:
        return Safe(finding.fix.label)
    cure = finding.cure or catalogue()[finding.code].cure
    return Safe("" if cure.startswith(_NOTHING_TO_DO) else cure)


def affected(finding: Finding) -> Iterator[tuple[Safe, Safe]]:
    """Yield which readers refuse the file because of a finding, and which go on: what they do, and their names."""
    for refuses, words in ((True, REFUSED), (False, MISREAD)):
        if names := dict.fromkeys(impact.reader for impact in finding.readers if impact.refuses is refuses):
            yield words, Safe(", ".join(names))


def reader_lines(finding: Finding) -> Iterator[Safe]:
    """Yield what the readers say because of a finding; readers with the same message share a line."""
    messages: dict[Safe, dict[str, None]] = {}
    for impact in finding.readers:
        if impact.refuses:
            messages.setdefault(impact.says, {})[impact.reader] = None
    for says, names in messages.items():
        verb = "refuses" if len(names) == 1 else "refuse"
        yield Safe(f"{', '.join(names)} {verb}: {quoted(says)}")
    for words, readers in affected(finding):
        if words is MISREAD:
            yield Safe(f"{words}: {readers}")
