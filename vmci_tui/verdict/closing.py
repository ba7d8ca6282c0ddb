"""What a saved copy is worth: each reader before and after, as the panel after a save shows it."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.rule import State, Verdict, quoted
from vmci_tui.verdict.tally import tally

_WORDS: Final[dict[State, str]] = {"accepts": "ok", "opens": "opens", "refuses": "no", "unknown": "?"}


class ReaderChange(NamedTuple):
    """One reader's verdict on the file that was opened, and on the copy."""

    name: str
    before: State
    after: State
    says: Safe
    """What it reads from the copy, or why it refuses that."""

    @property
    def words(self) -> Safe:
        """Return both verdicts: `no -> ok`; one if they are the same."""
        now, then = _WORDS[self.before], _WORDS[self.after]
        return Safe(f"{now} -> {then}" if now != then else f"      {then}")


class Closing(NamedTuple):
    """The result of a save."""

    sentence: Safe
    """How many readers accept the copy: `6 of 6 readers accept it (before: 0 of 6).`"""
    good: bool
    """Whether all readers accept the copy that could read a file of its kind."""
    readers: tuple[ReaderChange, ...]


def closing(judgement: Judgement) -> Closing:
    """Return what the copy of a judged state is worth."""
    found = judgement.found
    now, then = tally(judgement.now, found), tally(judgement.after, found)
    before = "as before" if now.accepting == then.accepting else f"before: {now.score}"
    changes = tuple(
        ReaderChange(name, verdict.state, judgement.after[name].state, _said(judgement.after[name]))
        for name, verdict in judgement.now.items()
        if name != "qemu" and name not in then.apart
    )
    return Closing(Safe(f"{then.score} readers accept it{then.but_blind} ({before})."), not then.refusing, changes)


def _said(verdict: Verdict) -> Safe:
    if verdict.accepts is False:
        return quoted(verdict.says)
    return verdict.unread if verdict.state == "opens" else verdict.says
