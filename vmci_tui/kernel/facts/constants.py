"""Lines that all kernels of some versions of Linux have alike: members whose place no configuration changes.

They are used for kernels without types. Source: include/linux/{types,list,mmzone,mm_types,page-flags,vmalloc}.h and
arch/powerpc/include/asm of Linux 5.10 to 7.2; held to notes of 5.10, 6.1, 6.12 and 7.2 on seven machines.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.kernel.facts.running_kernel import Fact, RunningKernel

_FIRST, _LAST = (5, 10), (7, 2)
_OLD: Final = frozenset({(5, 10), (6, 1)})
_NEW: Final = frozenset({(6, 12), (7, 2)})
"""Versions of Linux with the older and with the newer numbers. Those of 5.14 or 6.8 may be either: distributions take
changes of the pages' flags into older versions."""
_PAIRS_AT_4: Final = ("i386",)
"""Machines on which a number of 8 bytes is at a multiple of 4."""
_NO_GAP: Final = (5, 13)
"""The version from which on `struct page` of arm has no gap after its flags, whatever the configuration (9ddb3c14afba);
5.10.38 has that change too, but a release need not say 38."""


class _Row(NamedTuple):
    words: int = 0
    """Words, of an unsigned long."""
    plus: int = 0
    """Bytes, or the number that a NUMBER line has."""
    versions: frozenset[tuple[int, int]] = frozenset()
    """Those that have it; if there are none, all from the first to the last whose notes were compared."""


_ROWS: Final[dict[bytes, tuple[_Row, ...]]] = {
    b"SIZE(list_head)": (_Row(2),),
    b"OFFSET(list_head.next)": (_Row(),),
    b"OFFSET(list_head.prev)": (_Row(1),),
    b"OFFSET(free_area.free_list)": (_Row(),),
    b"OFFSET(pglist_data.node_zones)": (_Row(),),
    b"OFFSET(mem_section.section_mem_map)": (_Row(),),
    b"OFFSET(vmap_area.va_start)": (_Row(),),
    b"OFFSET(vmap_area.list)": (_Row(5),),
    b"OFFSET(page.flags)": (_Row(),),
    b"OFFSET(page.lru)": (_Row(1),),
    b"OFFSET(page.compound_head)": (_Row(1),),
    b"OFFSET(page.compound_info)": (_Row(1),),
    b"OFFSET(page.compound_dtor)": (_Row(2, 0, _OLD),),
    b"OFFSET(page.compound_order)": (_Row(2, 1, _OLD),),
    b"OFFSET(page.mapping)": (_Row(3),),
    b"OFFSET(page.private)": (_Row(5),),
    b"OFFSET(page._mapcount)": (_Row(6),),
    b"OFFSET(page._refcount)": (_Row(6, 4),),
    b"OFFSET(vmemmap_backing.list)": (_Row(),),
    b"OFFSET(vmemmap_backing.phys)": (_Row(1),),
    b"OFFSET(vmemmap_backing.virt_addr)": (_Row(2),),
    b"SIZE(vmemmap_backing)": (_Row(3),),
    b"OFFSET(mmu_psize_def.shift)": (_Row(),),
    b"NUMBER(NR_FREE_PAGES)": (_Row(),),
    b"NUMBER(HUGETLB_PAGE_DTOR)": (_Row(0, 2, _OLD),),
    b"NUMBER(PG_lru)": (_Row(0, 4, _OLD), _Row(0, 5, _NEW)),
    b"NUMBER(PG_slab)": (_Row(0, 9, _OLD),),
    b"NUMBER(PG_swapcache)": (_Row(0, 10, _OLD | _NEW),),
    b"NUMBER(PG_private)": (_Row(0, 13, _OLD), _Row(0, 14, _NEW)),
    b"NUMBER(PG_swapbacked)": (_Row(0, 19, _OLD), _Row(0, 17, _NEW)),
    b"NUMBER(PG_head_mask)": (_Row(0, 1 << 16, _OLD), _Row(0, 1 << 6, _NEW)),
    b"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)": (_Row(0, -0x10000000, _NEW),),
    b"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)": (_Row(0, -0xF000000, _NEW),),
    b"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)": (_Row(0, -0xC000000, _NEW),),
    b"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)": (_Row(0, -0xB000000, _NEW),),
}
"""The numbers of a key, by versions."""


def constant_of(kernel: RunningKernel, key: bytes) -> Fact | None:
    """Return what a line has in all kernels of this version, for a kernel without types; None if nothing is known."""
    version = kernel.version
    if kernel.types is not None or version is None:
        return None
    if kernel.machine == "arm" and version < _NO_GAP and _is_after_flags(key):
        return None
    for row in (*_ROWS.get(key, ()), *_latched(kernel, key)):
        if version in row.versions or (not row.versions and _FIRST <= version <= _LAST):
            return Fact(row.words * kernel.pointer_size + row.plus, "a constant of Linux of this version")
    return None


def _is_after_flags(key: bytes) -> bool:
    return key.startswith(b"OFFSET(page.") and key != b"OFFSET(page.flags)"


def _latched(kernel: RunningKernel, key: bytes) -> tuple[_Row, ...]:
    """Return the row of `struct latched_seq` (kernel/printk/printk.c): a count of 4 bytes, then two numbers of 8.

    With lock debugging the count is longer; such kernels have CONFIG_KALLSYMS_ALL.
    """
    numbers = 4 if kernel.machine in _PAIRS_AT_4 else 8
    sizes = {b"OFFSET(latched_seq.val)": numbers, b"SIZE(latched_seq)": numbers + 16}
    return (_Row(0, sizes[key]),) if key in sizes and not kernel.symbols(b"linux_banner") else ()
