"""Verdicts to JSON and to text, for the shell and for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.readers.rule import Verdict
from vmci_tui.readers.verdicts import VerdictPair, Verdicts
from vmci_tui.repair.next_commands import NextCommand
from vmci_tui.saving.harm import Harm
from vmci_tui.search.candidate import Proof

Json = dict[str, Any]
WORDS = {True: "accepts", False: "refuses", None: "unknown"}
BLIND = "accepts, but reads no kernel memory"
STAGES = {"before": "before it looks for the note", "note": "at the note", "after": "in the note's text"}


def readers_json(verdicts: Verdicts) -> Json:
    return {
        name: {"accepts": v.accepts, "reads": v.reads, "says": v.says, "osrelease": v.osrelease, "stage": v.stage}
        for name, v in verdicts.items()
    }


def harm_json(harm: Harm) -> Json:
    """What a save would cost."""
    worse = [{"reader": item.reader, "accepts": item.then.accepts, "says": item.then.says} for item in harm.worse]
    return {"worse": worse, "taken_out": list(harm.taken_out)}


def harm_words(harm: Harm) -> Iterator[Safe]:
    """A line for each reader that would refuse, and for each thing that is taken out."""
    for item in harm.worse:
        then = "read no kernel memory by" if item.then.accepts else "refuse"
        yield Safe(f"{item.reader} accepts the file, and would {then} what is saved: {said(item.then)}")
    for words in harm.taken_out:
        yield Safe(f"taken out: {words}")


def next_json(steps: tuple[NextCommand, ...]) -> list[Json]:
    """The commands to go on with."""
    return [step._asdict() for step in steps]


def next_text(steps: tuple[NextCommand, ...]) -> Iterator[str]:
    """The commands to go on with, each on a line of its own, ready to be copied."""
    for step in steps:
        yield f"  # {step.reader}: {step.why}"
        yield f"  {step.command}"


def readers_text(both: VerdictPair) -> Iterator[str]:
    """One line a reader: what it does with the file now, and where saving changes that, then."""
    for name, verdict in both.now.items():
        then = both.after[name]
        change = "" if then.state == verdict.state else f"; saved anew: {state_words(then)}"
        if verdict.state == "opens":
            yield f"  {name:<13} {BLIND}: {verdict.unread}{change}"
        else:
            yield f"  {name:<13} {WORDS[verdict.accepts]:<8} {said(verdict)}{change}"


def state_words(verdict: Verdict) -> str:
    """The verdict, and that it is not all there is to it."""
    return BLIND if verdict.state == "opens" else WORDS[verdict.accepts]


def said(verdict: Verdict) -> str:
    """The reader's own words, and where it stopped."""
    if verdict.accepts:
        return verdict.says
    words = verdict.says or "it prints nothing"
    return f"{words} ({STAGES[verdict.stage]})" if verdict.stage else words


def proof_json(proof: Proof | None) -> Json | None:
    if proof is None:
        return None
    fits = [{"key": visible(c.key), "value": visible(c.value), "why": c.why} for c in proof.corrections]
    return {"proved": proof.proved, "why": proof.why, "corrections": fits}
