"""Every finding that there is: its code, how bad it is, what it is, why it matters, an example, what to do.

The checks add the place and the numbers; which readers it concerns, and their words, come from
the readers' rules alone. The page of findings is made from this table and from those rules.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.core.checks.kind import Kind, Severity
from vmci_tui.core.checks.kinds_container import CONTAINER_KINDS
from vmci_tui.core.checks.kinds_kdump import KDUMP_KINDS
from vmci_tui.core.checks.kinds_note import NOTE_KINDS
from vmci_tui.core.checks.kinds_text import TEXT_KINDS

__all__ = ["CATALOGUE", "Kind", "Severity"]

CATALOGUE: Final[dict[str, Kind]] = NOTE_KINDS | TEXT_KINDS | CONTAINER_KINDS | KDUMP_KINDS
