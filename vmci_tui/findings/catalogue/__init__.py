"""The catalogue of findings: everything about a code that does not depend on the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vmci_tui.findings.catalogue import of_container, of_entry, of_memory, of_notes, of_text
from vmci_tui.findings.catalogue.finding_type import FindingType, Severity

__all__ = ["GROUPS", "FindingType", "Severity", "catalogue"]

GROUPS: Final = {"E": "The entry", "N": "The notes", "T": "The text", "C": "The container", "M": "Memory"}
"""The headings of findings, by the first letter of their codes."""
_ROWS: Final = {row.code: row for part in (of_entry, of_notes, of_text, of_container, of_memory) for row in part.ROWS}


def catalogue() -> Mapping[str, FindingType]:
    """Return all rows by their code, in the order in which findings are listed."""
    return _ROWS
