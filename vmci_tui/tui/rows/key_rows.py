"""The rows of the note's text: a line's number, key and value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vmci_tui.changes.matching import Matching
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.formats.vmcoreinfo import Line, Vmcoreinfo
from vmci_tui.tui.rows.change_signs import SIGN_CELLS, signs
from vmci_tui.tui.style.cells import CHECK, LazyRows, Row

if TYPE_CHECKING:
    from vmci_tui.kernel.lines.proved_line import ProvedLine, ProvedLines
    from vmci_tui.render.tables.key_columns import KeyColumns

Known = Callable[[bytes, bytes], "KeyColumns"]
"""Returns who reads a key with a value, and what it is."""
_KEY: Final = 24
_VALUE: Final = 16
"""Cells of a key, and of a value, beside the columns of what is known; a longer one is cut with a mark."""
_READ_BY: Final = 8
_LEAST: Final = 30
"""Cells for the meaning of a key, without which it is not shown."""
_PROOFS: Final = {"confirmed": (CHECK, "good"), "contradicted": ("x", "error"), "unknown": ("?", "dim")}
"""What the kernel's tables in memory say of a line."""
_UNPROVED: Final = (" ", "dim")
_PROOF_CELLS: Final = 2
_LONGEST = 4096
"""Cells of a value that are built; no terminal is wider."""


class KeyRows(LazyRows):
    """The lines of the text that pass the filter."""

    title = "Note text"
    summary = "none"
    """The pane's subtitle if the note has no text."""

    def __init__(
        self,
        text: Vmcoreinfo | None,
        wanted: str = "",
        changed: Matching | None = None,
        old: Sequence[Line] = (),
    ) -> None:
        """`old` are the lines that a file has: those that are removed have rows of their own."""
        self.text = text
        self._changed = changed if changed is None else changed._replace(removed={})
        lines = text.lines if text else ()
        needle = wanted.lower().encode("ascii", "replace")
        self.lines: tuple[Line, ...] = (
            lines if not needle else tuple(line for line in lines if needle in line.raw.lower())
        )
        """The lines that are shown, without the removed ones."""
        self._all: tuple[tuple[Line, bool], ...] | None = None
        """All rows, each with whether it is removed; None if none is."""
        if changed is not None and changed.removed and old:
            rows = _with_removed(lines, old, changed.removed)
            self._all = tuple(row for row in rows if needle in row[0].raw.lower())
        self._twice = {key for key, _ in text.duplicates} if text else set()
        self._longest = max((len(line.key or b"") for line in self.lines[:2000]), default=0)
        self._digits = len(str(len(lines)))
        self._width = 40
        self._known: Known | None = None
        self._meaning = False
        """Whether there is room for what a key is."""
        self.proved: ProvedLines | None = None
        """What the kernel's tables say of the lines, perhaps before the last edit; None: no sign is shown."""

    def proof(self, line: Line) -> ProvedLine | None:
        """Return what the kernel's tables say of a line; None if that is not known, or not of its value."""
        found = None if self.proved is None else self.proved.by_number.get(line.number)
        return found if found is not None and (found.key, found.value) == (line.key, line.value) else None

    @property
    def _before(self) -> int:
        """Return the cells of signs and numbers."""
        return self._digits + (SIGN_CELLS if self._changed is not None else 0) + self._proof_cells

    @property
    def _proof_cells(self) -> int:
        return _PROOF_CELLS if self.proved is not None else 0

    def fit(self, width: int, known: Known | None = None) -> None:
        """Share `width` cells between keys and values; keys get three fifths at most.

        `known`: two more columns, where there is room for the first of them.
        """
        # A blank after each of three columns, and the scroll bar.
        room = width - self._digits - SIGN_CELLS - self._proof_cells - _VALUE - _READ_BY - 4
        self._known = known if room >= _KEY else None
        if self._known is not None:
            self._meaning = room >= _KEY + _LEAST
            self._width = min(self._longest, _KEY if self._meaning else room)
            return
        self._width = min(self._longest, max((width - self._digits - SIGN_CELLS - self._proof_cells) * 3 // 5, 12))

    def __len__(self) -> int:
        return len(self.lines if self._all is None else self._all)

    def shown_line(self, index: int) -> Line | None:
        """Return the line of a row, also one that the file does not have yet."""
        return self.line(index)

    def line(self, index: int) -> Line | None:
        """Return the line of a row; None for a removed one, and for an index without a row."""
        if not 0 <= index < len(self):
            return None
        if self._all is None:
            return self.lines[index] if index < len(self.lines) else None
        line, removed = self._all[index]
        return None if removed else line

    def locked(self, index: int) -> str:
        """Return why a row without a line cannot be edited."""
        return "this line was removed: u undoes that" if self._all and index < len(self._all) else "no line is selected"

    def row(self, index: int) -> Row:
        line, removed = (self.lines[index], False) if self._all is None else self._all[index]
        if removed:
            key, equals, value = visible(line.body[:_LONGEST]).partition("=")
            between = " " * max(self._width - len(key), 0) + " " if equals else ""
            before = ("-".ljust(SIGN_CELLS), "removed"), (" " * (self._before + 1 - SIGN_CELLS), "dim")
            return *before, (key, "gone"), (between, "dim"), (value, "gone")
        number = f"{line.number:>{self._digits}} "
        head = signs(self._changed, line.number - 1, len(self.text.lines) if self.text else 0)
        proof = self.proof(line)
        if self.proved is not None:
            head = *head, _UNPROVED if proof is None else _PROOFS[proof.verdict], (" ", "dim")
        if line.key is None:
            return (
                *head,
                (number, "dim"),
                (visible(line.body[:_LONGEST]) or "(empty line)", "error"),
                ("  no key=value", "dim"),
            )
        style = "warning" if line.key in self._twice else "key"
        key = visible(line.key[:_LONGEST])
        if len(key) > self._width:
            key = Safe(key[: self._width - 2] + "..")
        value = visible((line.value or b"")[:_LONGEST])
        cells: Row = *head, (number, "dim"), (f"{key:<{self._width}} ", style)
        if proof is not None and proof.verdict == "contradicted":
            right = visible((proof.found or b"")[:_LONGEST])
            return *cells, (f"{value}  ", "value"), (f"memory has {right} (f sets it)", "error")
        if self._known is None:
            return *cells, (value, "value")
        known = self._known(line.key, line.value or b"")
        wide = f"{value:<{_VALUE}} " if len(value) <= _VALUE else f"{value[: _VALUE - 2]}.. "
        return (
            *cells,
            (wide, "value"),
            (f"{known.read_by:<{_READ_BY}}", "key"),
            (known.meaning if self._meaning else "", "dim"),
        )

    @property
    def header(self) -> Row:
        """Return the names of the columns; () where they need none."""
        if self._known is None or not self.lines:
            return ()
        before = " " * (self._before + 1)
        return (
            (f"{before}{'key':<{self._width}} {'value':<{_VALUE}} read by{' what it is' * self._meaning}", "title"),
        )

    def part(self, index: int) -> Span | None:
        """Return the bytes of the descriptor that a row is about; None for a line of the text."""
        return None

    def place(self, index: int) -> Span | None:
        """Return the bytes of the file that a row outside of the note is about; None for a row of the note."""
        return None

    def index_of(self, number: int) -> int | None:
        """Return the row of line `number` of the text; None if the filter hides it."""
        if self._all is not None:
            numbers = (None if removed else line.number for line, removed in self._all)
            return next((row for row, other in enumerate(numbers) if other == number), None)
        low, high = 0, len(self.lines)
        while low < high:
            middle = (low + high) // 2
            if self.lines[middle].number < number:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.lines) and self.lines[low].number == number else None


def _with_removed(
    lines: Sequence[Line], old: Sequence[Line], removed: Mapping[int, Sequence[int]]
) -> Iterator[tuple[Line, bool]]:
    """Yield each line with False, and the removed ones, with True, where they were."""
    for at in range(len(lines) + 1):
        for was in removed.get(at, ()):
            yield old[was], True
        if at < len(lines):
            yield lines[at], False
