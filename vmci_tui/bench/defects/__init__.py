"""All defects, in the order in which they are applied."""

from __future__ import annotations

from typing import Final

from vmci_tui.bench.defect import Defect
from vmci_tui.bench.defects.elf_and_memory import ELF_AND_MEMORY_DEFECTS
from vmci_tui.bench.defects.entry import ENTRY_DEFECTS
from vmci_tui.bench.defects.kdump import KDUMP_DEFECTS
from vmci_tui.bench.defects.note import NOTE_DEFECTS
from vmci_tui.bench.defects.text import TEXT_DEFECTS

DEFECTS: Final[tuple[Defect, ...]] = (
    *(*TEXT_DEFECTS, *NOTE_DEFECTS, *ELF_AND_MEMORY_DEFECTS),
    *(*KDUMP_DEFECTS, *ENTRY_DEFECTS),
)
