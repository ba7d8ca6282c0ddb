"""The cells in front of a row that say what happened to it since the file was saved."""

from __future__ import annotations

from typing import Final

from vmci_tui.changes.matching import Matching
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.hex_rows import SIGNS

SIGN_CELLS: Final = 3
"""`-` for what was removed in front of the row, the sign of the row, and a blank."""
SIGN_STYLES: Final = {"+": "added", "~": "changed", "-": "removed"}
"""The styles of the signs."""


def signs(changed: Matching | None, index: int, count: int) -> Row:
    """Return the cells for row `index` of `count`; none if nothing changed. The last row has what is gone after it."""
    if changed is None:
        return ()
    gone = index in changed.removed or (index == count - 1 and count in changed.removed)
    sign = SIGNS[changed.kinds[index]] if index in changed.kinds else " "
    return ("-" if gone else " ", "removed"), (f"{sign} ", SIGN_STYLES.get(sign, "dim"))
