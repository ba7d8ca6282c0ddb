"""Craft guest memory: pages at any address, and a small x86-64 kernel in them."""

from __future__ import annotations

from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.layers.range_table import Range, Ranges

PAGE = 4096
MAP = 0xFFFFFFFF80000000
LINK = 0x1000000
"""The offset of a kernel's text above MAP, unless KASLR moves it."""


class Ram:
    """Guest memory whose pages are made when they are written to."""

    def __init__(self, order: ByteOrder = "little") -> None:
        self.order: ByteOrder = order
        self.pages: dict[int, bytearray] = {}

    def put(self, paddr: int, data: bytes) -> None:
        for at, byte in enumerate(data, paddr):
            self.pages.setdefault(at // PAGE, bytearray(PAGE))[at % PAGE] = byte

    def word(self, paddr: int, value: int, size: int = 8) -> None:
        self.put(paddr, value.to_bytes(size, self.order))

    def guest(self, machine: str | None = "x86_64") -> Guest:
        data, ranges = bytearray(), []
        for number in sorted(self.pages):
            ranges.append(Range(number * PAGE, PAGE, len(data)))
            data += self.pages[number]
        return Guest(BytesSource(bytes(data)), Memory(Ranges(ranges)), machine, 64, self.order)

    def kernel(self, base: int, slide: int = 0, release: bytes = b"6.1.0-test") -> Vmcoreinfo:
        """Write utsname and page tables of an x86-64 kernel at phys_base `base`, moved by `slide`; return its text."""
        start = LINK + slide
        root, name = start + 0x400000, start + 0x5FB000
        tables = [base + root + PAGE * number for number in range(3)]
        self.word(tables[0] + 511 * 8, tables[1] | 0x63)
        self.word(tables[1] + 510 * 8, tables[2] | 0x63)
        for part in range(4):
            self.word(tables[2] + (start // 0x200000 + part) * 8, base + start + part * 0x200000 | 0x1E3)
        self.put(base + name, uts(release))
        return Vmcoreinfo(
            b"OSRELEASE=%s\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%x\nOFFSET(uts_namespace.name)=0\n"
            b"SYMBOL(swapper_pg_dir)=%x\nSYMBOL(_stext)=%x\nNUMBER(phys_base)=%d\nNUMBER(pgtable_l5_enabled)=0\n"
            b"KERNELOFFSET=%x\n" % (release, MAP + name, MAP + root, MAP + start, base, slide)
        )


def uts(release: bytes = b"6.1.0-test", machine: bytes = b"x86_64", version: bytes = b"#1 SMP") -> bytes:
    return b"".join(value.ljust(65, b"\0") for value in (b"Linux", b"host", release, version, machine, b"(none)"))
