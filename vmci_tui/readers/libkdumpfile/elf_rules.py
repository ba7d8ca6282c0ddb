"""The rules of libkdumpfile over ELF dumps: those that drgn gives it, and flattened ones, which it always gets."""

from __future__ import annotations

from typing import Final, TypeVar

from vmci_tui.readers.libkdumpfile.guest_rules import GuestReading, stop
from vmci_tui.readers.rule import RuleHit, Rules, why

_ELF: Final = "libkdumpfile 0.5.6, src/kdumpfile/elfdump.c"
_OPEN: Final = "libkdumpfile 0.5.6, src/kdumpfile/open.c"
R = TypeVar("R", bound=GuestReading)


def add_elf_rules(rule: Rules[R]) -> None:
    """Those of the container, up to the note."""

    @rule("C13", "before", "", f"{_ELF} do_probe")
    @why("e_version must be 1, and of a flattened dump class and byte order 1 or 2; what it blames may be another.")
    def _elf_version(r: R) -> RuleHit | None:
        return stop(r, "elf-version")

    @rule("C04", "before", "", f"{_ELF} do_probe")
    @why("The type of a flattened dump must be ET_CORE (4). What it says of the class is not the reason.")
    def _elf_type(r: R) -> RuleHit | None:
        return stop(r, "elf-type")

    @rule("C16", "before", "", f"{_ELF} init_elf64")
    @why("libkdumpfile goes from one program header to the next by e_phentsize, to a place that it cannot read.")
    def _program_header(r: R) -> RuleHit | None:
        return stop(r, "program-header")

    @rule("C07", "before", "", f"{_ELF} init_elf64")
    @why("Every section header is read, and here one lies where nothing can be read.")
    def _section_header(r: R) -> RuleHit | None:
        return stop(r, "section-header")

    @rule("C07", "before", "", f"{_ELF} init_sections")
    @why("With e_shnum 0 the first section header tells the number of sections: more than there is memory for.")
    def _section_count(r: R) -> RuleHit | None:
        return stop(r, "section-count")

    @rule("C07", "before", "", f"{_ELF} init_strtab")
    @why("libkdumpfile reads the names of the sections, and the header of their section has an absurd size or place.")
    def _section_names(r: R) -> RuleHit | None:
        return stop(r, "section-names")

    @rule("C07", "before", "", f"{_ELF} init_elf64; src/kdumpfile/fcache.c")
    @why("A header of size 0, or one that runs over the end of the file, kills it: it reads without looking.")
    def _killed_by_headers(r: R) -> RuleHit | None:
        return stop(r, "killed-by-headers")

    @rule("M01", "before", "", f"{_ELF} open_common")
    @why("There must be a PT_LOAD or a section; e_phentsize that is not the size of a program header loses them too.")
    def _no_content(r: R) -> RuleHit | None:
        return stop(r, "no-content")

    @rule("C02", "note", "", f"{_ELF} walk_elf_notes")
    @why("The bytes of a PT_NOTE cannot be read.")
    def _notes(r: R) -> RuleHit | None:
        return stop(r, "notes")


def add_elf_memory_rules(rule: Rules[R]) -> None:
    """Those of what it reads of memory before drgn gets the text."""

    @rule("M04", "after", "", f"{_ELF} elf_get_page")
    @why("A page that libkdumpfile needs is only partly in a PT_LOAD or in the file, or PAGESIZE is 0: it dies.")
    def _killed_by_memory(r: R) -> RuleHit | None:
        return stop(r, "killed-by-memory")

    @rule("M03", "after", "", f"{_OPEN} uts_name_from_init_uts_ns")
    @why("At SYMBOL(init_uts_ns) in memory must stand `Linux`; it does not: symbol or phys_base are of another dump.")
    def _no_system_name(r: R) -> RuleHit | None:
        return stop(r, "no-system-name")

    @rule("M03", "after", "", f"{_OPEN} update_linux_utsname")
    @why("Behind `Linux` there must be the node, release, version and machine, as the kernel keeps them.")
    def _wrong_system_name(r: R) -> RuleHit | None:
        return stop(r, "wrong-system-name")
