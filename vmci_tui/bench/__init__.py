"""The fault bench: an entry, a note and a tiny dump with any chosen faults."""

from __future__ import annotations

from vmci_tui.bench.crafted_dump import Crafted, always, attempt, chosen, clash, craft, excluded_by, machine_for
from vmci_tui.bench.defect import Defect
from vmci_tui.bench.defects import DEFECTS
from vmci_tui.bench.guests import MACHINES

__all__ = [
    "DEFECTS",
    "MACHINES",
    "Crafted",
    "Defect",
    "always",
    "attempt",
    "chosen",
    "clash",
    "craft",
    "excluded_by",
    "machine_for",
]
