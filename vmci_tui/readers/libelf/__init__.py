"""libelf of elfutils, a part of eu-readelf and of drgn: the headers of an ELF file, up to its notes.

It checks e_ident, ignores e_version, and reads program headers by their own size whatever e_phentsize says.
"""

from __future__ import annotations

from functools import cached_property

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import EI_CLASS, EI_DATA, EI_VERSION, IDENT, MAGIC, PN_XNUM
from vmci_tui.readers.shared.elf_program import ElfProgram


class Libelf(ElfProgram):
    """A file as libelf reads it."""

    @property
    def wrong_ident(self) -> Span | None:
        """The first byte of e_ident that is not valid, or all if it is not ELF (libelf/common.h determine_kind)."""
        head, wanted = self.view.head, ((EI_CLASS, (1, 2)), (EI_DATA, (1, 2)), (EI_VERSION, (1,)))
        if not head.startswith(MAGIC) or len(head) < IDENT.size:
            return Span(0, min(len(head), IDENT.size))
        return next((Span(at, 1) for at, good in wanted if head[at] not in good), None)

    @property
    def is_elf(self) -> bool:
        return self.wrong_ident is None and super().is_elf

    @property
    def too_many_sections(self) -> bool:
        """Whether the number of sections does not fit in 32 bits (libelf/elf_begin.c get_shnum)."""
        return self.shnum >= 1 << 32

    @cached_property
    def phnum(self) -> int:
        """The number of program headers: that in section 0, even 0, if e_phnum is PN_XNUM (libelf/elf_getphdrnum.c)."""
        return self.sections[0].info if self.header.phnum == PN_XNUM and self.sections else self.header.phnum

    @property
    def has_table(self) -> bool:
        return self.phoff > 0 and super().has_table

    @property
    def headers_behind(self) -> bool:
        """Whether e_phoff is not in the file."""
        return self.phoff >= self.view.size

    @property
    def headers_cut(self) -> bool:
        """Whether the first program header is whole in the file, but not all."""
        size, rest = self.form.segment.size, self.view.size - self.phoff
        return self.phoff > 0 and size <= rest < self.phnum * size
