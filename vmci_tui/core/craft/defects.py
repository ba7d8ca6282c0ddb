"""All defects, in the order in which they are applied: text, note, memory, head, kdump headers, and last the entry."""

from __future__ import annotations

from typing import Final

from vmci_tui.core.craft.defect import Defect
from vmci_tui.core.craft.defects_container import CONTAINER_DEFECTS
from vmci_tui.core.craft.defects_entry import ENTRY_DEFECTS
from vmci_tui.core.craft.defects_kdump import KDUMP_DEFECTS
from vmci_tui.core.craft.defects_note import NOTE_DEFECTS
from vmci_tui.core.craft.defects_text import TEXT_DEFECTS

DEFECTS: Final[tuple[Defect, ...]] = (
    *(*TEXT_DEFECTS, *NOTE_DEFECTS, *CONTAINER_DEFECTS),
    *(*KDUMP_DEFECTS, *ENTRY_DEFECTS),
)
