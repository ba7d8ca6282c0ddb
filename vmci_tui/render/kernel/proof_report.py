"""Render the proof of each line of a note as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.kernel.lines.proved_line import VERDICTS, ProvedLine, ProvedLines

_WIDTH = len("contradicted")
_SHOWN = 120
"""Bytes of a value that are shown in a line of text."""


def lines_json(proved: ProvedLines) -> dict[str, Any]:
    """Return the counts, and each line with its verdict."""
    return {"counts": counts_of(proved), "lines": [_line_json(line) for line in proved.lines]}


def _line_json(line: ProvedLine) -> dict[str, Any]:
    return {"line": line.line, "key": visible(line.key), "value": visible(line.value)} | proof_json(line)


def proof_json(line: ProvedLine) -> dict[str, Any]:
    """Return the verdict on a line, without the line."""
    return {
        "verdict": line.verdict,
        "found": None if line.found is None else visible(line.found),
        "by": line.by,
        "why": line.why,
    }


def counts_of(proved: ProvedLines) -> dict[str, int]:
    """Return how many lines have each verdict."""
    return {verdict: proved.counts[verdict] for verdict in VERDICTS}


def counts_words(proved: ProvedLines) -> Safe:
    """Return how many lines have each verdict: `107 confirmed, 1 contradicted, 1 unknown`."""
    return Safe(", ".join(f"{count} {verdict}" for verdict, count in counts_of(proved).items()))


def line_words(line: ProvedLine) -> Safe:
    """Return what memory says of a line, as a row of what is known about its key."""
    if line.verdict == "unknown":
        return Safe(f"  memory      does not show it: {line.why}")
    if line.verdict == "contradicted":
        wrong = ": this line is wrong" if line.value else ""
        return Safe(f"  memory      has {visible((line.found or b'')[:_SHOWN])}, by {line.by}{wrong}")
    return Safe(f"  memory      has the same, by {line.by}")


def lines_text(proved: ProvedLines) -> Iterator[Safe]:
    """Yield a line for each line of the note, and the counts."""
    for line in proved.lines:
        said = f"{visible(line.key)}={visible(line.value[:_SHOWN])}"
        if line.verdict == "contradicted":
            words = f"{said}: memory says {visible((line.found or b'')[:_SHOWN])}, by {line.by}"
        else:
            words = f"{said}, by {line.by}" if line.by else f"{said}: {line.why}"
        yield Safe(f"{line.verdict:{_WIDTH}}  {words}")
    yield counts_words(proved)
