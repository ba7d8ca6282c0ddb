"""The other lines: words, variables in memory, page tables, and constants of the kernel's version.

Source: kernel/vmcore_info.c, arch/*/kernel/vmcore_info*.c and the headers that they name, of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_note import parse_notes
from vmci_tui.kernel.facts.by_types import enumerator, offset_of
from vmci_tui.kernel.facts.rules import constant, section_roots, variable
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel
from vmci_tui.kernel.lines.by_arm64 import ARM64
from vmci_tui.kernel.lines.by_ppc64_s390x import PPC64, S390X
from vmci_tui.kernel.lines.by_riscv64 import RISCV64
from vmci_tui.kernel.lines.image_root import swapper
from vmci_tui.proof.witnesses.utsname import LENGTH, MAGIC, uts_of

_X86_64_MAP: Final = 0xFFFFFFFF80000000
"""__START_KERNEL_map."""
_X86_64_STARTS: Final = (0x1000000, 0x200000)
"""CONFIG_PHYSICAL_START: the default, and a value that some kernels were built with."""
_BOOT_MAGIC_AT, _BOOT_MAGIC, _PREF_ADDRESS_AT = 0x202, b"HdrS", 0x258
"""Within struct boot_params: a magic number of the setup header, and where the image would like to be."""
_IMAGE_AREA: Final = 1 << 30
_IMAGE_ALIGN: Final = 2 << 20
"""CONFIG_PHYSICAL_ALIGN, at least."""
_TOP: Final = 1 << 64
_SECTION_BITS: Final = 27
"""SECTION_SIZE_BITS of x86-64: sections of 128 MiB."""
_UTSNAME_LIMIT: Final = 64
"""Bytes of init_uts_ns before its utsname, at most: a reference count, since 5.11 none."""
_NOTES_LIMIT: Final = 64 << 10
_BUILD_ID: Final = 3
"""NT_GNU_BUILD_ID."""
_GNU: Final = b"GNU\0"
_BUILD_ID_LENGTH: Final = 20
"""Bytes: a SHA-1, as the linker writes it by default."""
_DATA_LIMIT: Final = 48 << 20
"""Bytes of read-only data in which the notes are looked for."""
_PAGE: Final = 4096
_ELF: Final = b"\x7fELF"
_ELF_REACH: Final = 16 << 10
"""Bytes of an ELF file before its notes, at most: those of vDSOs are in its first page."""


def _osrelease(kernel: RunningKernel) -> Finding:
    return Fact(kernel.release, "the kernel's own banner") if kernel.release else NotKnown("its banner was not read")


def _build_id(kernel: RunningKernel) -> Finding:
    """Return the build ID in the image's .notes, from __start_notes to __stop_notes where these are known."""
    start, stop = (kernel.symbols(name) for name in (b"__start_notes", b"__stop_notes"))
    if not start and not stop:
        return _only_build_id(kernel)
    if len(start) != 1 or len(stop) != 1 or not 0 < stop[0] - start[0] <= _NOTES_LIMIT:
        return NotKnown("the kernel's table of symbols does not show where the image's notes are")
    raw = kernel.read(start[0], stop[0] - start[0])
    if raw is None:
        return NotKnown("the image's notes are not in the dump")
    for note in parse_notes(raw, kernel.order):
        if note.name == _GNU and note.type == _BUILD_ID:
            return Fact(note.desc.hex().encode(), "the notes of the kernel's image")
    return NotKnown("the image's notes have no build ID")


def _only_build_id(kernel: RunningKernel) -> Finding:
    """Return the only build ID between the code and the code of boot, but those of ELF files that are there (vDSOs).

    Kernels without CONFIG_KALLSYMS_ALL have no symbol in between. .notes is there (include/asm-generic/vmlinux.lds.h).
    """
    start, stop = (kernel.symbols(name) for name in (b"_etext", b"_sinittext"))
    if len(start) != 1 or len(stop) != 1 or not 0 < stop[0] - start[0] <= _DATA_LIMIT:
        return NotKnown("the kernel's table of symbols does not show where the image's notes are")
    pages = range(start[0] // _PAGE * _PAGE, stop[0], _PAGE)
    searched = kernel.searched or kernel
    data = b"".join(searched.read(at, _PAGE) or bytes(_PAGE) for at in pages)
    words = (len(_GNU), _BUILD_ID_LENGTH, _BUILD_ID)
    head = b"".join(word.to_bytes(4, kernel.order) for word in words) + _GNU
    found: set[bytes | None] = set()
    at = data.find(head)
    while at >= 0:
        if data.rfind(_ELF, max(at - _ELF_REACH, 0), at) < 0:
            found.add(kernel.read(pages.start + at, len(head) + _BUILD_ID_LENGTH))
        at = data.find(head, at + 1)
    note = found.pop() if len(found) == 1 else None
    if note is None:
        return NotKnown("the kernel's table of symbols does not show where the image's notes are")
    return Fact(note[len(head) :].hex().encode(), "the only build ID in the image that is not of a file within it")


def _utsname_at(kernel: RunningKernel) -> Finding:
    """Return where the utsname is in init_uts_ns, by the types, else by the utsname that is there."""
    by_type, at = offset_of(kernel, b"uts_namespace.name"), kernel.symbols(b"init_uts_ns")
    if isinstance(by_type, Fact) or len(at) != 1:
        return by_type
    raw = kernel.read(at[0], _UTSNAME_LIMIT + LENGTH)
    found = -1 if raw is None else raw.find(MAGIC, 0, _UTSNAME_LIMIT)
    uts = uts_of(raw[found : found + LENGTH]) if raw is not None and found >= 0 else None
    if uts is None or uts.release != kernel.release:
        return NotKnown("the kernel has no BTF in the dump, and its utsname is not at init_uts_ns")
    return Fact(found, "the utsname at init_uts_ns")


def _phys_base(kernel: RunningKernel) -> Finding:
    value = kernel.variable(b"phys_base", signed=True)
    if value is not None:
        return Fact(value, "the variable phys_base")
    for start in kernel.symbols(b"_stext")[:1] or kernel.symbols(b"_text")[:1]:
        paddr = kernel.physical(start)
        if paddr is not None:
            return Fact(paddr - (start - _X86_64_MAP), "the page tables at _stext")
    return NotKnown("the kernel's table of symbols has neither phys_base nor _stext")


_LEVELS: Final = variable("__pgtable_l5_enabled", 4)


def _head_mask(kernel: RunningKernel) -> Finding:
    """Return `1UL << PG_head` (include/linux/page-flags.h)."""
    bit = enumerator(kernel, b"PG_head")
    if isinstance(bit, NotKnown):
        return bit
    assert isinstance(bit.value, int)
    return Fact(1 << (bit.value & 63), "the kernel's types: 1 << PG_head")


def _page_type(name: str, bit: int) -> Rule:
    """Return the rule of a page type: the macro `~PG_buddy` before 6.10, `PGTY_buddy << 24` since 6.12."""

    def found(kernel: RunningKernel) -> Finding:
        by_type = enumerator(kernel, b"PGTY_" + name.encode())
        if isinstance(by_type, Fact) and isinstance(by_type.value, int):
            return Fact(_signed(by_type.value << 24), f"the kernel's types: PGTY_{name} << 24")
        if kernel.version is not None and kernel.version < (6, 10):
            return Fact(~bit, f"a constant of Linux before 6.10: ~{bit:#x}")
        return by_type

    return found


def _signed(value: int) -> int:
    """Return an int of C with these low 32 bits."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def _kernel_offset_x86_64(kernel: RunningKernel) -> Finding:
    """Return the distance from where the image is linked: CONFIG_PHYSICAL_START, 16 MiB, or 2 MiB in few kernels."""
    starts = kernel.symbols(b"_text") or kernel.symbols(b"_stext")
    if not starts:
        return NotKnown("the kernel's table of symbols has no _text")
    linked = _linked_at(kernel)
    if linked is not None:
        return Fact((starts[0] - _X86_64_MAP - linked) % _TOP, "_text, less pref_address of boot_params")
    by_start = [(starts[0] - _X86_64_MAP - start) % _TOP for start in _X86_64_STARTS]
    return Fact(by_start[0], "_text, less the address where Linux links it", tuple(by_start[1:]))


def _linked_at(kernel: RunningKernel) -> int | None:
    """Return the physical address for which the image is linked, by the boot loader's copy of the image's header.

    Documentation/arch/x86/boot.rst: pref_address, in kernels that can move. None if that was not passed on.
    """
    variables = kernel.symbols(b"boot_params")
    head = kernel.read(variables[0] + _BOOT_MAGIC_AT, len(_BOOT_MAGIC)) if len(variables) == 1 else None
    if head != _BOOT_MAGIC:
        return None
    linked = kernel.number_at(variables[0] + _PREF_ADDRESS_AT, 8)
    return linked if linked and linked < _IMAGE_AREA and linked % _IMAGE_ALIGN == 0 else None


def _five_levels(kernel: RunningKernel) -> Finding:
    """Return pgtable_l5_enabled(): the variable, which a kernel without CONFIG_X86_5LEVEL lacks (before 6.17)."""
    found = _LEVELS(kernel)
    if isinstance(found, Fact) or kernel.version is None or kernel.version >= (6, 17):
        return found
    if kernel.symbols(b"phys_base") and not kernel.symbols(b"__pgtable_l5_enabled"):
        return Fact(0, "the table of symbols, which has no __pgtable_l5_enabled")
    return found


def _image_size(kernel: RunningKernel) -> Finding:
    """Return KERNEL_IMAGE_SIZE: 1 GiB in kernels that can move (arch/x86/include/asm/page_64_types.h)."""
    if kernel.symbols(b"kernel_randomize_memory"):
        return Fact(1 << 30, "a constant of kernels that can move, which have kernel_randomize_memory")
    offset = _kernel_offset_x86_64(kernel)
    if isinstance(offset, Fact) and offset.value and 0 not in offset.or_else:
        return Fact(1 << 30, "a constant of kernels that can move, and this one was moved")
    return NotKnown("it depends on the configuration, and this kernel is where it was linked")


def _physical_bits(kernel: RunningKernel) -> Finding:
    """Return MAX_PHYSMEM_BITS (arch/x86/include/asm/sparsemem.h)."""
    levels = _five_levels(kernel)
    if isinstance(levels, NotKnown):
        return levels
    return Fact(52 if levels.value else 46, "a constant of Linux for this number of page table levels")


def _three_levels(kernel: RunningKernel) -> Finding:
    """Return `y` for an option by which 32-bit kernels have three levels of page tables (CONFIG_X86_PAE, _ARM_LPAE).

    `__pmd_alloc` (mm/memory.c) is a function of each kernel that has the level in the middle, and of no other.
    """
    if kernel.symbols(b"__pmd_alloc"):
        return Fact(b"y", "the function __pmd_alloc, which kernels with three levels of page tables have")
    return NotKnown("the kernel's table of symbols has no __pmd_alloc: its page tables have two levels", absent=True)


_ALL: Final[dict[bytes, Rule]] = {
    b"OSRELEASE": _osrelease,
    b"BUILD-ID": _build_id,
    b"OFFSET(uts_namespace.name)": _utsname_at,
    b"NUMBER(PG_head_mask)": _head_mask,
    b"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)": _page_type("buddy", 0x80),
    b"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)": _page_type("offline", 0x100),
    b"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)": _page_type("hugetlb", 0x800),
    b"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)": _page_type("slab", 0x1000),
    b"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)": _page_type("unaccepted", 0x2000),
}
"""Rules for each machine."""
_EACH: Final[dict[str, dict[bytes, Rule]]] = {
    "x86_64": {
        b"PAGESIZE": constant(4096),
        b"NUMBER(phys_base)": _phys_base,
        b"NUMBER(sme_mask)": variable("sme_me_mask", 8),
        b"NUMBER(pgtable_l5_enabled)": _five_levels,
        b"NUMBER(KERNEL_IMAGE_SIZE)": _image_size,
        b"NUMBER(SECTION_SIZE_BITS)": constant(_SECTION_BITS),
        b"NUMBER(VMALLOC_START)": variable("vmalloc_base", 8, "0x"),
        b"LENGTH(mem_section)": section_roots(_physical_bits, constant(_SECTION_BITS), constant(4096)),
        b"NUMBER(MAX_PHYSMEM_BITS)": _physical_bits,
        b"KERNELOFFSET": _kernel_offset_x86_64,
    },
    "i386": {b"PAGESIZE": constant(4096), b"CONFIG_X86_PAE": _three_levels, b"SYMBOL(swapper_pg_dir)": swapper},
    "aarch64": ARM64,
    "arm": {b"PAGESIZE": constant(4096), b"CONFIG_ARM_LPAE": _three_levels, b"SYMBOL(swapper_pg_dir)": swapper},
    "ppc64": PPC64,
    "riscv64": RISCV64,
    "s390x": S390X,
}
"""Rules of one machine."""


def by_memory(kernel: RunningKernel, key: bytes) -> Finding | None:
    """Return what a line of this whole key should be; None if there is no rule for it."""
    rule = _EACH.get(kernel.machine, {}).get(key) or _ALL.get(key)
    return rule(kernel) if rule else None
