"""Compare predicted verdicts with those of the programs: list disagreements, and print the table of a run."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tests.real.agreement.mutator import Mutant
from tests.real.agreement.oracle import HUNG, READERS, Answer, Oracle
from vmci_tui.common.safe_text import visible
from vmci_tui.formats.flattened_records import SIGNATURE
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Verdict
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders, judge_file

_BATCH = 64
_ADDRESS = re.compile(r"\b[0-9a-f]{8,16}\b")
"""Addresses in a program's own memory, which differ in every run."""
_TOO_FAR = re.compile(
    r"Can't (seek|read) (FILE at 0x[0-9a-f]+|the dump memory\(FILE\))\. (Invalid argument|No such file or directory)"
)
"""Offsets beyond 16 TiB: seeking there fails on ext4; on tmpfs and XFS only reading fails."""
FIELDS = ("accepts", "osrelease", "stage", "words")


class Disagreement(NamedTuple):
    """One field in which model and program differ."""

    reader: str
    field: str
    mutant: Mutant
    predicted: str
    answered: str

    def __str__(self) -> str:
        what = ", ".join(self.mutant.what)
        return (
            f"{self.reader} {self.field}: {self.predicted} predicted, {self.answered} said: {self.mutant.name} ({what})"
        )


class Tally:
    """The counts of a run, by reader."""

    def __init__(self, readers: Sequence[str] = READERS) -> None:
        self.readers = readers
        self.dumps = 0
        self.in_its_form: Counter[str] = Counter()
        """Files of a form that a reader reads: makedumpfile reads no flattened file with `--dump-dmesg`."""
        self.accepted: Counter[str] = Counter()
        self.compared: Counter[tuple[str, str]] = Counter()
        self.disagreements: list[Disagreement] = []

    def add(self, mutant: Mutant, verdicts: dict[str, Verdict], answers: dict[str, Answer]) -> None:
        self.dumps += 1
        for name in self.readers:
            self.in_its_form[name] += name != "makedumpfile" or not mutant.data.startswith(SIGNATURE)
            self.accepted[name] += answers[name].accepts
            for field, predicted, answered, agrees in _compared(verdicts[name], answers[name]):
                self.compared[name, field] += 1
                if not agrees:
                    self.disagreements.append(Disagreement(name, field, mutant, predicted, answered))

    def share_accepted(self, reader: str) -> float:
        return self.accepted[reader] / self.in_its_form[reader]

    def agreement(self, reader: str, field: str) -> float:
        """Return the share that agrees; 1 if nothing could be compared."""
        all_ = self.compared[reader, field]
        wrong = sum((d.reader, d.field) == (reader, field) for d in self.disagreements)
        return 1 - wrong / all_ if all_ else 1.0

    def table(self) -> str:
        """Return a line a reader: files that it accepted, predictions that agree, predictions in total."""
        lines = [f"{self.dumps} dumps     accepted   " + "".join(f"{field:>19}" for field in FIELDS)]
        for name in self.readers:
            cells = (f"{self.agreement(name, f):8.2%} of {self.compared[name, f]:5}" for f in FIELDS)
            lines.append(f"{name:14} {self.share_accepted(name):9.1%}   " + "".join(f"{cell:>19}" for cell in cells))
        return "\n".join(lines)


def verdicts_of(data: bytes, names: Sequence[str] = READERS, models: ChosenReaders = DEFAULT) -> dict[str, Verdict]:
    """Return the verdicts of the models with these names."""
    chosen = (reader for reader in (*models.dumps, *models.more) if reader.name in names)
    return judge_file(View(BytesSource(data)), chosen)


def hold(
    mutants: Iterator[Mutant],
    oracle: Oracle,
    seen: Callable[[Tally], None] = lambda _: None,
    models: ChosenReaders = DEFAULT,
) -> Tally:
    """Run models and programs on each file; call `seen` with the progress."""
    tally = Tally(oracle.readers)
    while batch := list(islice(mutants, _BATCH)):
        for mutant, answers in zip(batch, oracle.ask_many([m.data for m in batch]), strict=True):
            verdicts = verdicts_of(mutant.data, oracle.readers, models)
            tally.add(mutant, verdicts, settled(oracle, mutant.data, verdicts, answers))
        seen(tally)
    return tally


def settled(
    oracle: Oracle, data: bytes, verdicts: Mapping[str, Verdict], answers: dict[str, Answer]
) -> dict[str, Answer]:
    """Return the answers, a death where drgn accepts here and dies in another process, as predicted."""
    out = dict(answers)
    for name in {"drgn", "libkdumpfile"} & set(answers):
        answer = answers[name]
        killed = verdicts[name].says.removeprefix("killed by ")
        if answer.accepts and killed in signal.Signals.__members__ and oracle.may_die(data, name):
            out[name] = Answer(False, None, None, killed, -signal.Signals[killed])
    return out


def _compared(verdict: Verdict, answer: Answer) -> Iterator[tuple[str, str, str, bool]]:
    """Yield (field, predicted, answered, whether they agree) for each field that can be compared."""
    yield "accepts", str(verdict.accepts), str(answer.accepts), verdict.accepts is answer.accepts
    if verdict.accepts and answer.accepts:
        release = None if answer.osrelease is None else visible(answer.osrelease.encode("latin-1"))
        yield "osrelease", repr(verdict.osrelease), repr(release), verdict.osrelease == release
    if verdict.accepts is False and not answer.accepts:
        if answer.stage is not None:
            yield "stage", str(verdict.stage), answer.stage, verdict.stage == answer.stage
        if verdict.says:
            said = _words(answer)
            yield "words", repr(verdict.says), repr(said[-300:]), all(part in said for part in _parts(verdict.says))


def _parts(says: str) -> list[str]:
    """Return the words of a verdict; for a death the signal and the last words separately."""
    words = _steady(says)
    return words.split(": ", 1) if words.startswith("killed by ") else [words]


def _words(answer: Answer) -> str:
    """Return its output, and the signal that killed it."""
    text = re.sub(r"/tmp/vmcoreinfo\w{6}", "/tmp/vmcoreinfoXXXXXX", answer.says)
    if answer.code == HUNG:
        text += "\nhangs"
    elif answer.code < 0:
        text += f"\nkilled by {signal.Signals(-answer.code).name}"
    return _steady(visible(text.encode("latin-1")))


def _steady(words: str) -> str:
    """Return the words without parts that differ between machines and runs."""
    return _TOO_FAR.sub(r"Can't reach \2.", _ADDRESS.sub("ADDRESS", words))
