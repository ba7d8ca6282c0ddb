"""Render what `vmci check` found in one file: as text, as JSON, and as one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vmci_tui.common.safe_text import Safe
from vmci_tui.findings.finding import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.verdicts import VerdictPair, Verdicts
from vmci_tui.render import dump_report, verdict_report
from vmci_tui.render.finding_report import findings_text
from vmci_tui.render.kernel.state_words import state_json, state_words
from vmci_tui.repair.next_commands import NextCommand
from vmci_tui.search.candidate import PROVED
from vmci_tui.verdict.tally import tally

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.kernel_state import KernelState


class Checked(NamedTuple):
    """What a check found, as far as it concerns the readers that the user asked for."""

    judgement: Judgement
    found: tuple[Finding, ...]
    now: Verdicts
    """The verdicts over the file on disk."""
    more: VerdictPair
    """The verdicts of further programs, before and after saving; empty if nobody asked for them."""
    steps: tuple[NextCommand, ...]

    @property
    def has_error(self) -> bool:
        """Whether a finding is an error."""
        return any(item.severity == "error" for item in self.found)

    @property
    def refused(self) -> bool:
        """Whether a reader refuses the file."""
        return any(verdict.accepts is False for verdict in self.now.values())

    @property
    def both(self) -> VerdictPair:
        """All verdicts, before and after saving."""
        return VerdictPair({**self.now, **self.more.now}, {**self.judgement.after, **self.more.after})


def check_json(checked: Checked) -> dict[str, Any]:
    """Return the check as JSON, without `installed` and the verdicts of further programs."""
    return {
        **dump_report.head_json(checked.judgement.document),
        "findings": dump_report.findings_json(checked.found),
        "proof": verdict_report.proof_json(checked.judgement.proof),
        "counts": _counts(checked.judgement),
        "kernel": state_json(_state(checked.judgement)),
        "readers": verdict_report.readers_json(checked.now),
        "next": verdict_report.next_json(checked.steps),
    }


def check_text(checked: Checked) -> Iterator[str]:
    """Yield findings, proof, next commands, and the verdict as the last line; the readers come before."""
    if checked.found:
        yield from (*findings_text(checked.found), "")
    if proved := proof_line(checked):
        yield from (proved, "")
    state = _state(checked.judgement)
    if state is not None and (words := state_words(state)):
        yield from (f"kernel: {words}", "")
    if checked.steps:
        yield from ("next", *verdict_report.next_text(checked.steps), "")
    yield verdict_line(checked)


def _counts(judgement: Judgement) -> dict[str, Any] | None:
    if judgement.lines is None:
        return None
    from vmci_tui.render.kernel.proof_report import counts_of

    return counts_of(judgement.lines)


def _state(judgement: Judgement) -> KernelState | None:
    return None if judgement.facts is None else judgement.facts.state


def proof_line(checked: Checked) -> str:
    """Return what memory says of the note; empty if there is no proof, or a finding says it already."""
    proof = checked.judgement.proof
    if proof is None or any(proof.why in item.message for item in checked.found):
        return ""
    words, lines = f"the note is {PROVED[proof.proved]}: {proof.why}", checked.judgement.lines
    if lines is None:
        return words
    from vmci_tui.render.kernel.proof_report import counts_words

    return f"{words}; of its lines {counts_words(lines)} (`vmci prove` lists them)"


def verdict_line(checked: Checked) -> Safe:
    """Return the verdict: `1 error, 1 info: 3 of 6 readers refuse`."""
    return Safe(f"{_counted(checked.found)}: {_refusing(checked)}")


def _counted(found: Sequence[Finding]) -> str:
    """Return the number of findings of each severity, worst first."""
    counts = Counter(item.severity for item in found)
    words = (
        f"{counts[severity]} {severity}{'s' if counts[severity] > 1 and severity != 'info' else ''}"
        for severity in ("error", "warning", "info")
        if counts[severity]
    )
    return ", ".join(words) or "no findings"


def _refusing(checked: Checked) -> str:
    """Return how many readers refuse, or read no memory, of those with a known verdict that read files of this kind."""
    verdicts = checked.now
    apart = tally(verdicts, checked.found).apart
    names = [name for name, verdict in verdicts.items() if verdict.accepts is not None and name not in apart]
    states = Counter(verdicts[name].state for name in names)
    judging, refusing, blind = states.total(), states["refuses"], states["opens"]
    if not judging:
        return "no reader's verdict is known"
    many, readers = judging > 1, f"{judging} readers"
    if 0 < refusing < judging:
        words = f"{refusing} of {readers} refuse{'s' if refusing == 1 else ''}"
    else:
        verb = "refuse" if refusing else "accept"
        words = f"all {readers} {verb}" if many else f"{names[0]} {verb}s"
    words += f", {blind} read{'s' if blind == 1 else ''} no kernel memory" if blind else ""
    return words + (f"; {', '.join(apart)} read{'s' if len(apart) == 1 else ''} other dumps" if apart else "")
