"""Write the page that one pastes into a ticket: a check as Markdown.

Words of the guest and of programs are in code spans and blocks, where nothing is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vmci_tui import __version__
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.document.document import Document
from vmci_tui.findings.finding import Finding
from vmci_tui.render.check_report import Checked, verdict_line
from vmci_tui.render.finding_report import affected, to_do
from vmci_tui.render.headline import contents
from vmci_tui.render.verdict_report import AS_A_DUMP, said, state_words, versions_words
from vmci_tui.search.candidate import PROVED

_MARKUP: Final = re.compile(r"[\\`*\[\]<>|~&@#]|(?<![^\W_])_|_(?![^\W_])")
"""Characters of Markdown, and those that name people and tickets. An underscore within a word is not markup."""


def ticket_page(checked: Checked) -> Iterator[str]:
    """Yield the lines: what the dump is, what is wrong, what each reader says, the proof, the commands."""
    document = checked.judgement.document
    yield from (f"# Check of {code(document.name)}", "", f"**{verdict_line(checked)}**", "")
    yield from ("## What it is", "", *_file(document))
    yield from ("", "## What is wrong", "")
    yield from _findings(checked.found)
    yield from ("", "## What each reader says", "", *_readers(checked))
    if (proof := checked.judgement.proof) is not None:
        yield from ("", "## The proof", "", f"The note is {PROVED[proof.proved]}: {plain(proof.why)}.")
    if checked.steps:
        yield from ("", "## What to run", "", "```sh")
        for step in checked.steps:
            yield from (f"# {step.reader}: {step.why}", step.command)
        yield "```"
    yield from ("", f"Made by `vmci check` {__version__}.")


def _file(document: Document) -> Iterator[str]:
    dump, note = document.dump, document.state.note
    kind = f"{document.container_title}, {dump.bits}-bit {dump.order}-endian" if dump is not None else "an entry"
    yield f"- File: {document.size} bytes, {kind}"
    yield f"- Contents: {code(contents(document))}"
    text = document.state.vmcoreinfo
    if dump is not None:
        lines = f", {len(text.lines)} lines of text" if text is not None else ""
        yield f"- VMCOREINFO note: {'none' if note is None else size_text(len(note.raw)) + lines}"
    if text is not None and (build_id := text.get(b"BUILD-ID")) is not None:
        yield f"- BUILD-ID: {code(visible(build_id[:80]))}"


def _findings(found: tuple[Finding, ...]) -> Iterator[str]:
    """Yield an item for each finding: message, what to do, reason, who refuses."""
    if not found:
        yield "No findings."
    for item in found:
        where = f" ({item.span.of} {item.span.offset:#x}+{item.span.length})" if item.span else ""
        yield f"- **{item.code} {item.severity}**: {plain(item.message)}{where}"
        if what := to_do(item):
            yield f"  - {'Fix' if item.fix else 'To do'}: {plain(what)}"
        yield f"  - Why: {plain(item.why)}"
        for words, names in affected(item):
            yield f"  - {words.capitalize()}: {names}"


def _readers(checked: Checked) -> Iterator[str]:
    """Yield a table: each reader, its version, its verdict now and after saving, and its words."""
    if checked.judgement.document.is_image:
        yield from (f"Verdicts {AS_A_DUMP}.", "")
    yield from ("| Reader | Version | Verdict | It says |", "|---|---|---|---|")
    for name, verdict in checked.both.now.items():
        words = verdict.unread if verdict.state == "opens" else said(verdict)
        more = "".join(f"; {plain(more)}" for more in (verdict.reader.remark, versions_words(verdict)) if more)
        then = checked.both.after[name]
        after = "" if then.state == verdict.state else f"; after saving: {state_words(then)}"
        yield f"| {name} | {plain(verdict.reader.title)} | {state_words(verdict)}{after} | {code(words)}{more} |"


def plain(text: str) -> str:
    """Return text in which no character is markup, nor names a person or a ticket."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text)


def code(text: str) -> str:
    """Return text as a code span that ends where it should, also in a table."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    blank = " " if "`" in text else ""
    return f"{fence}{blank}{text}{blank}{fence}".replace("|", r"\|")
