"""The lines of the kernel's log as a screen lists them, and the search in them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
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


class LogView(NamedTuple):
    """The lines of a log, down to one level."""

    lines: tuple[LogLine, ...]
    all: tuple[LogLine, ...]
    """Those of all levels."""
    start: int
    """The line to begin at: that with the reason of the panic, else the last one."""

    def down_to(self, level: int) -> LogView:
        """Return the view with the lines of this level and worse ones; records without a level stay."""
        lines = tuple(line for line in self.all if line.record.level is None or line.record.level <= level)
        return self._replace(lines=lines)

    def index_of(self, line: LogLine | None) -> int:
        """Return the index of a line, or of the next one that is shown; the last one if there is none."""
        if line is None or not self.lines:
            return 0
        shown = {id(one): index for index, one in enumerate(self.lines)}
        after = (shown[id(one)] for one in self.all[self._place(line) :] if id(one) in shown)
        return next(after, len(self.lines) - 1)

    def find(self, words: str, start: int, step: int) -> int | None:
        """Return the next line from `start` with these words, in any case, going around once; None if none has them."""
        wanted, count = words.lower(), len(self.lines)
        places = ((start + step * number) % count for number in range(count))
        return next((at for at in places if wanted in self.lines[at].text.lower()), None)

    def next_fault(self, start: int, step: int) -> int | None:
        """Return the next line from `start` that reports a panic, an oops or a warning, going around once."""
        count = len(self.lines)
        places = ((start + step * number) % count for number in range(count))
        return next((at for at in places if self.lines[at].mark is not None), None)

    def _place(self, line: LogLine) -> int:
        return next(at for at, one in enumerate(self.all) if one is line)


def view_of(log: KernelLog) -> LogView:
    """Return the lines of a log, the last ones of one that is longer than any kernel's."""
    newest: list[LogLine] = []
    for record in reversed(log.records):
        texts = list(islice(log_lines(record), _MOST_LINES))
        if len(newest) + len(texts) > _MOST_LINES:
            break
        mark = mark_of(record)
        lines = [LogLine(record, text.expandtabs(8), at == 0, None if at else mark) for at, text in enumerate(texts)]
        newest += reversed(lines)
    lines, panic = newest[::-1], panic_of(log)
    start = next((at for at, line in enumerate(lines) if line.record is panic), len(lines) - 1)
    return LogView(tuple(lines), tuple(lines), max(start, 0))


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
