"""How libkdumpfile's addrxlat sets up the translation of a Linux kernel's virtual addresses.

One function for each machine, after the file of its name in src/addrxlat. Linear ranges of the
kernel are used if the page tables are reached through them; if both lead to the same page,
only the page tables are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.proof.paging.arm import arm_tables
from vmci_tui.proof.paging.x86 import long_mode_tables, protected_mode_tables
from vmci_tui.readers.libkdumpfile.addrxlat import page_tables as tables
from vmci_tui.readers.libkdumpfile.addrxlat.page_tables import Tables
from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.libkdumpfile.memory import Corrupt, DumpMemory, Missing, Space, Untranslated
from vmci_tui.readers.libkdumpfile.vmcoreinfo import version_code

_TOP: Final = 1 << 64
_PHYSICAL: Final[Space] = "physical"
_KTEXT: Final = 0xFFFFFFFF80000000
_IA32_DIRECT: Final = 0xC0000000
_ARM_BASE_MASK: Final = (1 << 25) - 1
_LIST_LIMIT: Final = 1 << 16
_FIELDS_LIMIT: Final = 10
"""Fields of an address: there is room for 8, two more fall into a gap, and even more kill (all observed)."""


@dataclass
class KernelFacts:
    """The numbers of the text about the kernel, and its memory."""

    arch: str
    order: ByteOrder
    memory: DumpMemory
    values: Mapping[bytes, int]
    """The keys of vmcoreinfo.BASES."""
    release: bytes | None
    pae: bool = False
    control: tuple[int, int] | None = None
    """CR3 and CR4 of the first CPU, from QEMU's note."""

    def __getitem__(self, key: bytes) -> int:
        """Return a number of the text. Raises Missing if the text lacks it."""
        if key not in self.values:
            raise Missing("Number attribute not found")
        return self.values[key]

    def word(self, address: int, width: int) -> int:
        """Read a number at a virtual address."""
        return int.from_bytes(self.memory.word("virtual", address % _TOP, width), self.order)

    def reads(self, address: int) -> bool:
        """Whether the byte at a virtual address can be read."""
        try:
            self.word(address, 1)
        except (Missing, Untranslated):
            return False
        return True


class Translation:
    """Translates virtual addresses to physical ones; set up at the first use."""

    def __init__(self, kernel: KernelFacts) -> None:
        self._kernel = kernel
        self.linear: list[tuple[int, int, int]] = []
        """Ranges: first and last virtual address, and the distance to the physical one."""
        self.tables: Tables | None = None
        """For other addresses."""
        self.physical_bits = 52
        self._made = False
        self._inside: set[int] = set()

    def make(self) -> None:
        """Set up ranges and tables; a failed attempt is not repeated. Raises Missing and Untranslated."""
        if self._made:
            return
        self._made = True
        setup = _MACHINES.get(self._kernel.arch)
        if setup is None:
            raise Untranslated("Unsupported architecture")
        setup(self._kernel, self)

    def __call__(self, address: int) -> int:
        self.make()
        if address in self._inside:
            raise Untranslated("Infinite recursion loop")
        self._inside.add(address)
        try:
            found = self._physical(address)
        except Missing as failed:
            raise Untranslated(f"No way to translate: {failed}") from None
        finally:
            self._inside.discard(address)
        if found >> self.physical_bits:
            raise Untranslated("No way to translate")
        return found

    def _physical(self, address: int) -> int:
        for first, last, offset in reversed(self.linear):
            if first <= address <= last:
                return (address + offset) % _TOP
        if self.tables is None:
            raise Untranslated("No way to translate")
        return self.tables.walk(self._kernel.memory, self._kernel.order, address)


def _x86_64(k: KernelFacts, maps: Translation) -> None:
    version = version_code(k.release or b"")
    if k.control is not None:
        five = bool(k.control[1] >> 12 & 1)
    elif b"NUMBER(pgtable_l5_enabled)" in k.values:
        five = k[b"NUMBER(pgtable_l5_enabled)"] != 0
    elif b"SYMBOL(_stext)" in k.values or (version is not None and version < 4 << 16 | 13 << 8):
        five = False
    else:
        raise Missing("Cannot determine 5-level paging")
    root, space = None if k.control is None else _by_cr3(k, k.control[0]), _PHYSICAL
    if root is None:
        names = (b"SYMBOL(swapper_pg_dir)", b"SYMBOL(init_top_pgt)", b"SYMBOL(init_level4_pgt)")
        root, space = next((k[name] & ~0xFFF for name in names if name in k.values), None), "virtual"
    mask, base = k.values.get(b"NUMBER(sme_mask)", 0), k.values.get(b"NUMBER(phys_base)")
    maps.tables = Tables(long_mode_tables(five), root, space, "signed", mask)
    if base is not None and root is not None and space == "virtual":
        maps.linear.append((root, root + 0xFFF, (base - _KTEXT) % _TOP))


def _by_cr3(k: KernelFacts, cr3: int) -> int | None:
    """Return the root of the page tables; None if it may be a process's half of a pair without the kernel's."""
    if cr3 >> 12 & 1:
        try:
            k.memory.page("physical", cr3 & ~0x1FFF)
        except Missing:
            return None
    return cr3 & ~0x1FFF


def _aarch64(k: KernelFacts, maps: Translation) -> None:
    shift = k.memory.page_size.bit_length() - 1
    if shift < 0:
        raise Missing("Cannot determine page size")
    by_processor = b"NUMBER(TCR_EL1_T1SZ)" in k.values
    bits = (64 - k[b"NUMBER(TCR_EL1_T1SZ)"]) % _TOP if by_processor else k[b"NUMBER(VA_BITS)"]
    if not max(16, shift + 1) <= bits <= 52:
        raise Untranslated(f"{bits}-bit virtual addresses not implemented")
    paging = tables.aarch64(_aarch64_fields(shift, bits))
    by_virtual = Tables(paging, k[b"SYMBOL(swapper_pg_dir)"], lowest=_TOP - (1 << bits))
    _set_root(k, maps, by_virtual, b"NUMBER(kimage_voffset)")


def _aarch64_fields(shift: int, bits: int) -> tuple[int, ...]:
    """Return the fields of an address as init_pgt_meth counts them: unsigned, so a table may have any size.

    Raises Stopped if it never ends (pages of 8 bytes hold one entry), or if there are too many fields.
    """
    if shift == 3:
        raise Stopped("page-size-too-small", "never ends")
    fields, left, size = [], bits, shift
    while left > 0:
        fields.append(size)
        left -= size
        size = left if shift < 3 else min(shift - 3, left)
    if len(fields) > _FIELDS_LIMIT:
        raise Stopped("page-size-too-small", "killed by SIGSEGV")
    return tuple(fields)


def _riscv64(k: KernelFacts, maps: Translation) -> None:
    bits = k[b"NUMBER(VA_BITS)"]
    if bits not in (39, 48, 57):
        raise Untranslated("bits of virtual addresses not implemented")
    maps.physical_bits = 56
    by_virtual = Tables(tables.riscv64(bits), k[b"SYMBOL(swapper_pg_dir)"], check="signed")
    _set_root(k, maps, by_virtual, b"NUMBER(va_kernel_pa_offset)")


def _set_root(k: KernelFacts, maps: Translation, by_virtual: Tables, offset: bytes) -> None:
    """Set the root: swapper_pg_dir by its virtual address if readable, else by the offset of the kernel's image."""
    maps.tables, root = by_virtual, by_virtual.root
    if root is not None and not k.reads(root):
        maps.tables = replace(by_virtual, root=(root - k[offset]) % _TOP, space=_PHYSICAL)


def _ia32(k: KernelFacts, maps: Translation) -> None:
    if not k.pae:
        maps.physical_bits = 32
    # Map the whole upper gigabyte for now, to read where vmalloc begins.
    maps.linear.append((_IA32_DIRECT, 0xFFFFFFFF, -_IA32_DIRECT))
    try:
        start = _vmalloc_start(k)
    except Missing:
        maps.linear.clear()
    else:
        if start <= _IA32_DIRECT:
            raise Untranslated(f"Invalid VMALLOC start: {start:x}")
        maps.linear[:] = [(_IA32_DIRECT, start - 1, -_IA32_DIRECT)]
    maps.tables = Tables(protected_mode_tables(k.pae), k.values.get(b"SYMBOL(swapper_pg_dir)"), check="unsigned")


def _vmalloc_start(k: KernelFacts) -> int:
    try:
        head = k[b"SYMBOL(vmap_area_list)"]
        start, links = k[b"OFFSET(vmap_area.va_start)"], k[b"OFFSET(vmap_area.list)"]
        return k.word(k.word(head + k[b"OFFSET(list_head.next)"], 4) - links + start, 4)
    except Missing:
        head, member = k[b"SYMBOL(vmlist)"], k[b"OFFSET(vm_struct.addr)"]
        return k.word(k.word(head, 4) + member, 4)


def _arm(k: KernelFacts, maps: Translation) -> None:
    maps.physical_bits = 40
    root, base = k[b"SYMBOL(swapper_pg_dir)"], k.values.get(b"NUMBER(phys_base)")
    if root >> 32:
        return  # not an address of this machine: no map translates it, so the tables are never read
    maps.tables = Tables(arm_tables(False, k.order), root)
    if not k.reads(root) and base is not None:
        maps.linear.append((root, root + 0x3FFF, (base - (k[b"SYMBOL(_stext)"] & ~_ARM_BASE_MASK)) % _TOP))


def _ppc64(k: KernelFacts, maps: Translation) -> None:
    if k.memory.page_size != 1 << 16:
        raise Untranslated("Unsupported page shift")
    maps.physical_bits = 50
    maps.linear.append((0xC000000000000000, 0xCFFFFFFFFFFFFFFF, -0xC000000000000000))
    try:
        at, links = k[b"SYMBOL(vmemmap_list)"], k[b"OFFSET(vmemmap_backing.list)"]
        places = k[b"OFFSET(vmemmap_backing.phys)"], k[b"OFFSET(vmemmap_backing.virt_addr)"]
        element, count = k.word(at, 8), 0
        while element and count < _LIST_LIMIT:
            for member in places:
                k.word(element + member, 8)
            element, count = k.word(element + links, 8), count + 1
    except Missing:
        return


def _s390x(k: KernelFacts, maps: Translation) -> None:
    maps.physical_bits = 64
    try:
        root = k[b"SYMBOL(swapper_pg_dir)"]
        kind = _s390x_kind(k, root)
    except Missing:
        return
    maps.tables = Tables(tables.s390x(kind), root, _PHYSICAL, "unsigned")


def _s390x_kind(k: KernelFacts, root: int) -> int:
    """Return the type of the first table that the root leads to: 3 with five levels, 0 with two."""
    for at in range(root, root + 2048 * 8, 8):
        try:
            entry = int.from_bytes(k.memory.word("physical", at, 8), k.order)
        except Corrupt as failed:
            raise Corrupt(f"Cannot read 64-bit page table at KPHYSADDR:{at:#x}: {failed}") from None
        if not entry >> 5 & 1:
            return entry >> 2 & 3
    raise Untranslated("Empty top-level page table")


_MACHINES: Final[Mapping[str, Callable[[KernelFacts, Translation], None]]] = {
    "x86_64": _x86_64,
    "ia32": _ia32,
    "aarch64": _aarch64,
    "arm": _arm,
    "riscv64": _riscv64,
    "ppc64": _ppc64,
    "s390x": _s390x,
}
