"""Write the page about a conversion that one pastes into a ticket, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vmci_tui import __version__
from vmci_tui.common.safe_text import Safe
from vmci_tui.common.sizes import size_text
from vmci_tui.render.conversion.report import SHOWN, range_text, witnessed_text
from vmci_tui.render.headline import contents
from vmci_tui.render.image_report import remarks
from vmci_tui.render.ticket_page import code, plain
from vmci_tui.repair.conversion import Conversion
from vmci_tui.search.candidate import PROVED


class Digest(NamedTuple):
    """A file, and the sha256 of its bytes."""

    name: Safe
    size: int
    sha256: str


def conversion_page(made: Conversion, sources: Sequence[Digest], result: Digest, when: str) -> Iterator[str]:
    """Yield the page for a ticket, as Markdown: what was read, what was written, what is proved."""
    dump, done = made.document.dump, made.done
    assert dump is not None
    yield from (f"# Conversion of {code(made.document.name)}", "", f"**{plain(contents(made.document))}**", "")
    yield from ("| | File | Bytes | sha256 |", "|---|---|---|---|")
    for what, item in (*(("source", item) for item in sources), ("result", result)):
        yield f"| {what} | {code(item.name)} | {item.size} | `{item.sha256}` |"
    yield from ("", "## What was read", "")
    yield f"- Format: {code(dump.container)}, {dump.machine or 'unknown machine'}"
    yield f"- Memory: {size_text(dump.memory.size)} in {len(dump.memory.ranges)} ranges"
    yield from (f"- {plain(sentence)}" for sentence in remarks(dump))
    yield from (f"- Not read: {range_text(item)}" for item in made.unread[:SHOWN])
    yield from ("", "## What was proved", "")
    if done.proof is None:
        yield "There is no note."
    else:
        yield f"The note is {PROVED[done.proof.proved]}: {plain(done.proof.why)}."
    if made.by_entry:
        yield "It is the note that the entry names."
    yield from (f"- {line.strip()}" for line in witnessed_text(made))
    yield from ("", "## What each reader says", "", "| Reader | Before | After |", "|---|---|---|")
    for name, verdict in done.readers.now.items():
        yield f"| {name} | {_accepts(verdict.accepts)} | {_accepts(done.readers.after[name].accepts)} |"
    yield from ("", f"Made by `vmci convert` {__version__}, {when}.")


def _accepts(value: bool | None) -> str:
    return {True: "accepts", False: "refuses", None: "not known"}[value]
