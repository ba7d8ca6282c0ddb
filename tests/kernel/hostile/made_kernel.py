"""Make small kernels in memory that have all that is read of one: symbols, types, page tables, a CPU, a stack."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from tests.kernel.notes import prstatus
from tests.kernel.symbols.kallsyms_writer import Kernel, paged, shift_of, symbols, write
from tests.paths import DATA
from tests.proof.synthetic import PAGE, Ram
from vmci_tui.containers.guest import Guest
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.types.btf import Kind, read_btf
from vmci_tui.kernel.types.sections import MAGIC

_STACK: Final = 0x7000
"""Bytes from the start of the image to the stack; code is before it."""
_LINES: Final = (
    b"OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(_stext)=%x\nSYMBOL(kallsyms_names)=0\nSIZE(deep)=152\n"
    b"OFFSET(deep.list.prev)=24\nLENGTH(deep.many)=11\nNUMBER(PG_lru)=5\nSYMBOL(node_online_map)=0\n"
    b"NUMBER(phys_base)=0\nNUMBER(PG_head_mask)=65536\nBUILD-ID=00\nKERNELOFFSET=0\n"
)
FORMS: Final = {
    "x86_64": Kernel(form="per-cpu", paddr=0x2200000, base=0xFFFFFFFF81100000),
    "x86_64, 7.0": Kernel(
        form="self-relative", newer=True, sequences=True, paddr=0x2200000, base=0xFFFFFFFF81100000, align=4
    ),
    "aarch64": Kernel(newer=True, sequences=True),
    "s390x": Kernel(order="big", base=0x100000, paddr=0x800000),
    "arm": Kernel(word=4, base=0xC0208000, newer=True),
}


class Made(NamedTuple):
    """A kernel in memory."""

    ram: Ram
    machine: str
    notes: tuple[Note, ...]
    text: Vmcoreinfo

    def guest(self, pages: dict[int, bytearray]) -> Guest:
        """Return the guest with other pages."""
        ram = Ram(self.ram.order)
        ram.pages = pages
        return ram.guest(self.machine)._replace(notes=self.notes)


def made(name: str) -> Made:
    """Return one of FORMS."""
    kernel, ram, machine = FORMS[name], Ram(FORMS[name].order), name.partition(",")[0]
    write(ram, kernel, symbols(kernel, 2200))
    ram.put((max(ram.pages) + 1) * PAGE, _types())
    notes: tuple[Note, ...] = ()
    if machine == "x86_64":
        _, state = paged(ram, kernel)
        start = kernel.base - shift_of(kernel)
        # After each call of 5 bytes comes another one: all of these addresses may be return addresses.
        ram.put(start + 0x1000, b"\xe8\0\0\0\0" * 200)
        for number in range(60):
            ram.word(start + _STACK + 16 * number, kernel.base + 0x1005 + 5 * number)
        notes = (prstatus(machine, rip=kernel.base + 0x1005, cs=0x10, rsp=kernel.base + _STACK), state)
    return Made(ram, machine, notes, Vmcoreinfo(_LINES % kernel.base))


def _types() -> bytes:
    """Return the compiler's types and the struct list_head, by which a kernel's types are known."""
    plain = read_btf((DATA / "btf" / "types.btf").read_bytes(), "little", 8)
    types = plain.types + struct.pack("<III", len(plain.names.texts), Kind.STRUCT << 24, 16)
    texts = plain.names.texts + b"list_head\0"
    return struct.pack("<HBBIIIII", MAGIC, 1, 0, 24, 0, len(types), len(types), len(texts)) + types + texts
