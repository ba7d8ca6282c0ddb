"""libkdumpfile, as drgn uses it for an ELF dump with DRGN_USE_LIBKDUMPFILE_FOR_ELF=1.

drgn first looks for the note itself; only where it finds one libkdumpfile opens the dump,
reads the note again in its own way, and gives drgn the text up to the first NUL.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, cast

from vmci_tui.core.readers import drgn
from vmci_tui.core.readers.base import Hit, Reader, Rule, Rules
from vmci_tui.core.readers.drgn import DrgnReading
from vmci_tui.core.readers.drgn_rules import add_text_rules
from vmci_tui.core.readers.drgn_text import Text
from vmci_tui.core.readers.libkdumpfile_run import Run
from vmci_tui.core.readers.libkdumpfile_text import KEYS, lines
from vmci_tui.core.span import Span


class LibkdumpfileReading(DrgnReading):
    """What drgn and libkdumpfile make of a file together."""

    @cached_property
    def run(self) -> Run | None:
        """libkdumpfile's part; None where drgn found no note."""
        return None if self.place is None else Run(self.view, self.core)

    @property
    def note(self) -> Span | None:
        if self.run is None or self.run.note is None:
            return None
        return self.run.note.span

    @cached_property
    def text(self) -> bytes | None:
        """The text that libkdumpfile keeps, all of it."""
        return None if self.run is None else self.run.text

    @cached_property
    def parsed(self) -> Text | None:
        """What drgn gets of it: a C string with its NUL."""
        if self.run is None or self.run.stopped or self.text is None:
            return None
        return Text(self.text.split(b"\0", 1)[0] + b"\0")

    def in_text(self, offset: int, length: int) -> Span | None:
        return None if self.run is None else self.run.span_of(offset, length)


rule: Rules[LibkdumpfileReading] = Rules()
for found in drgn.rule.all:
    if found.stage != "after":
        rule.all.append(cast("Rule[LibkdumpfileReading]", found))
_ELF: Final = "libkdumpfile 0.5.6, src/kdumpfile/elfdump.c"
_INFO: Final = "libkdumpfile 0.5.6, src/kdumpfile/vmcoreinfo.c"
_OPEN: Final = "libkdumpfile 0.5.6, src/kdumpfile/open.c"


def _stop(r: LibkdumpfileReading, name: str) -> Hit | None:
    """libkdumpfile does one thing after the other: a rule of its fires where it ends by it."""
    stopped = None if r.run is None else r.run.stopped
    return Hit(stopped.span, stopped.words) if stopped and stopped.rule == name else None


@rule("C13", "before", "", f"{_ELF} do_probe")
def _elf_version(r: LibkdumpfileReading) -> Hit | None:
    """e_version must be 1. What it says of the class is not the reason."""
    return _stop(r, "elf-version")


@rule("C16", "before", "", f"{_ELF} init_elf64")
def _program_header(r: LibkdumpfileReading) -> Hit | None:
    """libkdumpfile goes from one program header to the next by e_phentsize, to a place that it cannot read."""
    return _stop(r, "program-header")


@rule("C07", "before", "", f"{_ELF} init_elf64")
def _section_header(r: LibkdumpfileReading) -> Hit | None:
    """Every section header is read, and here one lies where nothing can be read."""
    return _stop(r, "section-header")


@rule("C07", "before", "", f"{_ELF} init_sections")
def _section_count(r: LibkdumpfileReading) -> Hit | None:
    """With e_shnum 0 the first section header tells the number of sections: more than there is memory for."""
    return _stop(r, "section-count")


@rule("C07", "before", "", f"{_ELF} init_strtab")
def _section_names(r: LibkdumpfileReading) -> Hit | None:
    """libkdumpfile reads the names of the sections, and the header of their section has an absurd size or place."""
    return _stop(r, "section-names")


@rule("C07", "before", "", f"{_ELF} init_elf64; src/kdumpfile/fcache.c")
def _killed_by_headers(r: LibkdumpfileReading) -> Hit | None:
    """A header of size 0, or one that runs over the end of the file, kills libkdumpfile: it reads without looking."""
    return _stop(r, "killed-by-headers")


@rule("M01", "before", "", f"{_ELF} open_common")
def _no_content(r: LibkdumpfileReading) -> Hit | None:
    """There must be a PT_LOAD or a section; e_phentsize that is not the size of a program header loses them too."""
    return _stop(r, "no-content")


@rule("C02", "note", "", f"{_ELF} walk_elf_notes")
def _notes(r: LibkdumpfileReading) -> Hit | None:
    """The bytes of a PT_NOTE cannot be read."""
    return _stop(r, "notes")


@rule("T12", "after", "", f"{_INFO} lines_post_hook")
def _page_size(r: LibkdumpfileReading) -> Hit | None:
    """PAGESIZE, read in base 10, must be a power of two; also one that a later line replaces."""
    return _stop(r, "page-size")


@rule("T20", "after", "", f"{_INFO} lines_post_hook")
def _page_size_too_big(r: LibkdumpfileReading) -> Hit | None:
    """libkdumpfile makes room for 1,024 pages of PAGESIZE, and there is not so much memory."""
    return _stop(r, "page-size-too-big")


@rule("T08", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/attr.c create_attr_path")
def _dot_in_front(r: LibkdumpfileReading) -> Hit | None:
    """A key that begins with a dot makes libkdumpfile look for its parent for ever, until the stack is full."""
    return _stop(r, "dot-in-front")


@rule("C15", "note", "", "libkdumpfile 0.5.6, process_prstatus in the file of the machine")
def _cpu_note(r: LibkdumpfileReading) -> Hit | None:
    """The note with a CPU's registers (CORE, type 1) must be as long as those of the machine in e_machine are."""
    return _stop(r, "cpu-note")


@rule("C15", "note", "", "libkdumpfile 0.5.6, src/kdumpfile/x86_64.c process_x86_64_qemu_cpustate")
def _qemu_cpu_note(r: LibkdumpfileReading) -> Hit | None:
    """QEMU's note of a CPU (QEMU, type 0) must hold all registers of an x86-64 processor, and what its size says."""
    return _stop(r, "qemu-cpu-note")


@rule("T14", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/util.c linux_ver_revalidate")
def _release(r: LibkdumpfileReading) -> Hit | None:
    """To read memory libkdumpfile needs the version of the kernel: OSRELEASE must begin with a.b.c, all numbers."""
    return _stop(r, "release")


@rule("M04", "after", "", f"{_ELF} elf_get_page")
def _killed_by_memory(r: LibkdumpfileReading) -> Hit | None:
    """A page that libkdumpfile needs is only partly in a PT_LOAD or in the file, or PAGESIZE is 0: it dies."""
    return _stop(r, "killed-by-memory")


@rule("M04", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/s390x.c process_lowcore_info")
def _no_lowcore(r: LibkdumpfileReading) -> Hit | None:
    """On s390x libkdumpfile takes the text from memory, by a pointer in the first page; the dump does not have it."""
    return _stop(r, "no-lowcore")


@rule("M04", "after", "", f"{_ELF} elf_get_page")
def _memory_unreadable(r: LibkdumpfileReading) -> Hit | None:
    """The page with the name of the system cannot be read from the file."""
    return _stop(r, "memory-unreadable")


@rule("M03", "after", "", f"{_OPEN} uts_name_from_init_uts_ns")
def _no_system_name(r: LibkdumpfileReading) -> Hit | None:
    """At SYMBOL(init_uts_ns) in memory must stand `Linux`; it does not: symbol or phys_base are of another dump."""
    return _stop(r, "no-system-name")


@rule("M03", "after", "", f"{_OPEN} update_linux_utsname")
def _wrong_system_name(r: LibkdumpfileReading) -> Hit | None:
    """Behind `Linux` there must be the node, release, version and machine, as the kernel keeps them."""
    return _stop(r, "wrong-system-name")


@rule("C10", "note", "kdump_vmcoreinfo_raw: linux.vmcoreinfo.raw is not set", "libkdumpfile 0.5.6, kdumpfile/notes.c")
def _padded_to_eight_for_drgn(r: LibkdumpfileReading) -> Hit | None:
    """drgn follows p_align 8 and finds the note; libkdumpfile reads all notes as padded to 4 bytes, and does not."""
    lost = r.run is not None and r.run.stopped is None and r.run.text is None
    return Hit(r.place.span) if lost and r.place is not None else None


add_text_rules(rule)


def _accepted(r: LibkdumpfileReading) -> str:
    return f"prog['VMCOREINFO'] has {0 if r.parsed is None else len(r.parsed.raw) - 1} bytes of text"


READER: Final = Reader(
    name="libkdumpfile",
    version="0.5.6 in drgn 0.3.0",
    command=f"DRGN_USE_LIBKDUMPFILE_FOR_ELF=1 {drgn.READER.command}",
    read=LibkdumpfileReading,
    rules=tuple(rule.all),
    accepted=_accepted,
    lines=lines,
    keys=KEYS,
)
