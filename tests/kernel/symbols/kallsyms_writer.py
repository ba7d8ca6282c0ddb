"""Write a kernel's symbol table into memory as scripts/kallsyms.c lays it out, in any of its forms.

Written from the sources of Linux 4.19, 6.1, 6.4 and 7.0, apart from the code that reads it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import accumulate
from typing import Final, NamedTuple

from tests.dumps.factory import Load, elf
from tests.kernel.notes import prstatus, qemu_state
from tests.proof.synthetic import PAGE, Ram
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.kernel.symbols.compressed_names import CompressedNames

BANNER: Final = b"Linux version 6.1.0-test (me@here) (gcc 12) #1 SMP\n\0"
_PARTS: Final = (b"sys_", b"_init", b"t_", b"Tdo_")
"""Tokens of several characters."""
_CHARACTERS: Final = frozenset(b"_\x1b[" + bytes(code for code in range(128) if chr(code).isalnum()))
"""Characters of names; those of a control sequence are no kernel's."""
_FIRST_PART: Final = 200
"""The first of their codes."""


class Kernel(NamedTuple):
    """How a kernel's table is laid out."""

    word: int = 8
    order: ByteOrder = "little"
    form: str = "relative"
    newer: bool = False
    """The order in memory of 6.4 and later."""
    sequences: bool = False
    """Three bytes for each name between markers and tokens (6.2, 6.3), or after all else (6.4)."""
    wide_markers: bool = False
    """Before 4.20."""
    paddr: int = 0x2000000
    base: int = 0xFFFFFFFF81000000
    """The address of _text."""
    align: int = 0
    """What each part is aligned to; 0: an unsigned long. Since 7.0 it is 4."""
    gap: int = 0x180
    """Bytes from the banner's page to the banner, and on to the table."""


Symbols = list[tuple[int, bytes]]
"""Address, and type and name."""


def symbols(kernel: Kernel, count: int = 2500) -> Symbols:
    """Return symbols whose addresses ascend, those of a CPU's area first where the form has them."""
    out: Symbols = []
    if kernel.form == "per-cpu":
        out += [(0, b"A__per_cpu_start"), (0x1000, b"Acpu_number"), (0x2000, b"A__per_cpu_end")]
    out += [(kernel.base, b"T_text"), (kernel.base, b"T_stext")]
    out += [(kernel.base + 64 * number, b"tdo_sys_call%d" % number) for number in range(1, count)]
    long = b"T" + b"_ZNcoreQ" * 40
    out += [(kernel.base + 64 * count, long), (kernel.base + 0x200000, b"T_etext"), (kernel.base + 0x300000, b"B_end")]
    return out


def write(ram: Ram, kernel: Kernel, table: Symbols) -> None:
    """Write the banner and the table; virtual addresses are physical ones plus base - paddr + 1 MiB."""
    order, word, align = kernel.order, kernel.word, kernel.align or kernel.word
    tokens = [bytes((code,)) if code in _CHARACTERS else b"" for code in range(256)]
    tokens[_FIRST_PART : _FIRST_PART + len(_PARTS)] = _PARTS
    names, markers = b"", []
    for number, (_, text) in enumerate(table):
        if number % 256 == 0:
            markers.append(len(names))
        names += _compressed(text)
    index, at = b"", 0
    for token in tokens:
        index += at.to_bytes(2, order)
        at += len(token) + 1
    token_table = b"".join(token + b"\0" for token in tokens)
    marker_size = word if kernel.wide_markers else 4
    count = len(table).to_bytes(word, order) if kernel.wide_markers else len(table).to_bytes(4, order)
    sequences = b"".join(number.to_bytes(3, "big") for number in range(len(table))) if kernel.sequences else b""
    middle = [count, names, b"".join(at.to_bytes(marker_size, order) for at in markers)]
    tail = [token_table, index]
    place = kernel.paddr + kernel.gap + len(BANNER)
    place = -(-place // 8) * 8 + (4 if align < word else 0)

    def sized(parts: list[bytes]) -> int:
        return sum(-(-len(part) // align) * align for part in parts)

    if kernel.newer:
        before = sized([*middle, *tail])
        parts = [*middle, *tail, *_addresses(kernel, table, place + before), sequences]
    else:
        parts = [*_addresses(kernel, table, place), *middle, *([sequences] if sequences else []), *tail]
    ram.put(kernel.paddr + kernel.gap, BANNER)
    ram.put(place, b"".join(part.ljust(-(-len(part) // align) * align, b"\0") for part in parts))


def _compressed(text: bytes) -> bytes:
    out = b""
    while text:
        part = next((part for part in _PARTS if text.startswith(part)), text[:1])
        out += bytes((_FIRST_PART + _PARTS.index(part),)) if part in _PARTS else part
        text = text[len(part) :]
    length = len(out)
    return (bytes((length,)) if length < 128 else bytes((length & 0x7F | 0x80, length >> 7))) + out


def _addresses(kernel: Kernel, table: Symbols, at: int) -> list[bytes]:
    """Return the addresses, and the base where the form has one; `at` is the paddr of the first."""
    order, word = kernel.order, kernel.word
    base = kernel.base.to_bytes(word, order)
    if kernel.form == "absolute":
        return [b"".join(value.to_bytes(word, order) for value, _ in table)]
    if kernel.form == "self-relative":
        virtual = at + shift_of(kernel)
        return [
            b"".join(
                (value - virtual - 4 * number).to_bytes(4, order, signed=True)
                for number, (value, _) in enumerate(table)
            )
        ]
    if kernel.form == "per-cpu":
        offsets = (value if value < 0x10000 else kernel.base - 1 - value for value, _ in table)
        return [b"".join(value.to_bytes(4, order, signed=True) for value in offsets), base]
    return [b"".join((value - kernel.base).to_bytes(4, order) for value, _ in table), base]


def shift_of(kernel: Kernel) -> int:
    """Return virtual less physical addresses: .rodata is 3 MiB after the start of the image."""
    return kernel.base + 0x300000 - kernel.paddr


def paged(ram: Ram, kernel: Kernel, root: int = 0x1000) -> tuple[Note, ...]:
    """Write page tables of x86-64 that map the image; return the notes of a CPU that uses them, in its code."""
    ram.word(root + 511 * 8, root + 0x1000 | 0x63)
    ram.word(root + 0x1000 + 510 * 8, root + 0x2000 | 0x63)
    start = kernel.base - shift_of(kernel)
    first = (kernel.base - 0xFFFFFFFF80000000) >> 21
    for number in range(8):
        ram.word(root + 0x2000 + (first + number) * 8, start + (number << 21) | 0x1E3)
    state = qemu_state(cr0=0x80050033, cr3=root, cr4=0x20)
    return prstatus("x86_64", rip=kernel.base + 0x1004, cs=0x10), state


def dump_of(ram: Ram) -> bytes:
    """Return an ELF dump of x86-64 with the memory."""
    return elf(loads=[Load(number * PAGE, bytes(data)) for number, data in sorted(ram.pages.items())])


def names_of(texts: Iterable[bytes]) -> CompressedNames:
    """Return names that are not compressed: each token is a character. None has more than 127."""
    records = [bytes((len(text),)) + text for text in texts]
    starts = array("I", accumulate(map(len, records), initial=0))
    few = array("I", [number for number, one in enumerate(records) if one[0] < 3])
    return CompressedNames(b"".join(records), starts, few, tuple(bytes((code,)) for code in range(256)))
