"""The verdict on a dump: as it was opened, after an edit, and after a save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.sizes import time_text
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.findings.finding import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.repaired import Repair
from vmci_tui.verdict.diagnosis import Diagnosis, Offer, Tone, offer
from vmci_tui.verdict.outlook import OF_VM, Outlook, WayOut, way_out
from vmci_tui.verdict.tally import NAMED, Tally, names, tally

_ABSENT: Final = "its VMCOREINFO note is missing"
_UNCONFIRMED: Final = ", but guest memory cannot confirm its note."
_NEXT: Final = offer("next", "Next commands")
_SAVE: Final = offer("save", "Save")
_PANIC: Final = 80
"""Bytes of the reason of a panic that are shown."""
_UNDO: Final = offer("undo", "Undo")


def of_dump(judgement: Judgement, outlook: Outlook, saved_as: str | None) -> Diagnosis:
    """Return the verdict on a dump; `saved_as` is the path of the copy that has the current state."""
    document = judgement.document
    if document.unsaved:
        return _unsaved(judgement, outlook)
    if saved_as is not None and document.modified:
        return _saved(judgement, saved_as)
    counted, blamed = tally(judgement.now, judgement.found), blame(judgement.found)
    if any(note.is_windows for note in document.state.notes):
        words = "This dump is of a Windows guest: readers of Linux dumps find no kernel in it."
        return Diagnosis("dim", (Safe(words), Safe("This dump is of a Windows guest.")), (), (_NEXT,))
    sentence = who(counted, blamed)
    if blamed is not None:
        detail, offers = _way_out(judgement, outlook, blamed)
        return Diagnosis(_tone_with(counted, blamed.severity == "error"), sentence, detail, offers)
    if isinstance(outlook, Repair) and outlook.steps:
        detail, offers = way_out(outlook, "")
        return Diagnosis("warning", tuple(Safe(f"{words[:-1]}{_UNCONFIRMED}") for words in sentence), detail, offers)
    return Diagnosis(_tone(counted), sentence, _remarks(counted, judgement), (_NEXT,))


def blame(found: Sequence[Finding]) -> Finding | None:
    """Return the finding that keeps readers from using the file, or an error; None if all is well.

    One about the entry comes last: readers of a dump do not read that.
    """
    known = sorted(found, key=lambda item: item.code.startswith("E"))
    ours = [item for item in known if catalogue()[item.code].group != "foreign" and item.code != "C17"]
    refusing = (item for item in ours if any(impact.refuses for impact in item.readers))
    first = next(refusing, None) or next((item for item in ours if item.severity == "error"), None)
    return first or next((item for item in ours if catalogue()[item.code].group == "addresses"), None)


def who(counted: Tally, blamed: Finding | None) -> tuple[Safe, ...]:
    """Return who can use a dump, and why not, as a sentence: in full, then shorter."""
    refusing, total = counted.refusing, counted.total
    if refusing:
        whom = [f"{len(refusing)} of {total} readers cannot use this dump"]
        if not counted.accepting:
            whom = ["No reader can use this dump" if total > 1 else f"{refusing[0]} cannot use this dump"]
        elif len(refusing) <= NAMED:
            whom.insert(0, f"{names(refusing)} cannot use this dump")
        refuse = "refuses" if len(refusing) == 1 else "refuse"
        whom.append(f"{len(refusing)} of {total} readers {refuse} it" if counted.accepting else "No reader accepts it")
        reasons = [] if blamed is None else [_reason(blamed), catalogue()[blamed.code].what]
        blaming = tuple(f"{who}: {why}" for why in dict.fromkeys(reasons) for who in whom)
        return tuple(_sentence(words) for words in blaming or whom)
    reason = "" if blamed is None else f": {_reason(blamed)}"
    if not total:
        return (_sentence("No reader's verdict is known"),)
    every = f"All {total} readers accept this dump" if total > 1 else f"{counted.accepting[0]} accepts this dump"
    if blamed is None:
        return (_sentence(every),)
    if catalogue()[blamed.code].group == "addresses" and counted.blind:
        every = f"{names(counted.blind)} read{'s' if len(counted.blind) == 1 else ''} no kernel memory of this dump"
        return (_sentence(f"{every}{reason}"), _sentence(every))
    short = f"All {total} readers accept it"
    reasons = list(dict.fromkeys((_reason(blamed), catalogue()[blamed.code].what)))
    return tuple(_sentence(f"{who}, but {why}") for why in reasons for who in (every, short))


def _way_out(judgement: Judgement, outlook: Outlook, blamed: Finding) -> WayOut:
    return OF_VM if judgement.document.runs else way_out(outlook, blamed.code)


def _reason(finding: Finding) -> str:
    """Return a finding's message as a part of a sentence."""
    message = finding.message
    if finding.code == "N01":
        return _ABSENT
    plain_word = message[:1].isupper() and message[1:2].islower()
    return message[:1].lower() + message[1:] if plain_word else message


def _unsaved(judgement: Judgement, outlook: Outlook) -> Diagnosis:
    """Say what saving brings, and what is not saved yet."""
    found, labels = judgement.found, judgement.document.labels
    now, then = tally(judgement.now, found), tally(judgement.after, found)
    same = now.accepting == then.accepting
    result = f"After saving, {then.score} readers accept this dump"
    was = " (as now)" if same else f" (now: {now.score})"
    blamed = blame(found)
    proof = judgement.proof
    proved = ", and guest memory proves its note" if proof is not None and proof.proved and same else ""
    sentence = [_sentence(f"{result}{was}{proved}"), _sentence(f"After saving, {then.score} accept{proved}")]
    if then.blind and not same:
        blind = f"{names(then.blind)} find{'s' if len(then.blind) == 1 else ''} no kernel memory in it"
        sentence.insert(0, _sentence(f"{result}{was}; {blind}"))
    offers: list[Offer] = [_SAVE, _UNDO]
    wrong = blamed is not None and blamed.severity == "error"
    if blamed is not None and (then.refusing or wrong):
        sentence.insert(0, _sentence(f"{result}{was}: {_reason(blamed)}"))
        offers = [*_way_out(judgement, outlook, blamed).offers[:1], *offers]
    last = labels[-1] if labels else ""
    count = f"{len(labels)} changes" if len(labels) != 1 else "1 change"
    detail = (visible(f"Not saved: {'; '.join(labels)}"), visible(f"{count} not saved, the last: {last}"))
    shortest = (Safe(f"{count} not saved."),)
    return Diagnosis(_tone_with(then, wrong), tuple(sentence), (*detail, *shortest), tuple(offers))


def _saved(judgement: Judgement, path: str) -> Diagnosis:
    """Say what the saved copy is worth."""
    now, then = (tally(verdicts, judgement.found) for verdicts in (judgement.now, judgement.after))
    result, blamed = f"{then.score} readers accept it{then.but_blind}", blame(judgement.found)
    wrong = blamed is not None and blamed.severity == "error"
    if blamed is not None and wrong:
        result += f", but {_reason(blamed)}"
    sentence = (visible(f"Saved as {path}: {result}."), visible(f"Saved as {path.rsplit('/', 1)[-1]}: {result}."))
    detail = Safe(f"The open file is not changed: {now.score} readers accept that.")
    return Diagnosis(_tone_with(then, wrong), sentence, (detail, Safe("The open file is not changed.")), (_NEXT,))


def _remarks(counted: Tally, judgement: Judgement) -> tuple[Safe, ...]:
    """Return what else is worth knowing of a dump that readers accept."""
    proof, hints = judgement.proof, len(judgement.found)
    said, shortest = [], ""
    state = None if judgement.facts is None else judgement.facts.state
    if state is not None and state.panic:
        reason = visible(state.panic[:_PANIC].rpartition(b": ")[2])
        after = "" if state.uptime is None else f" after {time_text(state.uptime)}"
        said.append(f"The kernel panicked{after} ({reason})")
        shortest = f"The kernel panicked ({reason})"
    if proof is not None and proof.proved:
        lines = judgement.lines
        each = "" if lines is None else f" and confirms {lines.counts['confirmed']} of its {len(lines.lines)} lines"
        said.append(f"Guest memory proves its note{each}")
        shortest = shortest or "Guest memory proves its note"
    elif proof is not None:
        said.append("Guest memory cannot confirm its note")
    if state is not None and state.uptime is not None and not state.panic:
        said.append(f"the kernel was up {time_text(state.uptime)}")
    if counted.blind:
        said.append(f"{names(counted.blind)} find{'s' if len(counted.blind) == 1 else ''} no kernel memory in it")
    if counted.apart:
        said.append(f"{names(counted.apart)} {'are' if len(counted.apart) > 1 else 'is'} for other dumps")
    if hints:
        said.append(f"{hints} hint{'s' if hints > 1 else ''} below")
    forms = ["; ".join(said[:count]) for count in range(len(said), 0, -1)]
    return tuple(_sentence(form) for form in dict.fromkeys((*forms, *filter(None, (shortest,)))))


def _tone(counted: Tally) -> Tone:
    if not counted.total:
        return "dim"
    if not counted.refusing:
        return "good"
    return "warning" if counted.accepting else "error"


def _tone_with(counted: Tally, wrong: bool) -> Tone:
    """Return the tone; what all readers accept is not good if it is wrong."""
    tone = _tone(counted)
    return "error" if wrong and tone == "good" else tone


def _sentence(words: str) -> Safe:
    return visible(f"{words.rstrip('.')}.")
