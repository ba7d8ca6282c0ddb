"""How libkdumpfile's addrxlat sets up the translation of a Linux kernel's virtual addresses.

One function for each machine, after the file of its name in src/addrxlat. Linear ranges of the
kernel are used if the page tables are reached through them; if both lead to the same page,
only the page tables are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.readers.libkdumpfile.addrxlat import page_tables as tables
from vmci_tui.readers.libkdumpfile.addrxlat.page_tables import Tables
from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.libkdumpfile.memory import Corrupt, DumpMemory, Missing, Space, Untranslated
from vmci_tui.readers.libkdumpfile.vmcoreinfo import version_code

_TOP: Final = 1 << 64
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

    def value(self, key: bytes) -> int:
        """Return a number of the text. Raises Missing if the text lacks it."""
        if key not in self.values:
            raise Missing("Number attribute not found")
        return self.values[key]

    def symbol(self, name: bytes) -> int:
        return self.value(b"SYMBOL(%b)" % name)

    def number(self, name: bytes) -> int:
        return self.value(b"NUMBER(%b)" % name)

    def offset(self, name: bytes) -> int:
        return self.value(b"OFFSET(%b)" % name)

    def word(self, address: int, width: int) -> int:
        """Read a number at a virtual address."""
        return int.from_bytes(self.memory.word("virtual", address % _TOP, width), self.order)


@dataclass
class AddressMap:
    """Linear ranges (first, last, offset), the page tables for other addresses, the highest physical address."""

    linear: list[tuple[int, int, int]] = field(default_factory=list)
    tables: Tables | None = None
    physical_bits: int = 52


class Translation:
    """Translates virtual addresses to physical ones; set up at the first use."""

    def __init__(self, kernel: KernelFacts) -> None:
        self._kernel = kernel
        self._maps = AddressMap()
        self._made = False
        self._inside: set[int] = set()
        kernel.memory.translate = self

    def make(self) -> None:
        """Set up the maps; a failed attempt is not repeated. Raises Missing and Untranslated."""
        if self._made:
            return
        self._made = True
        setup = _MACHINES.get(self._kernel.arch)
        if setup is None:
            raise Untranslated("Unsupported architecture")
        setup(self._kernel, self._maps)

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
        if found >> self._maps.physical_bits:
            raise Untranslated("No way to translate")
        return found

    def _physical(self, address: int) -> int:
        for first, last, offset in reversed(self._maps.linear):
            if first <= address <= last:
                return (address + offset) % _TOP
        if self._maps.tables is None:
            raise Untranslated("No way to translate")
        return self._maps.tables.walk(self._kernel.memory, self._kernel.order, address)


def _x86_64(k: KernelFacts, maps: AddressMap) -> None:
    version = version_code(k.release or b"")
    if k.control is not None:
        levels = 6 if k.control[1] >> 12 & 1 else 5
    elif b"NUMBER(pgtable_l5_enabled)" in k.values:
        levels = 6 if k.number(b"pgtable_l5_enabled") else 5
    elif b"SYMBOL(_stext)" in k.values or (version is not None and version < 4 << 16 | 13 << 8):
        levels = 5
    else:
        raise Missing("Cannot determine 5-level paging")
    mask = k.values.get(b"NUMBER(sme_mask)", 0)
    root = None if k.control is None else _by_cr3(k, k.control[0])
    space: Space = "physical"
    if root is None:
        names = (b"swapper_pg_dir", b"init_top_pgt", b"init_level4_pgt")
        root, space = next((k.symbol(n) & ~0xFFF for n in names if b"SYMBOL(%b)" % n in k.values), None), "virtual"
    maps.tables = Tables((12, 9, 9, 9, 9, 9)[:levels], tables.x86_64, root, space, "signed", mask=mask)
    base = k.values.get(b"NUMBER(phys_base)")
    if base is not None and root is not None and space == "virtual":
        maps.linear.append((root, root + 0xFFF, (base - _KTEXT) % _TOP))


def _by_cr3(k: KernelFacts, cr3: int) -> int | None:
    """Return the root of the page tables; None if it may be a process's half of a pair without the kernel's."""
    root = cr3 & ~0xFFF
    if not root >> 12 & 1:
        return root
    try:
        k.memory.page("physical", root & ~0x1000)
    except Missing:
        return None
    return root & ~0x1000


def _aarch64(k: KernelFacts, maps: AddressMap) -> None:
    shift = k.memory.page_size.bit_length() - 1
    if shift < 0:
        raise Missing("Cannot determine page size")
    if b"NUMBER(TCR_EL1_T1SZ)" in k.values:
        bits = (64 - k.number(b"TCR_EL1_T1SZ")) % _TOP
    else:
        bits = k.number(b"VA_BITS")
    if not max(16, shift + 1) <= bits <= 52:
        raise Untranslated(f"{bits}-bit virtual addresses not implemented")
    fields = _aarch64_fields(shift, bits)
    by_virtual = Tables(fields, tables.aarch64, k.symbol(b"swapper_pg_dir"), lowest=_TOP - (1 << bits))
    _set_root(k, maps, by_virtual, b"kimage_voffset")


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


def _riscv64(k: KernelFacts, maps: AddressMap) -> None:
    levels = {39: 4, 48: 5, 57: 6}.get(k.number(b"VA_BITS"))
    if levels is None:
        raise Untranslated("bits of virtual addresses not implemented")
    maps.physical_bits = 56
    by_virtual = Tables((12, 9, 9, 9, 9, 9)[:levels], tables.riscv64, k.symbol(b"swapper_pg_dir"), check="signed")
    _set_root(k, maps, by_virtual, b"va_kernel_pa_offset")


def _set_root(k: KernelFacts, maps: AddressMap, by_virtual: Tables, offset: bytes) -> None:
    """Set the root: swapper_pg_dir by its virtual address if readable, else by the offset of the kernel's image."""
    maps.tables = by_virtual
    assert by_virtual.root is not None
    if not _readable(k, by_virtual.root):
        maps.tables = replace(by_virtual, root=(by_virtual.root - k.number(offset)) % _TOP, space="physical")


def _readable(k: KernelFacts, address: int) -> bool:
    try:
        k.word(address, 1)
    except (Missing, Untranslated):
        return False
    return True


def _ia32(k: KernelFacts, maps: AddressMap) -> None:
    root = k.values.get(b"SYMBOL(swapper_pg_dir)")
    if k.pae:
        final = Tables((12, 9, 9, 2), tables.ia32_pae, root, check="unsigned")
    else:
        final = Tables((12, 10, 10), tables.ia32, root, check="unsigned", width=4)
        maps.physical_bits = 32
    # Map the whole upper gigabyte for now, to read where vmalloc begins.
    maps.linear.append((_IA32_DIRECT, 0xFFFFFFFF, -_IA32_DIRECT))
    try:
        start = _vmalloc_start(k)
    except Missing:
        maps.linear.clear()
        maps.tables = final
        return
    if start <= _IA32_DIRECT:
        raise Untranslated(f"Invalid VMALLOC start: {start:x}")
    maps.linear[:] = [(_IA32_DIRECT, start - 1, -_IA32_DIRECT)]
    maps.tables = final


def _vmalloc_start(k: KernelFacts) -> int:
    try:
        head = k.symbol(b"vmap_area_list")
        start, links, following = (k.offset(n) for n in (b"vmap_area.va_start", b"vmap_area.list", b"list_head.next"))
        return k.word(k.word(head + following, 4) - links + start, 4)
    except Missing:
        head, member = k.symbol(b"vmlist"), k.offset(b"vm_struct.addr")
        return k.word(k.word(head, 4) + member, 4)


def _arm(k: KernelFacts, maps: AddressMap) -> None:
    maps.physical_bits = 40
    maps.tables = Tables((12, 8, 12), tables.arm, k.symbol(b"swapper_pg_dir"), width=4)
    base = k.values.get(b"NUMBER(phys_base)")
    if k.symbol(b"swapper_pg_dir") >> 32:
        maps.tables = None  # not an address of this machine: no map translates it, so the tables are never read
        return
    if not _readable(k, k.symbol(b"swapper_pg_dir")) and base is not None:
        off = (base - (k.symbol(b"_stext") & ~_ARM_BASE_MASK)) % _TOP
        root = k.symbol(b"swapper_pg_dir")
        maps.linear.append((root, root + 0x3FFF, off))


def _ppc64(k: KernelFacts, maps: AddressMap) -> None:
    if k.memory.page_size != 1 << 16:
        raise Untranslated("Unsupported page shift")
    maps.physical_bits = 50
    maps.linear.append((0xC000000000000000, 0xCFFFFFFFFFFFFFFF, -0xC000000000000000))
    try:
        at, links = k.symbol(b"vmemmap_list"), k.offset(b"vmemmap_backing.list")
        places = k.offset(b"vmemmap_backing.phys"), k.offset(b"vmemmap_backing.virt_addr")
        element, count = k.word(at, 8), 0
        while element and count < _LIST_LIMIT:
            for member in places:
                k.word(element + member, 8)
            element, count = k.word(element + links, 8), count + 1
    except Missing:
        return


def _s390x(k: KernelFacts, maps: AddressMap) -> None:
    maps.physical_bits = 64
    try:
        root = k.symbol(b"swapper_pg_dir")
        bits = _s390x_bits(k, root)
    except Missing:
        return
    maps.tables = Tables((12, 8, 11, 11, 11, 11)[: 2 + (bits - 20) // 11], tables.s390x, root, "physical", "unsigned")


def _s390x_bits(k: KernelFacts, root: int) -> int:
    """Return the number of address bits, by the type of the first table that the root leads to."""
    for at in range(root, root + 2048 * 8, 8):
        try:
            entry = int.from_bytes(k.memory.word("physical", at, 8), k.order)
        except Corrupt as failed:
            raise Corrupt(f"Cannot read 64-bit page table at KPHYSADDR:{at:#x}: {failed}") from None
        if not entry >> 5 & 1:
            return 20 + 11 * ((entry >> 2 & 3) + 1)
    raise Untranslated("Empty top-level page table")


_MACHINES: Final[Mapping[str, Callable[[KernelFacts, AddressMap], None]]] = {
    "x86_64": _x86_64,
    "ia32": _ia32,
    "aarch64": _aarch64,
    "arm": _arm,
    "riscv64": _riscv64,
    "ppc64": _ppc64,
    "s390x": _s390x,
}
