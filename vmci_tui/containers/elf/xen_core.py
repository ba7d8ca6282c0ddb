"""Recognise files of `xl dump-core`: ELF files whose memory is in a section, without program headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vmci_tui.formats.elf_records import Section
from vmci_tui.layers.file import Source

_PAGES: Final = b"\0.xen_pages\0"
"""The section of the guest's pages (Xen, docs/misc/dump-core-format.txt; crash, xendump.c)."""
_NAMES_LIMIT: Final = 4096
"""Bytes of section names that are read; Xen's take 55."""


def is_xen_core(source: Source, sections: Sequence[Section], names: int) -> bool:
    """Return whether one of the sections is Xen's; `names` is the index of the one with their names (e_shstrndx)."""
    if not 0 < names < len(sections):
        return False
    table = sections[names]
    return _PAGES in source.read(table.offset, min(table.size, _NAMES_LIMIT))
