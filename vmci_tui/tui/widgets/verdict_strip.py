"""The strip of readers: which of them accept the file on disk, and the file as it would be saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from vmci_tui.tui.bindings import bind
from vmci_tui.tui.style.cells import Cell, Row, line_styles, strip_of
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:  # it imports all readers, 20 ms that the first paint need not wait for
    from vmci_tui.readers.verdicts import VerdictPair
    from vmci_tui.tui.widgets.verdict_rows import VerdictRows
    from vmci_tui.verdict.diagnosis import Diagnosis

_WORDS = {"accepts": ("ok", "good"), "opens": ("opens", "warning"), "refuses": ("no", "error"), "unknown": ("?", "dim")}
_SHORT_OPENS = "op"
_SHORT = {"libkdumpfile": "libkd", "makedumpfile": "mkdump", "eu-readelf": "eu-elf"}
"""The one short form of each long name, wherever there is no room for the long one."""
_ROOM = 112
"""Cells of the narrowest strip with full names."""
_STRIP = 3
"""The row of the strip: below the title and the two rows of the verdict."""
_MARGIN = 1
"""Cells left free at each side of a row."""


def name_for(name: str, width: int) -> str:
    """Return a reader's name in full if it fits into `width` cells, else its short form."""
    return name if len(name) <= width else _SHORT.get(name, name)[:width]


def strip_cells(both: VerdictPair, width: int) -> list[tuple[str, Row]]:
    """Return (reader, cells): `name ok`, or `name no>ok` where saving changes the verdict; QEMU only with an entry.

    `name opens` means that the reader accepts the file but reads no kernel memory. If they do not all
    fit into `width`, names are short, and in the narrowest form a change is only `name >ok`.
    """
    out: list[tuple[str, Row]] = []
    forms: tuple[tuple[dict[str, str], int, bool], ...]
    forms = (({}, 2, True), (_SHORT, 1, True), (_SHORT, 1, False))
    for names, gap, whole in forms if width >= _ROOM else forms[1:]:  # the names must not depend on the verdicts
        out = _cells(both, names, " " * gap, whole)
        if sum(len(text) for _, row in out for text, _ in row) <= width + gap:
            break
    return out


def _cells(both: VerdictPair, names: dict[str, str], gap: str, whole: bool) -> list[tuple[str, Row]]:
    out: list[tuple[str, Row]] = []
    for name, verdict in both.now.items():
        now, then = verdict.state, both.after[name].state
        if name == "qemu" and now == then == "unknown":
            continue
        word, style = _WORDS[now]
        cells: list[Cell] = [(f"{names.get(name, name)} ", "key")]
        if whole or then == now:
            cells.append((word, style))
        if then != now:
            changed, style = _WORDS[then]
            if then == "opens" and not whole:
                changed = _SHORT_OPENS
            cells += [(">", "dim"), (changed, style)]
        out.append((name, (*cells, (gap, "dim"))))
    return out


class TitleBar(StatusLine, can_focus=True):
    """The title, the verdict line, and the strip, in one widget: each widget costs a millisecond of the first paint."""

    about = (
        "The verdict on the file, and the keys that help now. Below it the readers: which tools accept the file, now "
        "and once saved (no>ok); `opens`: it reads no kernel memory."
    )
    sign = " \u2261 "
    """The sign for a menu: a click opens the command palette."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Left", show=False, id="strip.left"),
        Binding("right,l", "move(1)", "Right", show=False, id="strip.right"),
        bind(
            "enter",
            "screen.readers",
            "Verdict",
            "Show what this reader says, and what would change it",
            "strip.readers",
        ),
    ]
    _cells: list[tuple[str, Row]]
    _both: VerdictPair | None = None
    _instead = ""
    _at = 0
    _diagnosis: Diagnosis | None = None
    _verdict: VerdictRows | None = None

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._cells = []
        self._keys: Mapping[str, str] = {}

    @property
    def reader(self) -> str | None:
        """Return the reader under the cursor."""
        return self._cells[self._at][0] or None if self._at < len(self._cells) else None

    def show(self, both: VerdictPair | None, instead: str = "") -> None:
        """Show verdicts, or a word if there are none; paint only the strip, and only if it changed."""
        self._both, self._instead = both, instead
        self._lay()

    def show_verdict(self, diagnosis: Diagnosis, keys: Mapping[str, str]) -> None:
        """Show the verdict on the file; `keys` names the key of each action that it offers."""
        self._diagnosis, self._keys = diagnosis, keys
        self._lay_verdict()

    def _lay_verdict(self) -> None:
        if self._diagnosis is None:
            return
        from vmci_tui.tui.widgets.verdict_rows import verdict_rows

        rows = verdict_rows(self._diagnosis, self._keys, self._width)
        if rows != self._verdict:
            self._verdict = rows
            self.refresh(Region(0, 1, self.size.width, _STRIP - 1))

    @property
    def _width(self) -> int:
        """Return the cells between the margins."""
        return max(self.size.width - 2 * _MARGIN, 0)

    def _lay(self) -> None:
        cells: list[tuple[str, Row]] = [("", ((self._instead, "dim"),))] if self._instead else []
        if self._both is not None:
            cells = strip_cells(self._both, self._width)
        if cells != self._cells:
            self._cells = cells
            self._at = min(self._at, max(len(cells) - 1, 0))
            self._paint()

    def _paint(self) -> None:
        self.refresh(Region(0, _STRIP, self.size.width, 1))

    def on_resize(self) -> None:
        self.can_focus = self.size.height > _STRIP  # else the pane of the readers is shown
        self._lay()
        self._lay_verdict()

    def on_focus(self) -> None:
        self._paint()

    on_blur = on_focus

    def render_line(self, y: int) -> Strip:
        base = self.parent.rich_style if self.parent is not None else self.rich_style
        if y == 0:
            return super().render_line(y)
        styles = line_styles(self.app)
        if y < _STRIP:
            row: Row = self._verdict.rows[y - 1] if self._verdict is not None else ()
            sign = self._verdict.sign if self._verdict is not None and y == 1 else " "
            tone = styles.get(self._verdict.tone) if self._verdict is not None else None
            head = Strip([Segment(f" {sign} ", base + tone if tone is not None else base)], _MARGIN + 2)
            return Strip.join([head, strip_of(row, max(self._width - 2, 0), styles, base), self._margin(base)])
        cells: list[Cell] = []
        for number, (_, part) in enumerate(self._cells):
            text = "".join(word for word, _ in part)
            cells += [(text, "cursor")] if self.has_focus and number == self._at else part
        return Strip.join([self._margin(base), strip_of(tuple(cells), self._width, styles, base), self._margin(base)])

    @staticmethod
    def _margin(style: Style) -> Strip:
        return Strip([Segment(" " * _MARGIN, style)], _MARGIN)

    def action_move(self, by: int) -> None:
        if self._cells:
            self._at = (self._at + by) % len(self._cells)
            self._paint()

    async def on_click(self, event: events.Click) -> None:
        x = event.x - _MARGIN
        if event.y == 0:
            if event.x < len(self.sign):
                self.app.action_command_palette()
            return
        if event.y < _STRIP:
            wanted = self._verdict.action_at(event.y - 1, x - 2) if self._verdict is not None else None
            if wanted is not None:
                await self.run_action(f"screen.{wanted}")
            return
        end = 0
        for number, (_, cells) in enumerate(self._cells):
            end += sum(len(text) for text, _ in cells)
            if x < end:
                self._at = number
                self._paint()
                await self.run_action("screen.readers")
                return


class VerdictLine(StatusLine):
    """Every reader's verdict on the typed text."""

    _row: Row = ()

    def show(self, both: VerdictPair | None, instead: str = "") -> None:
        """Show verdicts, or a word if there are none."""
        row: Row = ((instead, "dim"),) if instead else ()
        if both is not None:
            row = tuple(cell for _, cells in strip_cells(both, self.size.width) for cell in cells)
        if row != self._row:
            self._row = row
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return strip_of(self._row, self.size.width, line_styles(self.app), self.rich_style)
