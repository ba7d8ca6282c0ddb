"""Render the proof of each line of a note as JSON and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.kernel.lines.prove_lines import ProvedLine

_WIDTH = len("contradicted")
_SHOWN = 120
"""Bytes of a value that are shown in a line of text."""


def lines_json(lines: Iterable[ProvedLine]) -> list[dict[str, Any]]:
    return [
        {
            "line": line.line,
            "key": visible(line.key),
            "value": visible(line.value),
            "verdict": line.verdict,
            "found": None if line.found is None else visible(line.found),
            "by": line.by,
            "why": line.why,
        }
        for line in lines
    ]


def counts_of(lines: Iterable[ProvedLine]) -> dict[str, int]:
    """Return how many lines have each verdict."""
    found = Counter(line.verdict for line in lines)
    return {verdict: found[verdict] for verdict in ("confirmed", "contradicted", "unknown")}


def lines_text(lines: Sequence[ProvedLine]) -> Iterator[Safe]:
    """Yield a line for each line of the note, and the counts."""
    for line in lines:
        said = f"{visible(line.key)}={visible(line.value[:_SHOWN])}"
        if line.verdict == "contradicted":
            words = f"{said}: memory says {visible((line.found or b'')[:_SHOWN])}, by {line.by}"
        else:
            words = f"{said}, by {line.by}" if line.by else f"{said}: {line.why}"
        yield Safe(f"{line.verdict:{_WIDTH}}  {words}")
    yield Safe(", ".join(f"{count} {verdict}" for verdict, count in counts_of(lines).items()))
