"""The rows of the note's text: a line's number, key and value."""

from __future__ import annotations

from collections.abc import Callable
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
    locked = ""
    """Why no row can be edited; empty if rows are lines of the note."""

    def __init__(self, text: Vmcoreinfo | None, wanted: str = "", changed: Matching | None = None) -> None:
        self.text = text
        self._changed = changed
        lines = text.lines if text else ()
        needle = wanted.lower().encode("ascii", "replace")
        self.lines: tuple[Line, ...] = (
            lines if not needle else tuple(line for line in lines if needle in line.raw.lower())
        )
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
        return len(self.lines)

    def row(self, index: int) -> Row:
        line = self.lines[index]
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
        shown = f"{value:<{_VALUE}} " if len(value) <= _VALUE else f"{value[: _VALUE - 2]}.. "
        return (
            *cells,
            (shown, "value"),
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
        low, high = 0, len(self.lines)
        while low < high:
            middle = (low + high) // 2
            if self.lines[middle].number < number:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.lines) and self.lines[low].number == number else None
