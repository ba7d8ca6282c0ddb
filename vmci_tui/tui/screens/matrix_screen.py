"""The matrix: a row for each key, a column for each reader, the value that it reads; differences are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.readers.verdicts import Verdicts
from vmci_tui.render.tables.value_table import NOT_USED, ValueRow, cells, matching, value_rows
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.prompts import is_judged, say
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine
from vmci_tui.tui.widgets.verdict_strip import name_for

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.tui.session import Session

_KEY_SHARE = 3
"""The column of keys gets 1/_KEY_SHARE of the width at most."""
_WIDEST = 34
"""Cells of a reader's column at most: wider ones would only be further apart."""
_LEGEND = f" !  differs, or cannot be used     {NOT_USED}  this reader does not use the key"


class MatrixScreen(Guarded, Screen[None]):
    """Shows the value that each reader reads for each key."""

    lesson_name = "matrix"

    SCOPED_CSS = False
    DEFAULT_CSS = """
    MatrixScreen #matrix { height: 1fr; border: round $accent; }
    MatrixScreen #heads { height: 1; color: $text-muted; padding: 0 1; }
    MatrixScreen #how { height: auto; min-height: 2; max-height: 9; padding: 0 1; color: $text-muted; }
    MatrixScreen #legend { height: 1; color: $text-muted; }
    """
    about = "Matrix: the value that each reader reads for each key of the text; keys with differences come first."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("equals_sign", "only_different", "Only differences", "Hide keys without differences", "matrix.only"),
        bind("slash", "filter", "Filter", "Show only keys and values that contain a text", "matrix.filter"),
        bind("i,enter", "explain", "Explain", "Show what the key means", "matrix.explain"),
        bind("escape,m,q", "leave", "Back", "Clear the filter, or go back", "matrix.back"),
    ]

    def __init__(self, text: Vmcoreinfo, verdicts: Verdicts) -> None:
        super().__init__()
        self._readers, self._all = value_rows(text, verdicts)
        self._only, self._wanted = False, ""
        self._shown = self._all

    def compose(self) -> ComposeResult:
        yield StatusLine("", id="title")
        field = Input(placeholder="filter", id="filter", compact=True)
        field.cursor_blink, field.display = host(self).settings.blink, False
        yield field
        yield StatusLine("", id="heads")
        yield LineList(id="matrix", empty="no keys to show")
        yield Static(id="how")
        yield StatusLine(_LEGEND, id="legend")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._lay()
        self.query_one("#matrix").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._lay)

    def _lay(self) -> None:
        self._shown = matching((row for row in self._all if row.differs or not self._only), self._wanted)
        count = sum(row.differs for row in self._all)
        said = "no differences" if not count else f"{count} with differences, first"
        filtered = f", {len(self._shown)} shown" if len(self._shown) < len(self._all) else ""
        title = f" Values that each reader reads: {len(self._all)} keys, {said}{filtered}"
        self.query_one("#title", StatusLine).set_text(title)
        room = max(self.size.width - 4, 40)
        longest = max((len(visible(row.key)) for row in self._all), default=0)
        keys = min(room // _KEY_SHARE, longest + 2)
        column = min(max((room - keys) // max(len(self._readers), 1), 6), _WIDEST)
        heads = "".join(f"  {name_for(name, column - 2):<{column - 2}}" for name in self._readers)
        self.query_one("#heads", StatusLine).set_text(f"{'':<{keys}}{heads}")
        self.query_one("#matrix", LineList).set_rows([self._row(row, keys, column) for row in self._shown])
        self._show_readings()

    def _row(self, row: ValueRow, keys: int, column: int) -> Row:
        """Return the cells of a row; those with a difference begin with `!`."""
        out = [(f"{_cut(visible(row.key), keys - 1):<{keys}}", "title" if row.differs else "key")]
        marked, shown = row.marked, cells(row, column - 3)
        for name in self._readers:
            value = row.values[name]
            style = "dim" if value is None else "error" if value.problem else "warning" if name in marked else "value"
            out.append((f"{'! ' if name in marked else '  '}{shown[name]:<{column - 2}}", style))
        return tuple(out)

    def _line(self) -> ValueRow | None:
        cursor = self.query_one("#matrix", LineList).cursor
        return self._shown[cursor] if cursor < len(self._shown) else None

    @on(LineList.Moved, "#matrix")
    def _show_readings(self) -> None:
        """Show the row under the cursor in full."""
        row = self._line()
        lines = [] if row is None else [f"{visible(row.key)}={visible(row.written)}"]
        for name, value in row.values.items() if row is not None else ():
            if value is not None:
                lines.append(f"{name:<13} {value.shown}  {value.how}" + (f"  {value.problem}" if value.problem else ""))
        self.query_one("#how", Static).update(plain("\n".join(lines)))

    def action_only_different(self) -> None:
        self._only = not self._only
        self._lay()

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self._wanted = event.value
        self._lay()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one("#filter").display = bool(self._wanted)
        self.query_one("#matrix").focus()

    @on(LineList.Chosen, "#matrix")
    def action_explain(self) -> None:
        """Show what the key means, and what each reader makes of its value."""
        from vmci_tui.render.key_report import explained
        from vmci_tui.tui.widgets.dialogs import TextDialog

        if (row := self._line()) is not None:
            lines = explained(row.key, row.written) or ("Linux writes no key like this one",)
            self.app.push_screen(TextDialog(f"Explain: {visible(row.key)}", lines))

    def action_leave(self) -> None:
        field = self.query_one("#filter", Input)
        if field.display:
            field.value = ""
            field.display = False
            self.query_one("#matrix").focus()
        else:
            self.dismiss()


def show_matrix(node: DOMNode, session: Session) -> None:
    """Show the value that each reader reads for each key."""
    text = session.document.state.vmcoreinfo
    if text is None:
        say(node, "there is no note text for readers to parse: press a to add a note", "warning")
    elif is_judged(node, session):
        assert session.judgement is not None
        both = session.judgement.both
        node.app.push_screen(MatrixScreen(text, both.after if session.document.modified else both.now))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 2, 1)] + ".."
