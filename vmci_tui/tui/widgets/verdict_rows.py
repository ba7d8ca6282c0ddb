"""The two rows of the verdict as cells, and which key a click on them means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from vmci_tui.tui.style.cells import Cell, Row
from vmci_tui.verdict.diagnosis import GAP, Action, Diagnosis, Tone, fitted

_SIGNS: Final[Mapping[Tone, str]] = {"good": "\u221a", "warning": "!", "error": "\u00d7", "dim": " "}
"""Signs that also the fonts of a text console have."""
_HEAD: Final = 2
"""Cells of the sign and the blank after it."""


class Target(NamedTuple):
    """The cells [start, end) of the second row that name a key."""

    start: int
    end: int
    action: Action


class VerdictRows(NamedTuple):
    """Both rows, without the sign."""

    sign: str
    tone: Tone
    rows: tuple[Row, Row]
    targets: tuple[Target, ...]

    def action_at(self, row: int, x: int) -> Action | None:
        """Return the action of the key at a cell; None if there is none."""
        return next((item.action for item in self.targets if row == 1 and item.start <= x < item.end), None)


def verdict_rows(shown: Diagnosis, keys: Mapping[str, str], width: int) -> VerdictRows:
    """Lay a diagnosis out in two rows of `width` cells: the keys follow the detail."""
    width = max(width - _HEAD, 0)
    fit = fitted(shown, keys, width)
    at = len(fit.detail) + GAP if fit.detail and fit.offers else len(fit.detail)
    cells: list[Cell] = [(fit.detail.ljust(at), "value")]
    targets = []
    for number, (item, text) in enumerate(fit.offers):
        name, _, words = text.partition(" ")
        cells += [(name, "offer"), (f" {words}", "title" if number == 0 else "value"), (" " * GAP, "value")]
        targets.append(Target(at, at + len(text), item.action))
        at += len(text) + GAP
    second = tuple(cells[:-1] if fit.offers else cells)
    tone = shown.tone
    return VerdictRows(
        _SIGNS[tone], tone, (((fit.sentence, "value" if tone == "dim" else tone),), second), tuple(targets)
    )
