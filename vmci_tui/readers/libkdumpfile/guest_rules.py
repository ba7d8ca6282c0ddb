"""The rules of libkdumpfile for text, CPUs and memory, the same for every container, and those for ELF dumps.

Each is a step at which it stops: `Stopped` has the rule's name, the bytes concerned and the words.
"""

from __future__ import annotations

from typing import Final, Protocol

from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.rule import Reading, RuleHit
from vmci_tui.readers.rule_rows import RuleRows


class GuestReading(Reading, Protocol):
    """A reading that goes through libkdumpfile."""

    @property
    def stopped(self) -> Stopped | None:
        """Where it stopped; None if it did not, or did not run."""
        ...


LIBRARY: Final = "libkdumpfile 0.5.6, "
NOT_SET: Final = "kdump_vmcoreinfo_raw: linux.vmcoreinfo.raw is not set"
"""What it says where the notes have no text."""
LACKS_MACHINE: Final = frozenset(("utsname-not-linux", "unknown-machine", "unknown-elf-machine"))
"""The rules that do not refuse if the user names the machine: `drgn --architecture`."""
DISK: Final = "src/kdumpfile/diskdump.c "
_INFO: Final = "src/kdumpfile/vmcoreinfo.c lines_post_hook"
_ELF: Final = "src/kdumpfile/elfdump.c "


def stopped(r: GuestReading, rule: str) -> RuleHit | None:
    """Return where libkdumpfile stopped, if it is the step of this rule: at most one of these rules fires."""
    stop = r.stopped
    return RuleHit(stop.span, stop.words) if stop is not None and stop.rule == rule else None


row: Final[RuleRows[GuestReading]] = RuleRows(LIBRARY, fault=stopped)
# fmt: off
GUEST_RULES: Final = (
    row("T12", "after", "page-size", _INFO, "",
        "PAGESIZE, read in base 10, must be a power of two, even if a later line replaces it."),
    row("T20", "after", "page-size-too-big", _INFO, "",
        "libkdumpfile allocates 1,024 pages of PAGESIZE, and there is not enough memory."),
    row("T20", "after", "page-size-too-small", "src/addrxlat/aarch64.c init_pgt_meth", "",
        "On aarch64 PAGESIZE splits an address into fields: endlessly with 8 bytes, into too many with small pages."),
    row("T08", "after", "dot-in-front", "src/kdumpfile/attr.c create_attr_path", "",
        "A key that begins with a dot makes libkdumpfile search for its parent until the stack is full."),
    row("C15", "note", "cpu-note", "process_prstatus in the file of the machine", "",
        "The note with a CPU's registers (CORE, type 1) must be long enough for the file's machine."),
    row("C15", "note", "qemu-cpu-note", "src/kdumpfile/x86_64.c process_x86_64_qemu_cpustate", "",
        "QEMU's CPU note (QEMU, type 0) must hold all registers of an x86-64 processor, and its own size."),
    row("T14", "after", "release", "src/kdumpfile/util.c linux_ver_revalidate", "",
        "To read memory libkdumpfile needs the kernel's version: OSRELEASE must begin with a.b.c, all numbers."),
    row("M04", "after", "no-lowcore", "src/kdumpfile/s390x.c process_lowcore_info", "",
        "On s390x libkdumpfile reads the text from memory, by a pointer in the first page, which the dump lacks."),
    row("M04", "after", "memory-unreadable", "src/kdumpfile/fcache.c", "",
        "A page that libkdumpfile needs cannot be read from the file."),
)
"""After the rules of the container."""
ELF_RULES: Final = (
    row("C13", "before", "elf-version", _ELF + "do_probe", "",
        "e_version must be 1, and in a flattened dump class and byte order 1 or 2; it may blame another field."),
    row("C04", "before", "elf-type", _ELF + "do_probe", "",
        "The type of a flattened dump must be ET_CORE (4). Its message wrongly names the class."),
    row("C16", "before", "program-header", _ELF + "init_elf64", "",
        "libkdumpfile goes from one program header to the next by e_phentsize, here to an unreadable place."),
    row("C07", "before", "section-header", _ELF + "init_elf64", "",
        "libkdumpfile reads every section header, and here one is where it cannot read."),
    row("C07", "before", "section-count", _ELF + "init_sections", "",
        "With e_shnum 0 the first section header gives the number of sections: too many for memory."),
    row("C07", "before", "section-names", _ELF + "init_strtab", "",
        "libkdumpfile reads the section names, but their section header has an absurd size or offset."),
    row("C07", "before", "killed-by-headers", _ELF + "init_elf64; src/kdumpfile/fcache.c", "",
        "A header of size 0, or one that crosses the end of the file, kills it: it reads without a check."),
    row("M01", "before", "no-content", _ELF + "open_common", "",
        "There must be a PT_LOAD or a section; with a wrong e_phentsize it finds neither."),
    row("C02", "note", "notes", _ELF + "walk_elf_notes", "",
        "The bytes of a PT_NOTE cannot be read."),
)
"""Up to the note: those that drgn passes on, and all of flattened dumps."""
ELF_MEMORY_RULES: Final = (
    row("M04", "after", "killed-by-memory", _ELF + "elf_get_page", "",
        "A page that libkdumpfile needs is only partly in a PT_LOAD or in the file, or PAGESIZE is 0: it dies."),
    row("M03", "after", "no-system-name", "src/kdumpfile/open.c uts_name_from_init_uts_ns", "",
        "Memory at SYMBOL(init_uts_ns) must have `Linux`; it does not: the symbol or phys_base is from another "
        "dump."),
    row("M03", "after", "wrong-system-name", "src/kdumpfile/open.c update_linux_utsname", "",
        "After `Linux` there must be node, release, version and machine, in the kernel's layout."),
)
"""For the memory that it reads before drgn gets the text."""
# fmt: on
