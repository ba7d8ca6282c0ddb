"""The pane of the readers: which of them accept the file now and once it is saved, and what each prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType

from vmci_tui.tui.bindings import OPEN_ENTRY, bind
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import Cell, Row
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.useful_actions import is_useful

if TYPE_CHECKING:  # they import all readers, 20 ms that the first paint need not wait for
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.repair.repaired import Repair
    from vmci_tui.verdict.reader_table import ReaderLine

_WORDS: Final = {
    "accepts": ("ok", "good"),
    "opens": ("opens", "warning"),
    "refuses": ("no", "error"),
    "unknown": ("-", "dim"),
}
_NAME, _WORD = 13, 6


class ReadersPane(LineList):
    """A line for each reader."""

    DEFAULT_CLASSES = "pane"
    enter_action = "screen.readers"

    about = (
        "Readers: which tools accept the file as it is, and as it would be saved; `by R`: what R would bring. `opens`: "
        "the tool accepts the file, but reads no kernel memory. Its own words are in quotes."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        bind(
            "enter",
            "screen.readers",
            "Verdict",
            "Show what this reader says, and what would change it",
            "pane.readers.show",
        ),
        *OPEN_ENTRY,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(id="readers", empty=session.not_judged)
        self.session = session
        self._lines: Sequence[ReaderLine] = ()

    @property
    def reader(self) -> str | None:
        """Return the reader under the cursor."""
        return self._lines[self.cursor].reader if self.cursor < len(self._lines) else None

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something: an entry is opened once."""
        return is_useful(action, self.session)

    def get_content_height(self, *_: object) -> int:
        """Return the lines of all readers with their header: the pane keeps its height while they judge."""
        return max(len(self.rows), 7) + 1

    def show_judgement(self) -> None:
        """Show the verdicts of the state, or why there are none."""
        judgement = self.session.judgement
        self.empty = self.session.not_judged
        if judgement is not None:
            from vmci_tui.verdict.reader_table import reader_lines

            self._lines = reader_lines(judgement.both, self.session.document.state.entry is not None)
            repair = self._offered()
            if repair is not None:
                after = repair.readers.after
                self._lines = [line._replace(after=after[line.reader].state) for line in self._lines]
            self.header = _head("saved" if repair is None else "by R")
            self.border_subtitle = _summary(judgement, repair)
            self.set_rows([_row(line, repair is None) for line in self._lines])
        elif not self.rows:
            self.refresh()

    def _offered(self) -> Repair | None:
        """Return the tried repair of a file without edits, if R would apply it."""
        ahead, document = self.session.ahead, self.session.document
        tried = ahead.repair_of(document.state) if ahead is not None and not document.unsaved else None
        return tried if tried is not None and tried.steps and not tried.question else None


def _head(then: str) -> Row:
    return ((f"{'':<{_NAME}}{'now':<{_WORD}}   {then:<{_WORD}}what it prints", "title"),)


def _row(line: ReaderLine, of_later: bool) -> Row:
    """Return `crash        no    -> ok    "..."`; a verdict that saving does not change is shown once.

    `of_later`: whether its words are those that it will print.
    """
    (now, now_style), (then, then_style) = _WORDS[line.now], _WORDS[line.after]
    changes = line.after != line.now
    after: tuple[Cell, Cell] = (
        ("-> " if changes else "   ", "dim"),
        (f"{then if changes else '':<{_WORD}}", then_style),
    )
    words = "good" if line.after == "accepts" and changes and of_later else "dim" if line.now == "unknown" else "value"
    return ((f"{line.reader:<{_NAME}}", "key"), (f"{now:<{_WORD}}", now_style), *after, (line.words, words))


def _summary(judgement: Judgement, offered: Repair | None) -> str:
    """Return how many readers accept the file, now and once saved or repaired, as the verdict line counts them."""
    from vmci_tui.verdict.tally import tally

    now, then = tally(judgement.now, judgement.found), tally(judgement.after, judgement.found)
    if offered is not None:
        then = tally(offered.readers.after, offered.judgement.found)
    how = "once saved" if offered is None else "after R"
    later = "" if now.score == then.score else f", {len(then.accepting)} {how}"
    return f"{now.score} accept{later}"
