"""The rules of libkdumpfile over ELF dumps: those that drgn gives it, and flattened ones, which it always gets."""

from __future__ import annotations

from typing import Final, TypeVar

from vmci_tui.readers.drgn.libkdumpfile_rules import OverLibkdumpfile, stop
from vmci_tui.readers.rule import Hit, Rules

_ELF: Final = "libkdumpfile 0.5.6, src/kdumpfile/elfdump.c"
_OPEN: Final = "libkdumpfile 0.5.6, src/kdumpfile/open.c"
R = TypeVar("R", bound=OverLibkdumpfile)


def add_elf_rules(rule: Rules[R]) -> None:
    """Those of the container, up to the note."""

    @rule("C13", "before", "", f"{_ELF} do_probe")
    def _elf_version(r: R) -> Hit | None:
        """e_version must be 1, and of a flattened dump class and byte order 1 or 2; what it blames may be another."""
        return stop(r, "elf-version")

    @rule("C04", "before", "", f"{_ELF} do_probe")
    def _elf_type(r: R) -> Hit | None:
        """The type of a flattened dump must be ET_CORE (4). What it says of the class is not the reason."""
        return stop(r, "elf-type")

    @rule("C16", "before", "", f"{_ELF} init_elf64")
    def _program_header(r: R) -> Hit | None:
        """libkdumpfile goes from one program header to the next by e_phentsize, to a place that it cannot read."""
        return stop(r, "program-header")

    @rule("C07", "before", "", f"{_ELF} init_elf64")
    def _section_header(r: R) -> Hit | None:
        """Every section header is read, and here one lies where nothing can be read."""
        return stop(r, "section-header")

    @rule("C07", "before", "", f"{_ELF} init_sections")
    def _section_count(r: R) -> Hit | None:
        """With e_shnum 0 the first section header tells the number of sections: more than there is memory for."""
        return stop(r, "section-count")

    @rule("C07", "before", "", f"{_ELF} init_strtab")
    def _section_names(r: R) -> Hit | None:
        """libkdumpfile reads the names of the sections, and the header of their section has an absurd size or place."""
        return stop(r, "section-names")

    @rule("C07", "before", "", f"{_ELF} init_elf64; src/kdumpfile/fcache.c")
    def _killed_by_headers(r: R) -> Hit | None:
        """A header of size 0, or one that runs over the end of the file, kills it: it reads without looking."""
        return stop(r, "killed-by-headers")

    @rule("M01", "before", "", f"{_ELF} open_common")
    def _no_content(r: R) -> Hit | None:
        """There must be a PT_LOAD or a section; e_phentsize that is not the size of a program header loses them too."""
        return stop(r, "no-content")

    @rule("C02", "note", "", f"{_ELF} walk_elf_notes")
    def _notes(r: R) -> Hit | None:
        """The bytes of a PT_NOTE cannot be read."""
        return stop(r, "notes")


def add_elf_memory_rules(rule: Rules[R]) -> None:
    """Those of what it reads of memory before drgn gets the text."""

    @rule("M04", "after", "", f"{_ELF} elf_get_page")
    def _killed_by_memory(r: R) -> Hit | None:
        """A page that libkdumpfile needs is only partly in a PT_LOAD or in the file, or PAGESIZE is 0: it dies."""
        return stop(r, "killed-by-memory")

    @rule("M03", "after", "", f"{_OPEN} uts_name_from_init_uts_ns")
    def _no_system_name(r: R) -> Hit | None:
        """At SYMBOL(init_uts_ns) in memory must stand `Linux`; it does not: symbol or phys_base are of another dump."""
        return stop(r, "no-system-name")

    @rule("M03", "after", "", f"{_OPEN} update_linux_utsname")
    def _wrong_system_name(r: R) -> Hit | None:
        """Behind `Linux` there must be the node, release, version and machine, as the kernel keeps them."""
        return stop(r, "wrong-system-name")
