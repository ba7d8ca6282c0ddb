"""The matrix: a row for each key, a column for each reader, the value that it reads; differences are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.readers.rule import Value
from vmci_tui.readers.shared.c_numbers import PRESENCE
from vmci_tui.readers.verdicts import Verdicts
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.prompts import is_judged, say
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.verdict_strip import name_for

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.tui.session import Session

_KEY_SHARE = 3
"""The column of keys gets 1/_KEY_SHARE of the width."""


class MatrixRow(NamedTuple):
    """One key: its value in the text, and each reader's value; None if the reader does not use the key."""

    key: Safe
    written: Safe
    values: dict[str, Value | None]

    @property
    def differs(self) -> bool:
        """Return whether two readers read different values, or one of them cannot use its value."""
        # A reader that only checks for the key reads no value.
        used = [value for value in self.values.values() if value is not None and value.how != PRESENCE]
        # A negative number and the unsigned one with the same 64 bits are equal.
        numbers = {value.number % (1 << 64) for value in used if value.number is not None}
        texts = {value.shown for value in used if value.number is None}
        return len(numbers) > 1 or len(texts) > 1 or any(value.problem for value in used)


def matrix_lines(text: Vmcoreinfo, verdicts: Verdicts) -> tuple[tuple[str, ...], list[MatrixRow]]:
    """Return the readers that use keys, and a row for each key that one of them uses, in the text's order."""
    values = {name: found for name, verdict in verdicts.items() if (found := verdict.values())}
    out = []
    for key in dict.fromkeys(line.key for line in text.lines if line.key):
        row = {name: found.get(key) for name, found in values.items()}
        if any(value is not None for value in row.values()):
            out.append(MatrixRow(visible(key), visible(text.get(key) or b""), row))
    return tuple(values), out


class MatrixScreen(Guarded, Screen[None]):
    """Shows the value that each reader reads for each key."""

    lesson_name = "matrix"

    SCOPED_CSS = False
    DEFAULT_CSS = """
    MatrixScreen #matrix { height: 1fr; border: round $accent; }
    MatrixScreen #heads { height: 1; color: $text-muted; padding: 0 1; }
    MatrixScreen #how { height: 8; padding: 0 1; color: $text-muted; border-top: solid $surface-lighten-1; }
    """
    about = "Matrix: the value that each reader reads for each key of the text; . means that it does not use the key."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("d", "only_different", "Only differences", "Hide keys without differences", "matrix.only"),
        bind("escape,m,q", "dismiss", "Back", "Go back", "matrix.back"),
    ]

    def __init__(self, text: Vmcoreinfo, verdicts: Verdicts) -> None:
        super().__init__()
        self._readers, self._all = matrix_lines(text, verdicts)
        self._only = False
        self._shown = self._all

    def compose(self) -> ComposeResult:
        yield StatusLine("", id="title")
        yield StatusLine("", id="heads")
        yield LineList(id="matrix", empty="no differences")
        yield Static(id="how")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._lay()
        self.query_one("#matrix").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay)

    def _lay(self) -> None:
        self._shown = [line for line in self._all if line.differs] if self._only else self._all
        count = sum(line.differs for line in self._all)
        title = f" What each reader reads: {len(self._all)} keys, {count} with differences"
        self.query_one("#title", StatusLine).set_text(title)
        room = max(self.size.width - 4, 40)
        keys = room // _KEY_SHARE
        column = max((room - keys) // max(len(self._readers), 1), 6)
        heads = "".join(f"{name_for(name, column - 1):<{column}}" for name in self._readers)
        self.query_one("#heads", StatusLine).set_text(f"{'':<{keys + 1}}{heads}")
        self.query_one("#matrix", LineList).set_rows([self._row(line, keys, column) for line in self._shown])
        self._show_readings()

    def _row(self, line: MatrixRow, keys: int, column: int) -> Row:
        cells = [(f"{_cut(line.key, keys - 1):<{keys}}", "warning" if line.differs else "key")]
        for name in self._readers:
            value = line.values[name]
            shown = "." if value is None else _cut_value(value.shown or Safe("(empty)"), column - 1)
            style = "dim" if value is None else "error" if value.problem else "warning" if line.differs else "value"
            cells.append((f"{shown:<{column}}", style))
        return tuple(cells)

    @on(LineList.Moved, "#matrix")
    def _show_readings(self) -> None:
        cursor = self.query_one("#matrix", LineList).cursor
        how = self.query_one("#how", Static)
        if cursor >= len(self._shown):
            how.update(plain(""))
            return
        line = self._shown[cursor]
        lines = [f"{line.key}={line.written}"]
        for name, value in line.values.items():
            if value is not None:
                lines.append(f"{name:<13} {value.shown}  {value.how}" + (f"  {value.problem}" if value.problem else ""))
        how.update(plain("\n".join(lines)))

    def action_only_different(self) -> None:
        self._only = not self._only
        self._lay()


def show_matrix(node: DOMNode, session: Session) -> None:
    """Show the value that each reader reads for each key."""
    text = session.document.state.vmcoreinfo
    if text is None:
        say(node, "there is no note text for readers to parse: press a to add a note", "warning")
    elif is_judged(node, session):
        assert session.judgement is not None
        both = session.judgement.both
        node.app.push_screen(MatrixScreen(text, both.after if session.document.modified else both.now))


def _cut(text: Safe, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 2, 1)] + ".."


def _cut_value(shown: Safe, width: int) -> str:
    """Shorten a value; keep the end of an address, because all addresses of a kernel begin alike."""
    if len(shown) > width > 2 and shown.startswith("0x"):
        return f"..{shown[2 - width :]}"
    return _cut(shown, width)
