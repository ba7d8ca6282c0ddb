"""The vmcoreinfo text as makedumpfile reads it: the lines, the keys in its order, its complaints.

All after makedumpfile 1.7.2, makedumpfile.c: read_vmcoreinfo_basic_info, read_vmcoreinfo
and read_vmcoreinfo_symbol/_long, as the x86-64 build has them. The text is in a
temporary file by then, read by fgets into 1,500 bytes, once for each key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.readers.rule import Form, Value
from vmci_tui.readers.shared.c_numbers import (
    LONG_MAX,
    ULONG_MAX,
    ParsedNumber,
    as_text,
    presence,
    shown_decimal,
    shown_hex,
    strtol,
    strtoull,
)

LINE_LIMIT: Final = 1499
"""Bytes of a line, newline included, that one fgets reads; the rest counts as the next line."""
RELEASE_LIMIT: Final = 64
TEMPORARY: Final = "/tmp/vmcoreinfoXXXXXX"
"""The name of the text in messages: FILENAME_VMCOREINFO, whose X mkstemp replaces."""
_CHUNK = re.compile(rb"[^\n]{0,%d}\n|[^\n]{1,%d}" % (LINE_LIMIT - 1, LINE_LIMIT))
_OSRELEASE, _PAGESIZE, _CRASHTIME = b"OSRELEASE=", b"PAGESIZE=", b"CRASHTIME="


def _keys(form: str, names: str) -> tuple[bytes, ...]:
    return tuple(f"{form}({name})".encode() for name in names.split())


_REFCOUNT, _COUNT = b"OFFSET(page._refcount)", b"OFFSET(page._count)"
_RINGBUFFER, _PRINTK_LOG = b"SIZE(printk_ringbuffer)", b"SIZE(printk_log)"
_FIRST = (
    *_keys(
        "SYMBOL",
        "mem_map vmem_map mem_section pkmap_count pkmap_count_next system_utsname init_uts_ns _stext swapper_pg_dir"
        " init_level4_pgt level4_kernel_pgt init_top_pgt vmlist vmap_area_list node_online_map node_states node_data"
        " pgdat_list contig_page_data prb clear_seq log_buf log_buf_len log_end log_first_idx clear_idx log_next_idx"
        " max_pfn high_memory node_remap_start_vaddr node_remap_end_vaddr node_remap_start_pfn vmemmap_list"
        " mmu_psize_defs mmu_vmemmap_psize cpu_pgd demote_segment_4k cur_cpu_spec free_huge_page",
    ),
    *_keys(
        "SIZE",
        "page mem_section pglist_data zone free_area list_head node_memblk_s nodemask_t pageflags vmemmap_backing"
        " mmu_psize_def",
    ),
    b"OFFSET(page.flags)",
    _REFCOUNT,
)
_MIDDLE = (
    *_keys(
        "OFFSET",
        "page.mapping page.lru page._mapcount page.private page.compound_dtor page.compound_order page.compound_head"
        " mem_section.section_mem_map pglist_data.node_zones pglist_data.nr_zones pglist_data.node_mem_map"
        " pglist_data.node_start_pfn pglist_data.node_spanned_pages pglist_data.pgdat_next zone.free_pages"
        " zone.free_area zone.vm_stat zone.spanned_pages free_area.free_list list_head.next list_head.prev"
        " node_memblk_s.start_paddr node_memblk_s.size node_memblk_s.nid vm_struct.addr vmap_area.va_start"
        " vmap_area.list vmemmap_backing.phys vmemmap_backing.virt_addr vmemmap_backing.list mmu_psize_def.shift"
        " cpu_spec.mmu_features uts_namespace.name",
    ),
    _PRINTK_LOG,
    _RINGBUFFER,
)
LOG_KEYS: Final = (
    *_keys(
        "OFFSET",
        "printk_ringbuffer.desc_ring printk_ringbuffer.text_data_ring prb_desc_ring.count_bits prb_desc_ring.descs"
        " prb_desc_ring.infos prb_desc_ring.head_id prb_desc_ring.tail_id",
    ),
    b"SIZE(prb_desc)",
    *_keys(
        "OFFSET",
        "prb_desc.state_var prb_desc.text_blk_lpos prb_data_blk_lpos.begin prb_data_blk_lpos.next"
        " prb_data_ring.size_bits prb_data_ring.data",
    ),
    b"SIZE(printk_info)",
    *_keys("OFFSET", "printk_info.ts_nsec printk_info.text_len atomic_long_t.counter"),
)
_LATCHED = (b"SIZE(latched_seq)", b"OFFSET(latched_seq.val)")
_OF_PRINTK_LOG = _keys("OFFSET", "printk_log.ts_nsec printk_log.len printk_log.text_len")
_OF_LOG = (b"SIZE(log)", *_keys("OFFSET", "log.ts_nsec log.len log.text_len"))
_LAST = (
    *_keys(
        "LENGTH",
        "node_data pgdat_list mem_section node_memblk zone.free_area free_area.free_list node_remap_start_pfn",
    ),
    *_keys(
        "NUMBER",
        "NR_FREE_PAGES N_ONLINE pgtable_l5_enabled sme_mask PG_lru PG_private PG_head_mask PG_swapcache PG_swapbacked"
        " PG_slab PG_buddy PG_hwpoison SECTION_SIZE_BITS MAX_PHYSMEM_BITS PAGE_BUDDY_MAPCOUNT_VALUE"
        " PAGE_OFFLINE_MAPCOUNT_VALUE phys_base KERNEL_IMAGE_SIZE HUGETLB_PAGE_DTOR",
    ),
)


def _long(raw: bytes) -> ParsedNumber:
    """Parse as decimal and, if characters are left, again as hexadecimal."""
    number = strtol(raw, 10)
    return strtol(raw, 16) if number.rest else number


def symbol_is_bad(raw: bytes) -> bool:
    number = strtoull(raw, 16)
    return not number.value or number.value == ULONG_MAX or bool(number.rest)


def long_is_bad(raw: bytes) -> bool:
    number = _long(raw)
    return number.value == LONG_MAX or bool(number.rest)


def _strict_is_bad(raw: bytes) -> bool:
    """Whether makedumpfile refuses a value of PAGESIZE or CRASHTIME."""
    number = strtol(raw, 10)
    return not number.value or number.value == LONG_MAX or bool(number.rest)


def _as_symbol(raw: bytes) -> Value:
    number = strtoull(raw, 16)
    return shown_hex(
        number.value, "base 16", "Invalid data: makedumpfile refuses the text" if symbol_is_bad(raw) else ""
    )


def _as_long(raw: bytes) -> Value:
    number, how = strtol(raw, 10), "base 10"
    if number.rest:
        number, how = strtol(raw, 16), "base 16, because it is not entirely decimal"
    problem = ""
    if long_is_bad(raw):
        problem = "Invalid data: makedumpfile refuses the text"
    elif number.value == -1:
        problem = "-1 means to makedumpfile that the key is missing"
    elif number.value == -3:
        problem = "-3 is its own mark for bad data: makedumpfile gives up silently"
    return shown_decimal(number.value, how, problem)


def _as_strict(raw: bytes) -> Value:
    problem = "Invalid data: makedumpfile refuses the text" if _strict_is_bad(raw) else ""
    return shown_decimal(strtol(raw, 10).value, "base 10", problem)


def _as_page_size(raw: bytes) -> Value:
    value = _as_strict(raw)
    if value.problem or _is_page_size(value.number or 0):
        return value
    return value._replace(problem="not a power of two: makedumpfile refuses the text")


def _as_release(raw: bytes) -> Value:
    kept = raw[:RELEASE_LIMIT]
    return Value(visible(kept), None, "text", "" if kept == raw else f"cut to {RELEASE_LIMIT} bytes")


def _is_page_size(number: int) -> bool:
    return number > 0 and not number & (number - 1)


_ALL = (*_FIRST, _COUNT, *_MIDDLE, *LOG_KEYS, *_LATCHED, *_OF_PRINTK_LOG, *_OF_LOG, *_LAST)
KEYS: Final[Mapping[bytes, Form]] = {
    b"OSRELEASE": _as_release,
    b"PAGESIZE": _as_page_size,
    b"CRASHTIME": _as_strict,
    # By prefix, `y` included.
    b"CONFIG_X86_PAE": presence,
    b"CONFIG_PGTABLE_3": presence,
    b"CONFIG_PGTABLE_4": presence,
    b"SRCFILE(pud_t)": as_text,
    # arch/x86_64.c get_kaslr_offset_x86_64, with -x VMLINUX only.
    b"KERNELOFFSET": lambda raw: shown_hex(strtoull(raw, 16).value, "base 16, only with a vmlinux"),
    **{key: _as_symbol if key.startswith(b"SYMBOL") else _as_long for key in _ALL},
}


class TextComplaint(NamedTuple):
    """The reason why it gives up a text."""

    kind: str
    """`pagesize`, `not a power of two`, `crashtime`, `symbol`, `long`, or `silent`: it prints nothing."""
    line: bytes
    words: str

    @property
    def crlf(self) -> bool:
        return self.line.endswith(b"\r")


class BasicInfo(NamedTuple):
    """The results of the first pass over the text."""

    release: bytes | None
    """The first one that is not empty, in full, as printed; None if there is no such line."""
    page_size: int | None
    complaint: TextComplaint | None

    @property
    def complete(self) -> bool:
        """Whether both required keys are there."""
        return self.release is not None and self.page_size is not None


def _invalid_data(function: str, line: bytes) -> str:
    return f"{function}: Invalid data in {TEMPORARY}: {os.fsdecode(line)}"


class MakedumpfileText:
    """A text as makedumpfile reads it."""

    def __init__(self, text: bytes) -> None:
        self.raw = text

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines as fgets reads them and strlen ends them; a line that starts with a NUL ends the text."""
        plain = self.raw.split(b"\n")
        if b"\0" not in self.raw and max(map(len, plain)) < LINE_LIMIT:
            return plain
        lines = []
        for chunk in _CHUNK.findall(self.raw):
            line = chunk.partition(b"\0")[0]
            if not line:
                break
            lines.append(line.removesuffix(b"\n"))
        return lines

    @cached_property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        return [(key, value) for key, mark, value in (line.partition(b"=") for line in self.lines) if mark]

    @cached_property
    def first(self) -> dict[bytes, bytes]:
        """Each key with its first value, the one that counts for all except the basic keys."""
        return dict(reversed(self.pairs))

    @cached_property
    def values(self) -> dict[bytes, bytes]:
        """Each key with the value that counts: the last one for PAGESIZE and CRASHTIME."""
        last = dict(self.pairs)
        counts: dict[bytes, bytes] = {key: last[key] for key in (b"PAGESIZE", b"CRASHTIME") if key in last}
        if self.basic.release:
            counts[b"OSRELEASE"] = self.basic.release
        return self.first | counts

    @cached_property
    def basic(self) -> BasicInfo:
        """The results of the first pass, up to its first complaint."""
        release: bytes | None = None
        page_size: int | None = None
        for line in self.lines:
            if not line.startswith((_OSRELEASE, _PAGESIZE, _CRASHTIME)):
                continue
            key, _, value = line.partition(b"=")
            if key == b"OSRELEASE":
                release = release or value
            elif _strict_is_bad(value):
                words = _invalid_data("read_vmcoreinfo_basic_info", line)
                return BasicInfo(release, page_size, TextComplaint(key.decode().lower(), line, words))
            elif key == b"PAGESIZE":
                page_size = strtol(value, 10).value
                if not _is_page_size(page_size):
                    # Both on one line: the first message ends without a newline.
                    words = f"set_page_size: Invalid page_size: {page_size}"
                    words += _invalid_data("read_vmcoreinfo_basic_info", line)
                    return BasicInfo(release, page_size, TextComplaint("not a power of two", line, words))
        return BasicInfo(release, page_size, None)

    def _in_order(self) -> Iterator[bytes]:
        """Yield the keys in its order; which ones depends on the keys before."""
        yield from _FIRST
        if self.missing(_REFCOUNT):
            yield _COUNT
        yield from _MIDDLE
        if not self.missing(_RINGBUFFER):
            yield from LOG_KEYS
            yield from _LATCHED
        elif not self.missing(_PRINTK_LOG):
            yield from _OF_PRINTK_LOG
        else:
            yield from _OF_LOG
        yield from _LAST

    def missing(self, key: bytes) -> bool:
        """Whether a key is missing, or has the number that means so."""
        raw = self.first.get(key)
        return raw is None or (not key.startswith(b"SYMBOL") and _long(raw).value == -1)

    @cached_property
    def complaint(self) -> TextComplaint | None:
        """The complaint that stops it after the first pass: the first bad value in the order of its keys."""
        for key in self._in_order():
            raw = self.first.get(key)
            if raw is None:
                continue
            if key.startswith(b"SYMBOL"):
                if symbol_is_bad(raw):
                    return self._bad("symbol", "read_vmcoreinfo_symbol", key, raw)
            elif long_is_bad(raw):
                return self._bad("long", "read_vmcoreinfo_long", key, raw)
            elif _long(raw).value == -3:
                return TextComplaint("silent", key + b"=" + raw, "makedumpfile Failed.")
        return None

    @staticmethod
    def _bad(kind: str, function: str, key: bytes, raw: bytes) -> TextComplaint:
        line = key + b"=" + raw
        return TextComplaint(kind, line, _invalid_data(function, line))


def lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return the keys of a text, each with the value that counts for makedumpfile."""
    return MakedumpfileText(text).values
