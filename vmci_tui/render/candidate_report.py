"""Render candidates, proofs and repairs as JSON and as text, for the shell and for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vmci_tui.common.safe_text import visible
from vmci_tui.readers.verdicts import VerdictPair
from vmci_tui.render.verdict_report import proof_json, readers_heading, said, state_words
from vmci_tui.repair.repaired import Repair
from vmci_tui.search.candidate import PROVED, RankedCandidate

Json = dict[str, Any]
_RELEASE_SHOWN = 80


def candidates_json(judged: Sequence[RankedCandidate]) -> list[Json]:
    return [
        {
            "paddr": item.candidate.paddr,
            "offset": item.candidate.offset,
            "kind": item.candidate.kind,
            "length": len(item.candidate.raw),
            "osrelease": osrelease(item),
            "proved": item.proof.proved,
            "why": item.why,
            "copies": list(item.copies),
            "found_by": item.found_by,
        }
        for item in judged
    ]


def osrelease(item: RankedCandidate) -> str:
    return visible((item.candidate.vmcoreinfo.osrelease or b"")[:_RELEASE_SHOWN])


def candidates_text(judged: Sequence[RankedCandidate]) -> Iterator[str]:
    """Yield two lines a candidate: what it is, and the reason for its rank."""
    for item in judged:
        found = item.candidate
        where = f"at {found.offset:#x}" if found.offset is not None else "not in one place of the file"
        proved = PROVED[item.proof.proved]
        yield f"{found.paddr:#014x}  {proved:<12}  {found.kind}, {len(found.raw)} bytes, {where}  {osrelease(item)}"
        yield f"    {item.why}"


def repair_json(done: Repair) -> Json:
    return {
        "repair": {
            "steps": [{"code": step.code, "label": step.edit.label} for step in done.steps],
            "question": done.question or None,
            "left": list(done.left),
            "proof": proof_json(done.proof),
        },
        "candidates": candidates_json(done.candidates),
        **verdicts_of_both(done.readers),
    }


def verdicts_of_both(both: VerdictPair) -> Json:
    """Return whether each reader accepts before and after, and the version whose rules judge."""
    return {
        "before": {name: verdict.accepts for name, verdict in both.now.items()},
        "after": {name: verdict.accepts for name, verdict in both.after.items()},
        "versions": {name: verdict.reader.title for name, verdict in both.now.items()},
    }


def before_and_after(both: VerdictPair) -> Iterator[str]:
    """Yield one line a reader: whether it accepts before and after, and its words if it refuses afterwards."""
    for name, verdict in both.now.items():
        then = both.after[name]
        change = "" if then.state == verdict.state else f" -> {state_words(then)}"
        why = f"  {said(then)}" if then.accepts is False or (change and then.accepts is None) else ""
        why = f": {then.unread}" if then.state == "opens" else why
        yield f"  {name:<13} {state_words(verdict)}{change}{why}"


def repair_text(done: Repair) -> Iterator[str]:
    """Yield what was done, and what every reader says before and after."""
    if done.steps:
        yield "repair"
        for step in done.steps:
            yield f"  {step.code}  {step.edit.label}"
    elif not done.question:
        yield "nothing to repair" if not done.left else "nothing that is safe to repair without asking"
    if done.proof is not None:
        yield f"the note is {PROVED[done.proof.proved]}: {done.proof.why}"
    if done.left:
        yield "not repaired"
        for line in done.left:
            yield f"  {line}"
    yield f"{readers_heading(done.readers.now)}; before and after"
    yield from before_and_after(done.readers)
    if done.question:
        yield ""
        yield f"not done: {done.question}"
        yield from candidates_text(done.candidates)
