"""Apply every safe fix at once: to the note, its text, the headers of the file. Anything unsafe becomes a question.

A fix is safe if no reader could have read the old bytes correctly and the new ones wrongly: the layout, the
note's header, line ends. What a value should be is decided only by memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from vmci_tui.adoption import choose as adopt
from vmci_tui.adoption.choose import Adoption
from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import SaveError, VmciError
from vmci_tui.common.progress import Progress, no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.state import State
from vmci_tui.findings import Finding
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.finding import ORDER_HEADERS
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders, Verdicts
from vmci_tui.repair.repaired import Repair, RepairStep
from vmci_tui.saving.harm import lost_readers
from vmci_tui.search.candidate import RankedCandidate

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import KernelFacts

STEPS: Final = 100
"""More fixes in a row than any file needed: each removes a finding. A second repair continues."""


class Choice(NamedTuple):
    """What the user allows."""

    only: frozenset[str] | None = None
    """Codes of the findings to fix; None for all."""
    paddr: int | None = None
    """The candidate to adopt, proved or not."""
    made: bool = False
    """Whether to take the note that is made from the tables of the kernel in memory."""
    keep_segments: bool = False
    keep_flattened: bool = False
    """As an in-place repair must: only a copy can be made plain."""

    def allows(self, code: str) -> bool:
        return self.only is None or code in self.only


EVERYTHING: Final = Choice()


class Prior(NamedTuple):
    """What is known before a repair, and what bounds it."""

    verdicts: Verdicts | None = None
    """The verdicts over the file on disk."""
    adoption: Adoption | None = None
    """What was decided about the note of the same state; memory is not searched again."""
    candidates: tuple[RankedCandidate, ...] = ()
    """All notes in memory, which no edit changes."""
    budget: Budget | None = None
    """The limit of each judgement; it may raise Cancelled."""
    facts: KernelFacts | None = None
    """What the lines of the note should be, if that was looked up in memory."""


NOTHING_KNOWN: Final = Prior()


def repair(
    document: Document,
    choice: Choice = EVERYTHING,
    progress: Progress = no_progress,
    readers: ChosenReaders = DEFAULT,
    prior: Prior = NOTHING_KNOWN,
) -> Repair:
    """Apply all safe fixes to a dump's document, each as one undo step; change nothing if the user must decide first.

    Raises EditError if no candidate is at `choice.paddr`, SaveError if no file can hold the note, and what `progress`
    and the budget raise. In these cases nothing is changed either.
    """
    assert document.dump is not None
    steps: list[RepairStep] = []
    judgement = Judgement.of(document, prior.verdicts, prior.budget, readers, prior.facts)
    found = judgement.found
    adoption = _adoption(judgement, document, choice, progress, prior)
    if adoption.question:
        candidates, made, judged = adoption.candidates, adoption.made, judgement.complete()
        return Repair((), adoption.question, (), candidates, True, adoption.proof, judged, found, judged.both, made)
    _take_note(document, adoption, steps)
    judgement = _fix_all(document, choice, steps, judgement.later(document) if steps else judgement)
    left = tuple(_left(f, adoption) for f in judgement.found if f.severity == "error")
    searched = bool(adoption.code) and not (adoption.unread or choice.made)
    candidates, made, judged = adoption.candidates, adoption.made, judgement.complete()
    return Repair(tuple(steps), "", left, candidates, searched, judged.proof, judged, found, judged.both, made)


def changes(judgement: Judgement) -> bool:
    """Return whether a repair would change the file, or search memory for a note.

    Memory is not searched here, because that takes long.
    """
    document, found = judgement.document, judgement.found
    if document.dump is None or any(note.is_windows for note in document.state.notes):
        return False
    if document.dump.guest_memory.size and any(finding.wants_memory for finding in found):
        return True
    fixable = [finding for finding in found if _may(finding, EVERYTHING, False)]
    if not fixable:
        return False
    scratch = document.snapshot()
    return any(_apply(scratch, finding, judgement) is not None for finding in fixable)


def command_of_fix(finding: Finding, found: Sequence[Finding], state: State) -> str | None:
    """Return the words of the command that makes exactly this fix, with FILE for the file; None if none does.

    `found` are all findings of the state.
    """
    windows = any(note.is_windows for note in state.notes)
    alone = sum(other.code == finding.code for other in found) == 1
    safe = catalogue()[finding.code].safe not in ("kept", "proved") and _may(finding, EVERYTHING, windows)
    return f"repair FILE --only {finding.code}" if alone and safe else None


def _refused(finding: Finding) -> bool:
    return any(consequence.refuses for consequence in finding.readers)


def _left(finding: Finding, adoption: Adoption) -> str:
    """Return the line for an error that stays, with what can be done about it."""
    words = f"{finding.code} {finding.message}"
    if finding.code == "N01" and adoption.unread:
        return f"{words}, and its memory cannot be searched: {adoption.unread}"
    if finding.code == "N01" and adoption.code and not adoption.candidates:
        return f"{words}, and there is none in the memory that it has: append one from another dump, or from the guest"
    return f"{words} (apply by hand: {finding.fix.label})" if finding.fix is not None else words


def _adoption(judgement: Judgement, document: Document, choice: Choice, progress: Progress, prior: Prior) -> Adoption:
    if choice.made:
        return _made(document, progress, prior)
    if choice.paddr is not None:
        judged = adopt.search_for(document, choice.paddr, progress)
        code = "N01" if document.state.note is None else "M05"
        return Adoption(code, adopt.choice_of(judged, choice.paddr), judged, "")
    if choice.only is not None and not any(catalogue()[code].adopt for code in choice.only):
        return Adoption("", None, (), "")
    adoption = prior.adoption or adopt.consider(judgement, progress, prior.candidates)
    return adoption if choice.allows(adoption.code) else Adoption("", None, (), "")


def _made(document: Document, progress: Progress, prior: Prior) -> Adoption:
    """Return the decision for the note that is made from the kernel's tables. Raises EditError if none can be."""
    assert document.dump is not None
    state = document.state
    from vmci_tui.adoption.made_note import made_note

    known = prior.adoption.made if prior.adoption is not None else None
    made = known or made_note(guest_of(document.dump), state.vmcoreinfo, progress)
    return Adoption("N01" if state.note is None else "M05", None, (), "", made=made)


def _take_note(document: Document, adoption: Adoption, steps: list[RepairStep]) -> None:
    assert document.dump is not None
    if adoption.chosen is not None:
        candidate = adoption.chosen.candidate
        edit = adopt.adopted(candidate, document.dump.order)
        if document.edit(edit):
            steps.append(RepairStep(adoption.code, edit))
    elif adoption.made is not None:
        edit = adoption.made.edit(document.dump.order)
        if document.edit(edit):
            steps.append(RepairStep(adoption.code, edit))
    elif adoption.code == "M05" and adoption.proof is not None:
        for key, value, _ in adoption.proof.corrections:
            edit = Edit.of(edit_text.set_key, key, value)
            if document.edit(edit):
                steps.append(RepairStep(adoption.code, edit))


def _fix_all(document: Document, choice: Choice, steps: list[RepairStep], judgement: Judgement) -> Judgement:
    """Apply fixes until none is left that may be applied; retry failed ones after others. Return the new judgement."""
    tries, failed, before = iter(range(2 * STEPS)), True, -1
    while failed and len(steps) > before:
        before = len(steps)
        judgement, failed = _round(document, choice, steps, tries, judgement)
        # Every save orders the headers, so a repair without other edits does it too.
        if choice.allows("C06") and _order(document, steps, judgement):
            judgement = judgement.later(document)
    return judgement


def _round(
    document: Document, choice: Choice, steps: list[RepairStep], tries: Iterator[int], judgement: Judgement
) -> tuple[Judgement, bool]:
    """Apply each fix that may be applied, while there are tries; return the judgement, and whether any fix failed."""
    failed: set[tuple[str, Edit | None]] = set()
    for _ in tries:
        windows = any(note.is_windows for note in document.state.notes)
        may = (f for f in judgement.found if _may(f, choice, windows) and (f.code, f.fix) not in failed)
        finding = next(may, None)
        if finding is None:
            break
        if (then := _apply(document, finding, judgement)) is not None:
            assert finding.fix is not None
            steps.append(RepairStep(finding.code, finding.fix))
            judgement = then
        else:
            failed.add((finding.code, finding.fix))
    return judgement, bool(failed)


def _order(document: Document, steps: list[RepairStep], judgement: Judgement) -> bool:
    """Order the headers if nothing else was edited and a reader gains by it; return whether it was done."""
    if document.dump is None or document.state.of_dump != document.opened.of_dump:
        return False
    try:
        arranged = document.saved_layout.image
    except SaveError:
        return False
    if arranged == document.dump.current_layout.image or not _readers_gain(document, judgement):
        return False
    document.edit(ORDER_HEADERS)
    steps.append(RepairStep("C06", ORDER_HEADERS))
    return True


def _readers_gain(document: Document, judgement: Judgement) -> bool:
    both = judgement.later(document.with_edit(ORDER_HEADERS)).both
    return any(both.after[name].accepts and not both.now[name].accepts for name in both.now)


def _may(finding: Finding, choice: Choice, windows: bool) -> bool:
    kind = catalogue()[finding.code]
    if finding.fix is None or kind.safe is None or not choice.allows(finding.code):
        return False
    if kind.fix == "order-headers" and windows:  # no reader of Linux dumps accepts it anyway
        return False
    if kind.fix == "merge-headers":
        return not choice.keep_segments
    if finding.code == "C21":
        return not choice.keep_flattened
    return kind.safe != "refused" or _refused(finding)


def _apply(document: Document, finding: Finding, judgement: Judgement) -> Judgement | None:
    """Apply one fix, unless it makes a reader refuse, or memory proves the text before and not after.

    A line that memory contradicts is set only if the text is of the kernel in memory, which proves it then.
    `judgement` is of the document before the fix. Return the one after it; None if the fix was not applied.
    """
    assert finding.fix is not None
    before, by_memory = judgement.proof, catalogue()[finding.code].safe == "proved"
    if by_memory and (judgement.lines is None or not judgement.lines.consistent):
        return None
    try:
        state = finding.fix.apply(document.state)
        kept = _keeps_meaning(document.state, state, finding.code, before is not None and before.proved is True)
        if not kept or not document.edit(finding.fix):
            return None
    except VmciError:
        return None
    then = judgement.later(document)
    proved = then.proof is not None and then.proof.proved is True
    disproved = not proved and (by_memory or (before is not None and before.proved is True))
    if disproved or lost_readers(judgement.shown, then.shown):
        document.undo()
        return None
    return then


def _keeps_meaning(before: State, after: State, code: str, proved: bool) -> bool:
    """Return whether nothing is lost that differs from what is kept, which may be `proved` by memory."""
    if code == "C20" and before.header_text is not None and not proved:
        return any(note.desc == before.header_text.raw for note in after.notes)
    if code == "N05":
        return len({note.desc for note in before.notes if note.is_vmcoreinfo and note.whole}) == 1
    if code == "T06":
        text, kept = before.vmcoreinfo, after.vmcoreinfo
        gone = {key for key, _ in text.duplicates} - {key for key, _ in kept.duplicates} if text and kept else set()
        return all(len({line.value for line in text.all(key)}) == 1 for key in gone) if text else False
    return True
