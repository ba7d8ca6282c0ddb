"""The rules of makedumpfile 1.7.2 for an accepted text: values that it reads differently, and later failures.

It has printed `VMCOREINFO   :` by then: none of these rules refuses.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import PT_LOAD
from vmci_tui.formats.segment_table import Segments
from vmci_tui.knowledge.makedumpfile_releases import need_of
from vmci_tui.readers.makedumpfile.elf_reading import NO_PADDR, MakedumpfileReading
from vmci_tui.readers.makedumpfile.text import KEYS, LINE_ROOM, LOG_KEYS
from vmci_tui.readers.rule import Rule, RuleHit, Rules, why
from vmci_tui.readers.shared.c_numbers import strtol, strtoull

_Reading = MakedumpfileReading
_MAIN = "makedumpfile 1.7.2, makedumpfile.c "
_READ = _MAIN + "read_vmcoreinfo_basic_info"
_KERNEL_IMAGE: Final = 0xFFFFFFFF80000000
rule: Rules[_Reading] = Rules()


@rule("T19", "after", "makedumpfile Failed.", _MAIN + "read_vmcoreinfo_long", refuses=False)
@why("""The value is -3, which means bad data inside makedumpfile: it prints the text and gives up silently.""")
def _silent_number(reading: _Reading) -> RuleHit | None:
    complaint = None if reading.parsed is None else reading.parsed.complaint
    return RuleHit(reading.line_span(complaint.line)) if complaint is not None and complaint.kind == "silent" else None


@rule("T03", "after", "", _READ, refuses=False)
@why("A NUL ends its line for makedumpfile; one at the start of a line ends the text.")
def _nul(reading: _Reading) -> RuleHit | None:
    at = -1 if reading.text is None else reading.text.find(b"\0")
    return None if at < 0 or reading.found is None else RuleHit(Span(reading.found.desc + at, 1))


@rule("T05", "after", "", _READ, refuses=False)
@why("A line of more than 1,499 bytes is read in pieces: each further piece counts as the next line.")
def _long_line(reading: _Reading) -> RuleHit | None:
    if reading.text is None or max(map(len, reading.text.split(b"\n"))) < LINE_ROOM - 1:
        return None
    return RuleHit(reading.line_span(max(reading.text.split(b"\n"), key=len)))


@rule("T06", "after", "", _MAIN + "read_vmcoreinfo_symbol", refuses=False)
@why("""A key that it uses is there twice with different values: the first counts, except that for PAGESIZE and
    CRASHTIME the last counts.""")
def _first_counts(reading: _Reading) -> RuleHit | None:
    if reading.parsed is None or len(reading.parsed.pairs) == len(reading.parsed.first):
        return None
    first = reading.parsed.first
    for key, value in reading.parsed.pairs:
        if first[key] != value and key in KEYS:
            return RuleHit(reading.line_span(key + b"=" + value))
    return None


def _goes_on(reading: _Reading) -> bool:
    parsed = reading.parsed
    return parsed is not None and parsed.basic.complete and not (parsed.basic.complaint or parsed.complaint)


@rule("C12", "after", "vtop4_x86_64: Can't get the symbol of init_level4_pgt/init_top_pgt.",
      "makedumpfile 1.7.2, arch/x86_64.c vtop4_x86_64", refuses=False)  # fmt: skip
@why("""The dump is from another machine than the one that this makedumpfile was built for. It prints the text, and
    then finds no page tables of its own kind.""")
def _other_machine(reading: _Reading) -> RuleHit | None:
    keys = {} if reading.parsed is None else reading.parsed.first
    absent = b"SYMBOL(init_level4_pgt)" not in keys and b"SYMBOL(init_top_pgt)" not in keys
    return RuleHit(reading.machine_span) if _goes_on(reading) and absent and not reading.machine_is_x86_64 else None


@rule("T15", "after", "vtop4_x86_64: Can't get the symbol of init_level4_pgt/init_top_pgt.",
      "makedumpfile 1.7.2, arch/x86_64.c vtop4_x86_64", refuses=False)  # fmt: skip
@why("""Neither SYMBOL(init_top_pgt) nor SYMBOL(init_level4_pgt) is there: it prints the text, but cannot
    translate addresses.""")
def _no_page_tables(reading: _Reading) -> RuleHit | None:
    keys = {} if reading.parsed is None else reading.parsed.first
    absent = b"SYMBOL(init_level4_pgt)" not in keys and b"SYMBOL(init_top_pgt)" not in keys
    return RuleHit(reading.note) if _goes_on(reading) and absent and reading.machine_is_x86_64 else None


@rule("T15", "after", "check_release: Can't get the symbol of system_utsname.", _MAIN + "check_release", refuses=False)
@why("""Neither SYMBOL(init_uts_ns) nor SYMBOL(system_utsname) is there: it prints the text, but cannot read the
    kernel's version from memory.""")
def _no_utsname(reading: _Reading) -> RuleHit | None:
    keys = {} if reading.parsed is None else reading.parsed.first
    absent = b"SYMBOL(init_uts_ns)" not in keys and b"SYMBOL(system_utsname)" not in keys
    return RuleHit(reading.note) if _goes_on(reading) and absent else None


@rule("T15", "after", "", "makedumpfile 1.7.2, printk.c dump_lockless_dmesg", refuses=False)
@why("""SYMBOL(prb) is there, but not every key that leads from it to the log: it prints the text, then uses -1 for
    missing keys and prints garbage or, without head_id or tail_id of prb_desc_ring, never ends.""")
def _log_keys_missing(reading: _Reading) -> RuleHit | None:
    if reading.parsed is None or not _goes_on(reading) or b"SYMBOL(prb)" not in reading.parsed.first:
        return None
    return RuleHit(reading.note) if any(map(reading.parsed.missing, LOG_KEYS)) else None


@rule("C11", "after", "get_mm_sparsemem: Can't get the address of mem_section.",
      "makedumpfile 1.7.2, arch/x86_64.c get_page_offset_x86_64", refuses=False)  # fmt: skip
@why("""It takes p_vaddr - p_paddr of the last PT_LOAD with a virtual address as the start of the kernel's linear
    map. In a dump with paging (some 65,000 headers, one for each range of virtual addresses) that is another
    mapping, above mem_section: it prints the text and then finds no memory. Merge the headers to one PT_LOAD
    for each range, without virtual addresses, and it can read the dump.""")
def _linear_map_after_the_last_header(reading: _Reading) -> RuleHit | None:
    if reading.parsed is None or not _goes_on(reading):
        return None
    section = strtoull(reading.parsed.first.get(b"SYMBOL(mem_section)", b""), 16).value
    offset = _page_offset(reading.table)
    if not 0xFFFF800000000000 <= section < _KERNEL_IMAGE or offset is None or offset <= section:
        return None
    return RuleHit(reading.form.span("e_phnum"))


def _page_offset(table: Segments) -> int | None:
    """Return p_vaddr - p_paddr of the last PT_LOAD with a virtual address below the kernel's image.

    It takes this for the place of the linear map. None where no PT_LOAD of a 64-bit file has one.
    """
    if table.form.bits != 64 or not any(table.column("vaddr")):
        return None
    columns = (reversed(table.column(name)) for name in ("type", "vaddr", "paddr"))
    for kind, vaddr, paddr in zip(*columns, strict=True):
        if kind == PT_LOAD and 0 < vaddr < _KERNEL_IMAGE and paddr != NO_PADDR:
            return (vaddr - paddr & NO_PADDR) or None
    return None


@rule("T24", "after", "The kernel version is not supported.", _MAIN + "get_kernel_version", refuses=False)
@why("""The kernel is so new that 1.7.2 does not know how its pages are marked. It prints this for every kernel after
    6.0.1, by the release in memory, and continues; up to 6.1 this has no effect.""")
def _newer_kernel(reading: _Reading) -> RuleHit | None:
    if not _goes_on(reading) or need_of(reading.osrelease or b"") is None:
        return None
    return RuleHit(reading.line_span(b"OSRELEASE=" + (reading.osrelease or b"")))


@rule("T20", "after", "killed by SIGFPE", _MAIN + "get_mm_sparsemem", refuses=False)
@why("PAGESIZE is smaller than SIZE(mem_section): it prints the text, and later divides by zero.")
def _pagesize_below_a_section(reading: _Reading) -> RuleHit | None:
    if reading.parsed is None or not _goes_on(reading):
        return None
    size = strtol(reading.parsed.first.get(b"SIZE(mem_section)", b""), 10).value
    page_size = reading.parsed.basic.page_size
    return RuleHit(reading.note) if page_size is not None and 0 < page_size < size else None


LATER: Final[tuple[Rule[_Reading], ...]] = tuple(rule.all)
