"""The rules of libkdumpfile for text, CPUs and memory, the same for every container."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.rule import Reading, RuleHit, Rules, why

_INFO: Final = "libkdumpfile 0.5.6, src/kdumpfile/vmcoreinfo.c"


class GuestReading(Reading, Protocol):
    """A reading that goes through libkdumpfile."""

    @property
    def stopped(self) -> Stopped | None:
        """Where it stopped; None if it did not, or did not run."""
        ...


R = TypeVar("R", bound=GuestReading)


def stop(r: GuestReading, name: str) -> RuleHit | None:
    """Return a hit if libkdumpfile stopped at the step of this name: at most one of its rules refuses."""
    stopped = r.stopped
    return RuleHit(stopped.span, stopped.words) if stopped and stopped.rule == name else None


def add_guest_rules(rule: Rules[R]) -> None:
    """Add these rules to a reader, after the rules of its container."""

    @rule("T12", "after", "", f"{_INFO} lines_post_hook")
    @why("PAGESIZE, read in base 10, must be a power of two, even if a later line replaces it.")
    def _page_size(r: R) -> RuleHit | None:
        return stop(r, "page-size")

    @rule("T20", "after", "", f"{_INFO} lines_post_hook")
    @why("libkdumpfile allocates 1,024 pages of PAGESIZE, and there is not enough memory.")
    def _page_size_too_big(r: R) -> RuleHit | None:
        return stop(r, "page-size-too-big")

    @rule("T20", "after", "", "libkdumpfile 0.5.6, src/addrxlat/aarch64.c init_pgt_meth")
    @why("On aarch64 PAGESIZE splits an address into fields: endlessly with 8 bytes, into too many with small pages.")
    def _page_size_too_small(r: R) -> RuleHit | None:
        return stop(r, "page-size-too-small")

    @rule("T08", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/attr.c create_attr_path")
    @why("A key that begins with a dot makes libkdumpfile search for its parent until the stack is full.")
    def _dot_in_front(r: R) -> RuleHit | None:
        return stop(r, "dot-in-front")

    @rule("C15", "note", "", "libkdumpfile 0.5.6, process_prstatus in the file of the machine")
    @why("The note with a CPU's registers (CORE, type 1) must be long enough for the file's machine.")
    def _cpu_note(r: R) -> RuleHit | None:
        return stop(r, "cpu-note")

    @rule("C15", "note", "", "libkdumpfile 0.5.6, src/kdumpfile/x86_64.c process_x86_64_qemu_cpustate")
    @why("QEMU's CPU note (QEMU, type 0) must hold all registers of an x86-64 processor, and its own size.")
    def _qemu_cpu_note(r: R) -> RuleHit | None:
        return stop(r, "qemu-cpu-note")

    @rule("T14", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/util.c linux_ver_revalidate")
    @why("To read memory libkdumpfile needs the kernel's version: OSRELEASE must begin with a.b.c, all numbers.")
    def _release(r: R) -> RuleHit | None:
        return stop(r, "release")

    @rule("M04", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/s390x.c process_lowcore_info")
    @why("On s390x libkdumpfile reads the text from memory, by a pointer in the first page, which the dump lacks.")
    def _no_lowcore(r: R) -> RuleHit | None:
        return stop(r, "no-lowcore")

    @rule("M04", "after", "", "libkdumpfile 0.5.6, src/kdumpfile/fcache.c")
    @why("A page that libkdumpfile needs cannot be read from the file.")
    def _memory_unreadable(r: R) -> RuleHit | None:
        return stop(r, "memory-unreadable")
