"""Render verdicts as JSON and as text, for the shell and for tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.readers.rule import Verdict, quoted
from vmci_tui.readers.verdicts import VerdictPair, Verdicts
from vmci_tui.readers.version import numbers_text
from vmci_tui.repair.next_commands import NextCommand
from vmci_tui.search.candidate import Proof

if TYPE_CHECKING:
    from vmci_tui.saving.harm import Harm

Json = dict[str, Any]
WORDS: Final = {True: "accepts", False: "refuses", None: "can't tell"}
_NOT_ASKED: Final = "not asked"
BLIND: Final = "accepts, but reads no kernel memory"
_WIDTH: Final = max(map(len, (*WORDS.values(), _NOT_ASKED)))
STAGES: Final = {"before": "before it looks for the note", "note": "at the note", "after": "in the note's text"}


def readers_json(verdicts: Verdicts) -> Json:
    return {
        name: {
            "accepts": v.accepts,
            "reads": v.reads,
            "says": v.says,
            "osrelease": v.osrelease,
            "stage": v.stage,
            "version": v.reader.title,
            "remark": v.reader.remark or None,
            "by_version": [{"since": numbers_text(since), "accepts": accepts} for since, accepts in v.by_version],
        }
        for name, v in verdicts.items()
    }


def harm_json(harm: Harm) -> Json:
    """Return what a save would lose."""
    worse = [{"reader": item.reader, "accepts": item.then.accepts, "says": item.then.says} for item in harm.worse]
    return {"worse": worse, "taken_out": list(harm.taken_out)}


def harm_words(harm: Harm) -> Iterator[Safe]:
    """Yield a line for each reader that would refuse, and for each thing that is removed."""
    for item in harm.worse:
        then = "read no kernel memory by" if item.then.accepts else "refuse"
        yield Safe(f"{item.reader} accepts the file, and would {then} the saved file: {said(item.then)}")
    for words in harm.taken_out:
        yield Safe(f"removed: {words}")


def next_json(steps: tuple[NextCommand, ...]) -> list[Json]:
    """Return the next commands as JSON."""
    return [step._asdict() for step in steps]


def next_text(steps: tuple[NextCommand, ...]) -> Iterator[str]:
    """Yield the next commands, each on a line of its own, ready to be copied."""
    for step in steps:
        yield f"  # {step.reader}: {step.why}"
        yield f"  {step.command}"


def readers_heading(verdicts: Verdicts) -> str:
    """Return the heading of a table of verdicts: each reader with the version whose rules judge."""
    return f"readers: {', '.join(f'{name} {verdict.reader.title}' for name, verdict in verdicts.items())}"


AS_A_DUMP: Final = "not of the image itself: what each makes of the ELF dump as which it is shown"
"""What is said before verdicts on a memory image."""


def readers_text(both: VerdictPair) -> Iterator[str]:
    """Yield one line a reader: its verdict now, and after saving if that differs; then remarks about its version.

    A refusal in the words of an earlier reader is `the same as` that one's.
    """
    first: dict[str, str] = {}
    for name, verdict in both.now.items():
        words = _verdict_words(verdict, both.after[name])
        if verdict.accepts is False and (same := first.setdefault(words, name)) != name:
            words = f"{WORDS[False]:<{_WIDTH}} the same as {same}"
        yield f"  {name:<13} {words}"
        for remark in filter(None, (verdict.reader.remark, versions_words(verdict))):
            yield f"  {'':<13} {remark}"


def _verdict_words(verdict: Verdict, then: Verdict) -> str:
    """Return a verdict with the reader's words, and the verdict after saving if that differs."""
    change = "" if then.state == verdict.state else f"; after saving: {state_words(then)}"
    if verdict.state == "opens":
        return f"{BLIND}: {verdict.unread}{change}"
    return f"{verdict_word(verdict):<{_WIDTH}} {said(verdict)}{change}"


def versions_words(verdict: Verdict) -> str:
    """Return how the known versions of a program judge; empty if all judge the same."""
    if not verdict.by_version:
        return ""
    (_, first), *later = verdict.by_version
    words = [f"{WORDS[first]} before {numbers_text(later[0].since)}"]
    words += [f"{WORDS[accepts]} from {numbers_text(since)} on" for since, accepts in later]
    return ", ".join(words)


def state_words(verdict: Verdict) -> str:
    """Return the verdict as words, with a remark if the reader accepts but cannot read memory."""
    return BLIND if verdict.state == "opens" else verdict_word(verdict)


def verdict_word(verdict: Verdict) -> str:
    """Return what a reader does with the file; `can't tell` and `not asked` are vmci's words, never a program's."""
    return WORDS[verdict.accepts] if verdict.asked else _NOT_ASKED


def said(verdict: Verdict) -> str:
    """Return what a reader prints, quoted if it refuses, and where it stopped; or why vmci can't tell."""
    if verdict.accepts:
        return verdict.says
    if verdict.accepts is None:
        rule = verdict.decisive
        return verdict.says or ("" if rule is None else rule.rule.why)
    words = quoted(verdict.says)
    return f"{words} ({STAGES[verdict.stage]})" if verdict.stage else words


def proof_json(proof: Proof | None) -> Json | None:
    if proof is None:
        return None
    fits = [{"key": visible(c.key), "value": visible(c.value), "why": c.why} for c in proof.corrections]
    return {"proved": proof.proved, "why": proof.why, "corrections": fits}
