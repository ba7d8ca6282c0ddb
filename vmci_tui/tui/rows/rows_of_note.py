"""The rows of a note's text, of whatever kind it is, and what is said below them of its proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vmci_tui.document.state import State
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.tui.rows.key_rows import KeyRows, Known

if TYPE_CHECKING:
    from vmci_tui.changes.matching import Matching
    from vmci_tui.common.budget import Budget
    from vmci_tui.kernel.lines.proved_line import ProvedLines, Verdict
    from vmci_tui.search.candidate import Proof

_PROVED: Final = {True: "proved", False: "DISPROVED", None: "not provable"}
"""Whether guest memory proves the text, in a word."""
_COUNTED: Final[tuple[Verdict, ...]] = ("confirmed", "contradicted")


def key_rows(state: State, wanted: str = "", changed: Matching | None = None, old: Sequence[Line] = ()) -> KeyRows:
    """Return the lines of the text, or the fields of a Windows header, that contain `wanted`."""
    if state.note is None or not state.note.is_windows:
        return KeyRows(state.vmcoreinfo, wanted, changed, old)
    from vmci_tui.tui.rows.windows_rows import WindowsHeaderRows

    return WindowsHeaderRows(state.note, wanted)


def proof_words(proof: Proof | None, lines: ProvedLines | None) -> str:
    """Return whether memory proves a text, and how many of its lines it confirms and contradicts; empty if unknown."""
    said = "" if proof is None else f", {_PROVED[proof.proved]}"
    counts = {} if lines is None else lines.counts
    return said + "".join(f", {counts[verdict]} {verdict}" for verdict in _COUNTED if counts.get(verdict))


def loaded(_budget: Budget) -> Known:
    """Import what is known about keys, in a thread, and read its catalogue."""
    from vmci_tui.render.tables.key_columns import key_columns

    key_columns(b"OSRELEASE", b"")
    return key_columns
