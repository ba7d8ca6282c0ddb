"""The plan of a repair: what it changes, what it fixes by the way, its proof, and what each reader gains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.readers.rule import Verdict, quoted
from vmci_tui.render.plans.plan_lines import EMPTY, Kind, PlanLine
from vmci_tui.render.verdict_report import WORDS
from vmci_tui.repair.repaired import Repair
from vmci_tui.search.candidate import PROVED
from vmci_tui.verdict.tally import tally

_STATES: Final = {"accepts": WORDS[True], "refuses": WORDS[False], "unknown": "can't tell", "opens": "no memory"}
_KINDS: Final[dict[str, Kind]] = {"accepts": "good", "refuses": "error", "unknown": "dim", "opens": "warning"}
_NAME, _STATE = 14, 12
"""Cells of a reader's name, and of a verdict."""


def repair_plan(done: Repair) -> tuple[PlanLine, ...]:
    """Return the plan of a repair that was tried on a copy; if the user must decide, only the question."""
    if done.question:
        make = "Press Enter to see the repair with the note that is made from the kernel's tables."
        see = "Press F to see the candidates in memory."
        return (
            PlanLine("You have to decide", "title"),
            PlanLine(f"  {done.question}", "warning", 2),
            EMPTY,
            *(() if done.made is None else (PlanLine(make),)),
            *((PlanLine(see),) if done.candidates or done.made is None else ()),
        )
    return tuple(_plan(done))


def fixes_text(done: Repair) -> str:
    """Return the number of fixes as words: `1 fix`, `3 fixes`."""
    count = len(done.steps)
    return f"{count} fix{'es' * (count != 1)}"


def _plan(done: Repair) -> Iterator[PlanLine]:
    yield _gain(done)
    yield EMPTY
    if done.steps:
        yield PlanLine("Planned changes", "title")
        yield from (PlanLine(f"  {step.code}  {step.edit.label}", "value", 7) for step in done.steps)
    else:
        yield PlanLine("No fix is safe without your decision." if done.left else "Nothing to repair.", "title")
    if done.by_the_way:
        yield PlanLine("Also fixed by them", "title")
        yield from (PlanLine(f"  {finding.code}  {finding.message}", "value", 7) for finding in done.by_the_way)
    if done.left:
        yield EMPTY
        yield PlanLine("Not repaired", "title")
        yield from (PlanLine(f"  {line}", "warning", 7) for line in done.left)
    if done.proof is not None:
        then = " after these changes" if done.steps else ""
        yield EMPTY
        yield PlanLine("Proof", "title")
        yield PlanLine(f"  The note is {PROVED[done.proof.proved]}{then}: {done.proof.why}", "value", 2)
    yield EMPTY
    yield from _readers(done)


def _gain(done: Repair) -> PlanLine:
    """Return how many readers accept the file now, and with the repair."""
    found = (*done.found_before, *done.judgement.found)
    now, then = tally(done.readers.now, found), tally(done.readers.after, found)
    if not done.steps:
        return PlanLine(f"{now.score} readers accept this dump.", "title")
    kind: Kind = "good" if not then.refusing else "warning"
    return PlanLine(f"After the repair {then.score} readers accept this dump{then.but_blind} (now: {now.score}).", kind)


def _readers(done: Repair) -> Iterator[PlanLine]:
    """Yield a table of the readers: the verdict now and after the repair, and what the program prints."""
    yield PlanLine(f"  {'Readers':<{_NAME}}{'now':<{_STATE}}{'repaired':<{_STATE}}prints, or why not", "title")
    for name, verdict in done.readers.now.items():
        then = done.readers.after[name]
        if name == "qemu" and then.state == "unknown":
            continue  # it reads an entry, and none is open
        states = f"{_STATES[verdict.state]:<{_STATE}}{_STATES[then.state]:<{_STATE}}"
        yield PlanLine(f"  {name:<{_NAME}}{states}{_words(then)}", _KINDS[then.state], 2 + _NAME + 2 * _STATE)


def _words(verdict: Verdict) -> str:
    """Return what the program prints, or why there is no verdict."""
    if verdict.state == "unknown":
        return verdict.says
    return quoted(verdict.unread if verdict.state == "opens" else verdict.says)
