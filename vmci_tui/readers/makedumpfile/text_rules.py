"""The rules of makedumpfile for the text, and for what it does after it has printed the text.

Those of LATER do not refuse: it has printed `VMCOREINFO   :` by then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import PT_LOAD
from vmci_tui.knowledge.makedumpfile_releases import NEEDS, ReleaseNeed, need_of
from vmci_tui.readers.makedumpfile.deaths import release_overflows, text_smashes
from vmci_tui.readers.makedumpfile.reading import NO_PADDR, MakedumpfileReading, row
from vmci_tui.readers.makedumpfile.text import KEYS, LINE_ROOM, LOG_KEYS, NO_FORMAT, TEMPORARY
from vmci_tui.readers.rule import Rule, RuleHit
from vmci_tui.readers.shared.c_numbers import strtol, strtoull

_BASIC: Final = "makedumpfile.c read_vmcoreinfo_basic_info"
_SYMBOL: Final = "makedumpfile.c read_vmcoreinfo_symbol"
_DATA: Final = f"read_vmcoreinfo_basic_info: Invalid data in {TEMPORARY}: "
_NO_TABLE: Final = "vtop4_x86_64: Can't get the symbol of init_level4_pgt/init_top_pgt."
_KERNEL_IMAGE: Final = 0xFFFFFFFF80000000
R = MakedumpfileReading


def _lacks(*keys: bytes) -> Callable[[R], bool]:
    """Return whether it reads all keys, and lacks these."""
    return lambda r: r.goes_on and r.first.keys().isdisjoint(keys)


_no_tables = _lacks(b"SYMBOL(init_level4_pgt)", b"SYMBOL(init_top_pgt)")


def _nul(r: R) -> RuleHit | None:
    at = -1 if r.text is None else r.text.find(b"\0")
    return None if at < 0 or r.place is None else RuleHit(Span(r.place[0] + at, 1))


def _long_line(r: R) -> RuleHit | None:
    longest = max((r.text or b"").split(b"\n"), key=len)
    return RuleHit(r.line_span(longest)) if len(longest) >= LINE_ROOM - 1 else None


def _first_counts(r: R) -> RuleHit | None:
    """Return the first line with another value than an earlier one for a key that it uses."""
    if r.parsed is None or len(r.parsed.pairs) == len(r.first):
        return None
    others = (key + b"=" + value for key, value in r.parsed.pairs if r.first[key] != value and key in KEYS)
    return next((RuleHit(r.line_span(line)) for line in others), None)


def _log_keys_missing(r: R) -> bool:
    missing = r.parsed.missing if r.parsed is not None and r.goes_on and b"SYMBOL(prb)" in r.first else None
    return missing is not None and any(map(missing, LOG_KEYS))


def _linear_map_after_the_last_header(r: R) -> bool:
    section = strtoull(r.first.get(b"SYMBOL(mem_section)", b""), 16).value
    offset = _page_offset(r) if r.goes_on and 0xFFFF800000000000 <= section < _KERNEL_IMAGE else None
    return offset is not None and offset > section


def _page_offset(r: R) -> int | None:
    """Return p_vaddr - p_paddr of the last PT_LOAD with a virtual address below the kernel's image.

    It takes this for the place of the linear map. None where no PT_LOAD of a 64-bit file has one.
    """
    if r.table.form.bits != 64 or not any(r.table.column("vaddr")):
        return None
    columns = (reversed(r.table.column(name)) for name in ("type", "vaddr", "paddr"))
    for kind, vaddr, paddr in zip(*columns, strict=True):
        if kind == PT_LOAD and 0 < vaddr < _KERNEL_IMAGE and paddr != NO_PADDR:
            return (vaddr - paddr & NO_PADDR) or None
    return None


def _pagesize_below_a_section(r: R) -> bool:
    size = strtol(r.first.get(b"SIZE(mem_section)", b""), 10).value
    return r.goes_on and 0 < (r.page_size or 0) < size


def _newer_kernel(need: ReleaseNeed) -> Rule[R]:
    """Return the rule for kernels that need a release of makedumpfile, in older ones."""
    kernel = "{}.{}".format(*need.kernel)
    why = (
        f"Linux {kernel} and later need makedumpfile {need.release}: an older one {need.why}. By the release in memory "
        "it says that it does not know the kernel, and continues."
    )
    return row(
        "T24", "after", f"kernel-{kernel}", "makedumpfile.c get_kernel_version", "The kernel version is not supported.",
        why, holds=lambda r: r.goes_on and need_of(r.osrelease or b"") is need,
        where=lambda r: r.line_span(b"OSRELEASE=" + (r.osrelease or b"")), refuses=False, until=need.until,
    )  # fmt: skip


# fmt: off
TEXT: Final = (
    row("T11", "note", "text-on-the-stack", "makedumpfile.c copy_vmcoreinfo",
        "*** stack smashing detected ***: terminated",
        "makedumpfile before 1.7.0 copies the text into 4,096 bytes of its stack, whatever its length: it is killed by "
        "SIGABRT, or by SIGSEGV if the text is much longer.",
        holds=lambda r: r.text is not None and text_smashes(r.text), where=lambda r: r.note, until=(1, 7)),
    row("T02", "after", "carriage-return", _BASIC, _DATA + "PAGESIZE=4096\\x0d",
        "A line ends with CR LF, and the CR counts as part of a number, which is then invalid."),
    row("T20", "after", "pagesize", _BASIC, _DATA + "PAGESIZE=0x1000",
        "PAGESIZE is 0, too large or not entirely a decimal number. One such line is fatal even among good ones."),
    row("T20", "after", "pagesize-no-power-of-two", "makedumpfile.c set_page_size",
        "set_page_size: Invalid page_size: 3" + _DATA + "PAGESIZE=3", "PAGESIZE is negative or not a power of two."),
    row("T21", "after", "crashtime", _BASIC, _DATA + "CRASHTIME=0",
        "CRASHTIME is 0, empty, too large or not entirely a decimal number."),
    row("T09", "after", "no-release", _BASIC, NO_FORMAT, "The required line that starts with OSRELEASE= is missing."),
    row("T15", "after", "no-pagesize", _BASIC, NO_FORMAT, "The required line that starts with PAGESIZE= is missing."),
    row("T22", "after", "symbol", _SYMBOL,
        "read_vmcoreinfo_symbol: Invalid data in /tmp/vmcoreinfoXXXXXX: SYMBOL(mem_map)=0",
        "A symbol that it reads is 0 (or empty), all ones or more, or not entirely a hexadecimal number."),
    row("T07", "after", "number", "makedumpfile.c read_vmcoreinfo_long",
        "read_vmcoreinfo_long: Invalid data in /tmp/vmcoreinfoXXXXXX: SIZE(page)=x",
        "A SIZE, OFFSET, LENGTH or NUMBER that it reads is not entirely a decimal or hexadecimal number, or does not "
        "fit into 63 bits. An empty value is 0."),
)
LATER: Final = (
    row("T19", "after", "silent-number", "makedumpfile.c read_vmcoreinfo_long", "makedumpfile Failed.",
        "The value is -3, which means bad data inside makedumpfile: it prints the text and gives up silently.",
        refuses=False),
    row("T14", "after", "release-overflows", _BASIC, "killed by SIGSEGV",
        "makedumpfile before 1.7.0 has room for a release of 64 characters. A longer one overwrites what follows: with "
        "177 characters or more it prints the text, and dies at the end.",
        holds=lambda r: release_overflows(r.osrelease or b""),
        where=lambda r: r.line_span(b"OSRELEASE=" + (r.osrelease or b"")), refuses=False, until=(1, 7)),
    row("T03", "after", "nul", _BASIC, "",
        "A NUL ends its line for makedumpfile; one at the start of a line ends the text.", where=_nul, refuses=False),
    row("T05", "after", "long-line", _BASIC, "",
        "A line of more than 1,499 bytes is read in pieces: each further piece counts as the next line.",
        where=_long_line, refuses=False),
    row("T06", "after", "first-counts", _SYMBOL, "",
        "A key that it uses is there twice with different values: the first counts, except that for PAGESIZE and "
        "CRASHTIME the last counts.", where=_first_counts, refuses=False),
    row("C12", "after", "other-machine", "arch/x86_64.c vtop4_x86_64", _NO_TABLE,
        "The dump is from another machine than the one that this makedumpfile was built for. It prints the text, and "
        "then finds no page tables of its own kind.", holds=lambda r: _no_tables(r) and not r.machine_is_x86_64,
        where=lambda r: r.form.span("e_machine") if r.kdump is None else r.kdump.field("utsname.machine"),
        refuses=False),
    row("T15", "after", "no-page-tables", "arch/x86_64.c vtop4_x86_64", _NO_TABLE,
        "Neither SYMBOL(init_top_pgt) nor SYMBOL(init_level4_pgt) is there: it prints the text, but cannot translate "
        "addresses.", holds=lambda r: _no_tables(r) and r.machine_is_x86_64, where=lambda r: r.note, refuses=False),
    row("T15", "after", "no-utsname", "makedumpfile.c check_release",
        "check_release: Can't get the symbol of system_utsname.",
        "Neither SYMBOL(init_uts_ns) nor SYMBOL(system_utsname) is there: it prints the text, but cannot read the "
        "kernel's version from memory.",
        holds=_lacks(b"SYMBOL(init_uts_ns)", b"SYMBOL(system_utsname)"), where=lambda r: r.note, refuses=False),
    row("T15", "after", "log-keys-missing", "printk.c dump_lockless_dmesg", "",
        "SYMBOL(prb) is there, but not every key that leads from it to the log: it prints the text, then uses -1 for "
        "missing keys and prints garbage or, without head_id or tail_id of prb_desc_ring, never ends.",
        holds=_log_keys_missing, where=lambda r: r.note, refuses=False),
    row("C11", "after", "linear-map-after-the-last-header", "arch/x86_64.c get_page_offset_x86_64",
        "get_mm_sparsemem: Can't get the address of mem_section.",
        "It takes p_vaddr - p_paddr of the last PT_LOAD with a virtual address as the start of the kernel's linear "
        "map. In a dump with paging (some 65,000 headers, one for each range of virtual addresses) that is another "
        "mapping, above mem_section: it prints the text and then finds no memory. Merge the headers to one PT_LOAD "
        "for each range, without virtual addresses, and it can read the dump.",
        holds=_linear_map_after_the_last_header, where="e_phnum", refuses=False),
    *map(_newer_kernel, NEEDS),
    row("T20", "after", "pagesize-below-a-section", "makedumpfile.c get_mm_sparsemem", "killed by SIGFPE",
        "PAGESIZE is smaller than SIZE(mem_section): it prints the text, and later divides by zero.",
        holds=_pagesize_below_a_section, where=lambda r: r.note, refuses=False),
)
# fmt: on
