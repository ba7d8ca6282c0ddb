"""Explain a reader's verdict: what it prints, the rule behind it, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.findings import Finding
from vmci_tui.readers.rule import Verdict
from vmci_tui.render.verdict_report import STAGES, state_words, versions_words
from vmci_tui.repair.fix_for_reader import fixes_for
from vmci_tui.repair.next_commands import NextCommand

_TAKES: Final = {
    True: "It accepts the note and reads kernel memory with it: it finds utsname.",
    False: "It accepts the note, but does not find kernel memory with it and the file's headers.",
    None: "It can parse the note. Whether the note is right, only guest memory shows: R checks it.",
}


def verdict_lines(
    verdict: Verdict, then: Verdict, found: tuple[Finding, ...], steps: Sequence[NextCommand], way: str
) -> list[str]:
    """Return text about one reader's verdict, and what it will be of the saved file.

    `way`: how memory is searched for what no fix brings.
    """
    name = verdict.reader.name
    stage = f", {STAGES[verdict.stage]}" if verdict.stage else ""
    out = [f"{name} {verdict.reader.title}: {state_words(verdict)}{stage}"]
    out += [f"  {words}" for words in (verdict.reader.remark, versions_words(verdict)) if words]
    out += [""]
    out += [f"Output:  {_quoted(verdict)}"]
    decisive = verdict.decisive
    if decisive is not None:
        out += ["", f"Reason:  {decisive.rule.why}", f"Rule:  {decisive.rule.name} ({decisive.rule.source})"]
    elif verdict.state == "opens":
        out += ["", f'Output when it reads utsname:  "{verdict.unread}"']
    elif not verdict.asked:
        out += ["", "Not asked: no entry is open; E opens one"]
    if then.state != verdict.state:
        out += ["", f"After saving:  {state_words(then)}", f"Output then:  {_quoted(then)}"]
    mine = fixes_for(name, found)
    if mine and then.accepts is False:
        out += ["", "What would change it:"]
        out += [f"  {f.code} {f.message}" + (f"\n      f: {f.fix.label}" if f.fix else "") for f in mine]
        out += ["", f"Enter shows the bytes of {mine[0].code}."]
        if not any(f.fix for f in mine):
            out += ["", f"{way} for the right note or value."]
    if then.accepts:
        out += ["", _TAKES[then.reads]]
    left = then.decisive
    more = [item for item in then.fired if item is not left]
    if more:
        out += ["", "Other problems:" if left else "Problems that do not stop it:"]
        out += [f"  {item.rule.cause} {item.words or item.rule.name}: {item.rule.why}" for item in more[:20]]
    if verdict.osrelease is not None:
        out += ["", f"OSRELEASE that it reads:  {verdict.osrelease}"]
    if verdict.note is not None:
        out += [f"Note that it uses:  {verdict.note.length} bytes at {verdict.note.offset:#x}"]
    if steps:
        out += ["", "Next:", *(f"  {step.command}" for step in steps)]
    return [*out, "", f"Try it:  {verdict.reader.command}"]


def _quoted(verdict: Verdict) -> str:
    """Return the program's own words in quotes; ours if it was not asked."""
    if verdict.accepts is None:
        return verdict.says
    return f'"{verdict.says}"' if verdict.says else "nothing at all"
