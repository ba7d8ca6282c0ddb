"""Report a cut: its pages and what they are kept for, the text that stays inside, what every reader says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from vmci_tui import __version__
from vmci_tui.common.sizes import size_text
from vmci_tui.cutting.cut import Cut
from vmci_tui.readers.verdicts import VerdictPair
from vmci_tui.render.candidate_report import before_and_after
from vmci_tui.render.conversion.page import Digest
from vmci_tui.render.ticket_page import code, plain
from vmci_tui.render.verdict_report import readers_heading, state_words

Json = dict[str, Any]
_WORDS: Final = {
    "note": "the note in memory",
    "proof": "the proof of the note",
    "cpus": "CPUs and readers",
    "log": "the log",
    "symbols": "symbols",
    "types": "types and the proof of every line",
    "makedumpfile": "makedumpfile --dump-dmesg",
}
_SHOWN: Final = 1000
"""The most texts on the page."""


def cut_json(made: Cut) -> Json:
    """Return the cut as the contract has it."""
    ranges = made.memory
    return {
        "pages": made.page_count,
        "bytes": ranges.bytes_in_file,
        "by": made.pages,
        "kept_text": list(made.kept_text),
    }


def cut_text(made: Cut, readers: VerdictPair) -> Iterator[str]:
    """Yield what is kept and why, what text stays inside, and what every reader says of the whole dump and the cut."""
    size, ranges = size_text(made.memory.bytes_in_file), len(made.memory)
    yield f"{made.page_count} pages of memory, {size}, in {ranges} ranges; a page may be kept for several things"
    for kind, pages in made.pages.items():
        yield f"  {pages:>6}  {_WORDS[kind]}"
    yield from (f"  {remark}" for remark in made.remarks)
    yield f"text that stays inside: {len(made.kept_text)} texts of eight characters or more; --json lists them"
    if not made.pages.keys().isdisjoint(("symbols", "types")):
        yield "  and the names in the kernel's tables of symbols and types, which every such kernel has: not listed"
    yield f"{readers_heading(readers.now)}; of the whole dump and of the cut"
    yield from before_and_after(readers)


def cut_page(made: Cut, readers: VerdictPair, sources: Sequence[Digest], result: Digest, when: str) -> Iterator[str]:
    """Yield the page for a ticket, as Markdown: what was cut, what is kept, which text stays inside."""
    yield from (f"# Cut of {code(made.document.name)}", "", "| | File | Bytes | sha256 |", "|---|---|---|---|")
    for what, item in (*(("source", item) for item in sources), ("cut", result)):
        yield f"| {what} | {code(item.name)} | {item.size} | `{item.sha256}` |"
    yield from ("", "## What is kept", "", "| For | Pages |", "|---|---|")
    yield from (f"| {_WORDS[kind]} | {pages} |" for kind, pages in made.pages.items())
    yield f"| all, each page once: {size_text(made.memory.bytes_in_file)} | {made.page_count} |"
    yield from (f"\n{plain(remark)}" for remark in made.remarks)
    yield from ("", "## What each reader says", "", "| Reader | Whole dump | Cut |", "|---|---|---|")
    for name, verdict in readers.now.items():
        yield f"| {name} | {state_words(verdict)} | {state_words(readers.after[name])} |"
    yield from ("", "## Text that stays inside", "")
    yield from (f"- {code(text)}" for text in made.kept_text[:_SHOWN])
    if len(made.kept_text) > _SHOWN:
        yield f"- and {len(made.kept_text) - _SHOWN} more"
    yield from ("", f"Made by `vmci cut` {__version__}, {when}.")
