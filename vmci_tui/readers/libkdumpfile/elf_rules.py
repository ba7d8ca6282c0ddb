"""The rules of libkdumpfile for ELF dumps: those that drgn passes on, and all flattened ones."""

from __future__ import annotations

from typing import Final, TypeVar

from vmci_tui.readers.libkdumpfile.guest_rules import GuestReading, stop
from vmci_tui.readers.rule import RuleHit, Rules, why

_ELF: Final = "libkdumpfile 0.5.6, src/kdumpfile/elfdump.c"
_OPEN: Final = "libkdumpfile 0.5.6, src/kdumpfile/open.c"
R = TypeVar("R", bound=GuestReading)


def add_elf_rules(rule: Rules[R]) -> None:
    """Add the rules of the container, up to the note."""

    @rule("C13", "before", "", f"{_ELF} do_probe")
    @why("e_version must be 1, and in a flattened dump class and byte order 1 or 2; it may blame another field.")
    def _elf_version(r: R) -> RuleHit | None:
        return stop(r, "elf-version")

    @rule("C04", "before", "", f"{_ELF} do_probe")
    @why("The type of a flattened dump must be ET_CORE (4). Its message wrongly names the class.")
    def _elf_type(r: R) -> RuleHit | None:
        return stop(r, "elf-type")

    @rule("C16", "before", "", f"{_ELF} init_elf64")
    @why("libkdumpfile goes from one program header to the next by e_phentsize, here to an unreadable place.")
    def _program_header(r: R) -> RuleHit | None:
        return stop(r, "program-header")

    @rule("C07", "before", "", f"{_ELF} init_elf64")
    @why("libkdumpfile reads every section header, and here one is where it cannot read.")
    def _section_header(r: R) -> RuleHit | None:
        return stop(r, "section-header")

    @rule("C07", "before", "", f"{_ELF} init_sections")
    @why("With e_shnum 0 the first section header gives the number of sections: too many for memory.")
    def _section_count(r: R) -> RuleHit | None:
        return stop(r, "section-count")

    @rule("C07", "before", "", f"{_ELF} init_strtab")
    @why("libkdumpfile reads the section names, but their section header has an absurd size or offset.")
    def _section_names(r: R) -> RuleHit | None:
        return stop(r, "section-names")

    @rule("C07", "before", "", f"{_ELF} init_elf64; src/kdumpfile/fcache.c")
    @why("A header of size 0, or one that crosses the end of the file, kills it: it reads without a check.")
    def _killed_by_headers(r: R) -> RuleHit | None:
        return stop(r, "killed-by-headers")

    @rule("M01", "before", "", f"{_ELF} open_common")
    @why("There must be a PT_LOAD or a section; with a wrong e_phentsize it finds neither.")
    def _no_content(r: R) -> RuleHit | None:
        return stop(r, "no-content")

    @rule("C02", "note", "", f"{_ELF} walk_elf_notes")
    @why("The bytes of a PT_NOTE cannot be read.")
    def _notes(r: R) -> RuleHit | None:
        return stop(r, "notes")


def add_elf_memory_rules(rule: Rules[R]) -> None:
    """Add the rules for the memory that it reads before drgn gets the text."""

    @rule("M04", "after", "", f"{_ELF} elf_get_page")
    @why("A page that libkdumpfile needs is only partly in a PT_LOAD or in the file, or PAGESIZE is 0: it dies.")
    def _killed_by_memory(r: R) -> RuleHit | None:
        return stop(r, "killed-by-memory")

    @rule("M03", "after", "", f"{_OPEN} uts_name_from_init_uts_ns")
    @why("Memory at SYMBOL(init_uts_ns) must have `Linux`; it does not: the symbol or phys_base is from another dump.")
    def _no_system_name(r: R) -> RuleHit | None:
        return stop(r, "no-system-name")

    @rule("M03", "after", "", f"{_OPEN} update_linux_utsname")
    @why("After `Linux` there must be node, release, version and machine, in the kernel's layout.")
    def _wrong_system_name(r: R) -> RuleHit | None:
        return stop(r, "wrong-system-name")
