"""Render a note that was made from the kernel's tables as JSON and as text: each line with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vmci_tui.adoption.made_note import MadeNote
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.render.verdict_report import proof_json
from vmci_tui.search.candidate import PROVED

_NAMED: Final = 3
"""Lines that are named where all of them are counted."""


def made_json(made: MadeNote) -> dict[str, Any]:
    return {
        "release": visible(made.made.release),
        "lines": [{"key": visible(line.key), "value": visible(line.value), "by": line.by} for line in made.made.lines],
        "left_out": [{"key": visible(line.key), "why": line.why} for line in made.made.left_out],
        "proof": proof_json(made.proof),
    }


def made_summary(made: MadeNote) -> Safe:
    """Return a sentence: what was made, what is missing, what memory says of it."""
    text, left = made.made, made.made.left_out
    words = f"made the note of Linux {visible(text.release)} from the kernel's own tables: {len(text.lines)} lines"
    if left:
        names = ", ".join(visible(line.key) for line in left[:_NAMED]) + (", ..." if len(left) > _NAMED else "")
        words += f"; left out, because memory does not show them: {len(left)} ({names})"
    return Safe(f"{words}; {PROVED[made.proof.proved]}: {made.proof.why}")


def made_lines(made: MadeNote) -> Iterator[Safe]:
    """Yield each line with what shows it, then those that are left out, with the reason."""
    for line in made.made.lines:
        yield Safe(f"made      {visible(line.key)}={visible(line.value)}, by {line.by}")
    for missing in made.made.left_out:
        yield Safe(f"left out  {visible(missing.key)}: {missing.why}")
