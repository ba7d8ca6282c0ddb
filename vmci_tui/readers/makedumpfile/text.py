"""The vmcoreinfo text as makedumpfile reads it: the lines, the keys in its order, its complaints.

All after makedumpfile 1.7.2, makedumpfile.c: read_vmcoreinfo_basic_info, read_vmcoreinfo
and read_vmcoreinfo_symbol/_long, as the x86-64 build has them. The text is in a
temporary file by then, read by fgets into 1,500 bytes, once for each key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import Final, NamedTuple

from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import (
    LONG_MAX,
    ULONG_MAX,
    ParsedNumber,
    as_text,
    kept_text,
    number_form,
    presence,
    strtol,
    strtoull,
)
from vmci_tui.readers.shared.text_lines import fgets_lines, first_values, pairs
from vmci_tui.readers.version import Version

LINE_ROOM: Final = 1500
"""Bytes of a line, its newline and a NUL for which it has room; the rest counts as the next line."""
_RELEASE_ROOM: Final = 64
_OSRELEASE, _PAGESIZE, _CRASHTIME = b"OSRELEASE", b"PAGESIZE", b"CRASHTIME"
TEMPORARY: Final = "/tmp/vmcoreinfoXXXXXX"
"""The name of the text in its messages; mkstemp replaces each X."""
NO_FORMAT: Final = f"read_vmcoreinfo_basic_info: Invalid format in {TEMPORARY}"
_REFUSED: Final = "Invalid data: makedumpfile refuses the text"
_MARKS: Final = {
    -1: "-1 means to makedumpfile that the key is missing",
    -3: "-3 is its own mark for bad data: makedumpfile gives up silently",
}


def _keys(names: str) -> tuple[bytes, ...]:
    """Return the keys of `SIZE(page zone)`: SIZE(page) and SIZE(zone)."""
    forms = re.findall(r"([A-Z]+)\(([^)]*)\)", names)
    return tuple(f"{form}({name})".encode() for form, each in forms for name in each.split())


_VMALLOC_START: Final = b"NUMBER(VMALLOC_START)"
_REFCOUNT, _COUNT, _RINGBUFFER, _PRINTK_LOG = _keys(
    "OFFSET(page._refcount page._count) SIZE(printk_ringbuffer printk_log)"
)
_FIRST: Final = _keys(
    """SYMBOL(mem_map vmem_map mem_section pkmap_count pkmap_count_next system_utsname init_uts_ns _stext
    swapper_pg_dir init_level4_pgt level4_kernel_pgt init_top_pgt vmlist vmap_area_list node_online_map node_states
    node_data pgdat_list contig_page_data prb clear_seq log_buf log_buf_len log_end log_first_idx clear_idx
    log_next_idx max_pfn high_memory node_remap_start_vaddr node_remap_end_vaddr node_remap_start_pfn vmemmap_list
    mmu_psize_defs mmu_vmemmap_psize cpu_pgd demote_segment_4k cur_cpu_spec free_huge_page)
    SIZE(page mem_section pglist_data zone free_area list_head node_memblk_s nodemask_t pageflags vmemmap_backing
    mmu_psize_def) OFFSET(page.flags page._refcount)"""
)
_MIDDLE: Final = _keys(
    """OFFSET(page.mapping page.lru page._mapcount page.private page.compound_dtor page.compound_order
    page.compound_head folio._folio_dtor folio._folio_order mem_section.section_mem_map pglist_data.node_zones
    pglist_data.nr_zones pglist_data.node_mem_map pglist_data.node_start_pfn pglist_data.node_spanned_pages
    pglist_data.pgdat_next zone.free_pages zone.free_area zone.vm_stat zone.spanned_pages free_area.free_list
    list_head.next list_head.prev
    node_memblk_s.start_paddr node_memblk_s.size node_memblk_s.nid vm_struct.addr vmap_area.va_start vmap_area.list
    vmemmap_backing.phys vmemmap_backing.virt_addr vmemmap_backing.list mmu_psize_def.shift cpu_spec.mmu_features
    uts_namespace.name) SIZE(printk_log printk_ringbuffer)"""
)
LOG_KEYS: Final = _keys(
    """OFFSET(printk_ringbuffer.desc_ring printk_ringbuffer.text_data_ring prb_desc_ring.count_bits
    prb_desc_ring.descs prb_desc_ring.infos prb_desc_ring.head_id prb_desc_ring.tail_id) SIZE(prb_desc)
    OFFSET(prb_desc.state_var prb_desc.text_blk_lpos prb_data_blk_lpos.begin prb_data_blk_lpos.next
    prb_data_ring.size_bits prb_data_ring.data) SIZE(printk_info)
    OFFSET(printk_info.ts_nsec printk_info.text_len atomic_long_t.counter)"""
)
"""The keys that lead from SYMBOL(prb) to the log."""
_LATCHED: Final = _keys("SIZE(latched_seq) OFFSET(latched_seq.val)")
_OF_RINGBUFFER: Final = (*LOG_KEYS, b"OFFSET(printk_info.caller_id)", *_LATCHED)
_OF_PRINTK_LOG: Final = _keys("OFFSET(printk_log.ts_nsec printk_log.len printk_log.text_len printk_log.caller_id)")
_OF_LOG: Final = _keys("SIZE(log) OFFSET(log.ts_nsec log.len log.text_len)")
_LAST: Final = _keys(
    """LENGTH(node_data pgdat_list mem_section node_memblk zone.free_area free_area.free_list node_remap_start_pfn)
    NUMBER(NR_FREE_PAGES N_ONLINE pgtable_l5_enabled sme_mask PG_lru PG_private PG_head_mask PG_swapcache
    PG_swapbacked PG_slab PG_buddy PG_hwpoison PG_hugetlb SECTION_SIZE_BITS MAX_PHYSMEM_BITS
    PAGE_BUDDY_MAPCOUNT_VALUE PAGE_HUGETLB_MAPCOUNT_VALUE PAGE_OFFLINE_MAPCOUNT_VALUE PAGE_SLAB_MAPCOUNT_VALUE
    PAGE_UNACCEPTED_MAPCOUNT_VALUE phys_base KERNEL_IMAGE_SIZE VMALLOC_START HUGETLB_PAGE_DTOR RADIX_MMU)"""
)
SINCE: Final[Mapping[bytes, Version]] = {
    b"OFFSET(uts_namespace.name)": (1, 6, 9),
    **dict.fromkeys((b"SYMBOL(clear_seq)", *_LATCHED), (1, 7)),
    **dict.fromkeys(_keys("OFFSET(folio._folio_dtor folio._folio_order)"), (1, 7, 3)),
    b"NUMBER(PG_hugetlb)": (1, 7, 4),
    **dict.fromkeys(_keys("OFFSET(printk_info.caller_id printk_log.caller_id)"), (1, 7, 5)),
    **dict.fromkeys((_VMALLOC_START, b"NUMBER(RADIX_MMU)"), (1, 7, 5)),
    **dict.fromkeys(_keys("NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE PAGE_SLAB_MAPCOUNT_VALUE)"), (1, 7, 6)),
    b"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)": (1, 7, 8),
}
"""The first version that reads a key; Debian's 1.6.8 reads all others, with the ring buffer of 1.6.9."""
DEFAULT: Final[Version] = (1, 7, 2)
"""The version that judges by default."""


def _decimal_or_hex(raw: bytes, base: int, parse: Callable[[bytes, int], ParsedNumber] = strtol) -> ParsedNumber:
    """Parse as decimal and, if characters are left, again as hexadecimal."""
    number = parse(raw, base)
    return parse(raw, 16) if number.rest else number


def _base_of(raw: bytes) -> str:
    return "base 16, because it is not entirely decimal" if strtol(raw, 10).rest else "base 10"


def _refused(*values: int) -> Callable[[bytes, ParsedNumber], str]:
    """Return the problem of numbers with characters after them, and of these values."""
    return lambda _, number: _REFUSED if number.rest or number.value in values else ""


def _marked(raw: bytes, number: ParsedNumber) -> str:
    return _refused(LONG_MAX)(raw, number) or _MARKS.get(number.value, "")


def _no_page_size(raw: bytes, number: ParsedNumber) -> str:
    fine = number.value > 0 and not number.value & (number.value - 1)
    return _refused(0, LONG_MAX)(raw, number) or ("" if fine else "not a power of two: makedumpfile refuses the text")


def _as_release(raw: bytes) -> Value:
    kept = raw[:_RELEASE_ROOM]
    return kept_text(kept, "text", "" if kept == raw else f"cut to {_RELEASE_ROOM} bytes")


_as_symbol: Final = number_form(16, _refused(0, ULONG_MAX))
_as_long: Final = number_form(10, _marked, parse=_decimal_or_hex, how=_base_of)
_ALL: Final = (*_FIRST, _COUNT, *_MIDDLE, *_OF_RINGBUFFER, *_OF_PRINTK_LOG, *_OF_LOG, *_LAST)
KEYS: Final[Mapping[bytes, Form]] = {
    _OSRELEASE: _as_release,
    _PAGESIZE: number_form(10, _no_page_size, parse=strtol),
    _CRASHTIME: number_form(10, _refused(0, LONG_MAX), parse=strtol),
    # By prefix, `y` included.
    b"CONFIG_X86_PAE": presence,
    b"CONFIG_PGTABLE_3": presence,
    b"CONFIG_PGTABLE_4": presence,
    b"SRCFILE(pud_t)": as_text,
    # arch/x86_64.c get_kaslr_offset_x86_64, with -x VMLINUX only.
    b"KERNELOFFSET": number_form(16, lambda *_: "", how=lambda _: "base 16, only with a vmlinux"),
    **{key: _as_symbol if key.startswith(b"SYMBOL") else _as_long for key in _ALL},
    # read_vmcoreinfo_ulong
    _VMALLOC_START: number_form(10, _refused(LONG_MAX), parse=partial(_decimal_or_hex, parse=strtoull), how=_base_of),
}


class TextComplaint(NamedTuple):
    """What it complains about in a text, and then gives it up."""

    rule: str
    words: str
    line: bytes | None = None
    """None: a line that the text lacks."""
    since: Version = ()
    """The first version that reads its key; (): all that are known."""


class BasicInfo(NamedTuple):
    """The results of the first pass over the text, up to its first complaint."""

    release: bytes | None
    """The first one that is not empty, in full, as printed; None if there is no such line."""
    page_size: int | None
    complaint: TextComplaint | None


def _invalid_data(rule: str, function: str, line: bytes, since: Version = ()) -> TextComplaint:
    words = f"{function}: Invalid data in {TEMPORARY}: {os.fsdecode(line)}"
    if line.endswith(b"\r") and since <= DEFAULT:
        return TextComplaint("carriage-return", words, line)
    return TextComplaint(rule, words, line, since)


class MakedumpfileText:
    """A text as makedumpfile reads it."""

    def __init__(self, text: bytes) -> None:
        self.raw = text

    @cached_property
    def lines(self) -> list[bytes]:
        return fgets_lines(self.raw, LINE_ROOM)

    @cached_property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        return pairs(self.lines)

    @cached_property
    def first(self) -> dict[bytes, bytes]:
        """Each key with its first value, the one that counts for all except the basic keys."""
        return first_values(self.lines)

    @cached_property
    def values(self) -> dict[bytes, bytes]:
        """Each key with the value that counts: the last one for PAGESIZE and CRASHTIME."""
        last = dict(self.pairs)
        basic = {key: last[key] for key in (_PAGESIZE, _CRASHTIME) if key in last}
        release = {_OSRELEASE: self.basic.release} if self.basic.release else {}
        return self.first | basic | release

    @cached_property
    def basic(self) -> BasicInfo:
        release, page_size = None, None
        for key, value in self.pairs:
            if key == _OSRELEASE:
                release = release or value
            if key not in (_PAGESIZE, _CRASHTIME):
                continue
            number, problem = KEYS[key](value).number, KEYS[key](value).problem
            page_size = number if key == _PAGESIZE and problem != _REFUSED else page_size
            if problem:
                bad = _invalid_data(key.decode().lower(), "read_vmcoreinfo_basic_info", key + b"=" + value)
                if problem != _REFUSED:
                    # Both on one line: the first message ends without a newline.
                    words = f"set_page_size: Invalid page_size: {page_size}{bad.words}"
                    bad = TextComplaint("pagesize-no-power-of-two", words, bad.line)
                return BasicInfo(release, page_size, bad)
        return BasicInfo(release, page_size, None)

    def _in_order(self) -> Iterator[bytes]:
        """Yield the keys in its order; which ones depends on the keys before."""
        yield from _FIRST
        if self.missing(_REFCOUNT):
            yield _COUNT
        yield from _MIDDLE
        if not self.missing(_RINGBUFFER):
            yield from _OF_RINGBUFFER
        else:
            yield from _OF_LOG if self.missing(_PRINTK_LOG) else _OF_PRINTK_LOG
        yield from _LAST

    def missing(self, key: bytes) -> bool:
        """Whether a key is missing, or has the number that means so."""
        raw = self.first.get(key)
        return raw is None or (not key.startswith(b"SYMBOL") and _as_long(raw).number == -1)

    def _later(self) -> Iterator[TextComplaint]:
        """Yield what stops it after the first pass: the first bad value in the order of the keys that a version reads.

        One for each version that stops earlier than those before it, the newest first.
        """
        newest: Version | None = None
        for key in self._in_order():
            raw, since = self.first.get(key), SINCE.get(key, ())
            if raw is None or (newest is not None and since >= newest):
                continue
            line, value = key + b"=" + raw, KEYS[key](raw)
            if value.problem == _REFUSED:
                kind = "symbol" if key.startswith(b"SYMBOL") else "ulong" if key == _VMALLOC_START else "long"
                rule = "symbol" if kind == "symbol" else "number"
                yield _invalid_data(rule, f"read_vmcoreinfo_{kind}", line, since)
                newest = since
            elif value.number == -3 and since <= DEFAULT:  # a symbol is never negative
                yield TextComplaint("silent-number", "makedumpfile Failed.", line)
                newest = since

    @cached_property
    def complaints(self) -> tuple[TextComplaint, ...]:
        """Its complaints about a value, and about required keys that the text lacks."""
        release, page_size, bad = self.basic
        lacks = ("no-release" if release is None else "", "no-pagesize" if page_size is None else "")
        missing = [TextComplaint(rule, NO_FORMAT) for rule in lacks if rule and bad is None]
        first = [bad] if bad else missing
        # A line that ends with CR LF has a rule of its own, for the first complaint of all.
        later = [each for each in self._later() if not (first and each.rule == "carriage-return")]
        return (*first, *later)


def lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return the keys of a text, each with the value that counts for makedumpfile."""
    return MakedumpfileText(text).values
