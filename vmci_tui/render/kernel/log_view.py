"""The lines of the kernel's log as a screen lists them, and the search in them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, islice
from operator import attrgetter
from typing import Final, NamedTuple

from vmci_tui.kernel.log.marks import Mark, mark_of, panic_of
from vmci_tui.kernel.log.record import LEVELS, KernelLog, LogRecord
from vmci_tui.render.kernel.log_report import log_lines

_MOST_LINES: Final = 1 << 18
"""Twice the most records."""
VIEWS: Final = ((7, "all levels"), (4, "warnings and worse"), (3, "errors and worse"))
"""What a screen can show: the least severe level, and its words."""


class LogLine(NamedTuple):
    """One line of a record."""

    record: LogRecord
    text: str
    """With its time, or indented below it; safe to show."""
    first: bool
    mark: Mark | None
    number: int
    """Its index among the lines of all levels."""


class LogView(NamedTuple):
    """The lines of a log, down to one level."""

    lines: tuple[LogLine, ...]
    all: tuple[LogLine, ...]
    """Those of all levels."""
    start: int
    """The line to begin at: that with the reason of the panic, else the last one."""
    failures: str
    """A sentence about the lines that report a failure; empty for a log without lines."""
    searched: str = ""
    """The text of the lines in lower case, each with a newline: searching 131,072 lines one by one takes 100 ms."""
    starts: Sequence[int] = ()
    """Where each line begins in it."""
    faults: Sequence[int] = ()
    """The lines that report a panic, an oops or a warning."""

    def index_of(self, line: LogLine | None) -> int:
        """Return the index of a line, or of the next one that is shown; the last one if there is none."""
        if line is None or not self.lines:
            return 0
        return min(bisect_left(self.lines, line.number, key=attrgetter("number")), len(self.lines) - 1)

    def whole(self, line: LogLine) -> str:
        """Return the text of the whole record that a line is of."""
        first = last = line.number
        while first and self.all[first - 1].record is line.record:
            first -= 1
        while last < len(self.all) and self.all[last].record is line.record:
            last += 1
        return "\n".join(one.text for one in self.all[first:last])

    def find(self, words: str, start: int, step: int) -> int | None:
        """Return the next line from `start` with these words, in any case, going around once; None if none has them."""
        wanted, text = words.lower(), self.searched
        if not self.lines:
            return None
        first = self.starts[start % len(self.lines)]
        if step > 0:
            at = text.find(wanted, first)
            at = text.find(wanted) if at < 0 else at
        else:
            at = text.rfind(wanted, 0, text.find("\n", first))
            at = text.rfind(wanted) if at < 0 else at
        return None if at < 0 else bisect_right(self.starts, at) - 1

    def next_fault(self, start: int, step: int) -> int | None:
        """Return the next line from `start` that reports a panic, an oops or a warning, going around once."""
        if not self.faults:
            return None
        if step > 0:
            at = bisect_left(self.faults, start % len(self.lines))
        else:
            at = bisect_right(self.faults, start % len(self.lines)) - 1
        return self.faults[at % len(self.faults)]


def views_of(log: KernelLog) -> tuple[LogView, ...]:
    """Return the lines of a log down to the level of each of VIEWS; the last ones of one longer than any kernel's."""
    newest: list[tuple[LogRecord, tuple[str, ...]]] = []
    count = 0
    for record in reversed(log.records):
        texts = tuple(islice(log_lines(record), _MOST_LINES))
        count += len(texts)
        if count > _MOST_LINES:
            break
        newest.append((record, texts))
    lines = list[LogLine]()
    for record, texts in reversed(newest):
        mark = mark_of(record)
        for at, text in enumerate(texts):
            lines.append(LogLine(record, text.expandtabs(8), at == 0, None if at else mark, len(lines)))
    panic, every = panic_of(log), tuple(lines)
    start = next((at for at, line in enumerate(lines) if line.record is panic), len(lines) - 1)
    return tuple(_down_to(every, max(start, 0), level) for level, _ in VIEWS)


def _down_to(every: tuple[LogLine, ...], start: int, level: int) -> LogView:
    """Return the view with the lines of a level and worse ones; records without a level stay."""
    lines = tuple(line for line in every if line.record.level is None or line.record.level <= level)
    starts = array("Q", (0, *accumulate(len(line.text) + 1 for line in lines)))[:-1]
    searched = "".join(f"{line.text.lower()}\n" for line in lines)
    faults = array("Q", (at for at, line in enumerate(lines) if line.mark is not None))
    return LogView(lines, every, start, failures(lines), searched, starts, faults)


def record_words(record: LogRecord) -> str:
    """Return what is known of a record, in one line."""
    level = None if record.level is None else LEVELS[record.level]
    facility = (
        None if record.facility is None else "the kernel" if not record.facility else f"facility {record.facility}"
    )
    number = None if record.sequence is None else f"record {record.sequence}"
    caller = None
    if record.caller is not None:
        caller = f"{'CPU' if record.caller[0] == 'C' else 'task'} {record.caller[1:]}"
    return ", ".join(part for part in (number, level, facility, caller, record.problem) if part)


def failures(lines: Sequence[LogLine]) -> str:
    """Return a sentence about the lines that report a failure; empty for a log without lines."""
    marks = [line.mark for line in lines if line.mark is not None]
    if not marks:
        return "No line reports a panic, an oops or a warning." if lines else ""
    count = "1 line reports" if len(marks) == 1 else f"{len(marks)} lines report"
    return f"{'The kernel panicked. ' if 'panic' in marks else ''}{count} a failure: ] goes to the next."
