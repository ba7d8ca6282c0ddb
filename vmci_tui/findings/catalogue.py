"""Every finding that there is: its code, how bad it is, what it is, why it matters, an example, what to do.

The checks add the place and the numbers; which readers it concerns, and their words, come from
the readers' rules alone. The page of findings is made from this table and from those rules.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.findings.finding_type import Kind, Severity
from vmci_tui.findings.types_container import CONTAINER_KINDS
from vmci_tui.findings.types_kdump import KDUMP_KINDS
from vmci_tui.findings.types_note import NOTE_KINDS
from vmci_tui.findings.types_text import TEXT_KINDS

__all__ = ["CATALOGUE", "Kind", "Severity"]

_ALL: Final = NOTE_KINDS | TEXT_KINDS | CONTAINER_KINDS | KDUMP_KINDS
CATALOGUE: Final[dict[str, Kind]] = {code: _ALL[code] for code in sorted(_ALL, key=lambda c: ("ENTCM".index(c[0]), c))}
