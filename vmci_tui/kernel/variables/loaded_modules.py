"""Read the modules that a kernel has loaded: their names, where they are, and their symbols.

Source: include/linux/module.h of Linux 5.10 to 7.2: the list `modules`; of each `struct module` its name, `mem` (since
6.4; before, `core_layout`), and `kallsyms`, whose symbols are those of an ELF file. They are in the table of symbols
with CONFIG_KALLSYMS_ALL only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from struct import iter_unpack
from typing import Final

from vmci_tui.common.errors import Spent
from vmci_tui.kernel.facts.by_types import bytes_before, length_of, size_of
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, RunningKernel
from vmci_tui.kernel.symbols.modules import Module, ModuleSymbol

_MOST: Final = 1024
"""Modules; a large distribution's kernel has 200 loaded."""
_PARTS: Final = 16
"""Parts of a module; Linux 7.2 has 7."""
_SYMBOLS: Final = 1 << 20
"""Bytes of the symbols of a module: 40,000 of them."""
_LONGEST: Final = 512
"""KSYM_NAME_LEN."""
_PAGE: Final = 4096
_ALL: Final = 16 << 20
"""Bytes of symbols and their names, of all modules together."""
_NAME: Final = 56
"""MODULE_NAME_LEN."""
_ELF_SYMBOL: Final = {8: ("I2xHQ8x", 24), 4: ("II6xH", 16)}
"""An ELF symbol by the bytes of a pointer: name, then section and address, or address and section; and its length."""
_NO_MARKS: Final = (b"$", b".L")
"""How names begin that mark data in code, or that only the assembler needs (kernel/module/internal.h)."""


def loaded_modules(kernel: RunningKernel) -> tuple[Module, ...]:
    """Return the modules as far as symbols, types and memory show them."""
    out: list[Module] = []
    with suppress(Spent):
        out.extend(_modules(kernel))
    return tuple(out)


def _modules(kernel: RunningKernel) -> Iterator[Module]:
    """Yield the modules. Raises Spent."""
    heads = kernel.symbols(b"modules")
    inside, name = bytes_before(kernel, b"module.list"), bytes_before(kernel, b"module.name")
    if len(heads) != 1 or inside is None or name is None:
        return
    room = _ALL
    for address in _listed(kernel, heads[0], inside):
        raw, ranges = kernel.read(address + name, _NAME), tuple(_ranges(kernel, address))
        if raw is None or not raw.partition(b"\0")[0] or not ranges:
            return
        table, names = _table(kernel, address, room)
        room -= len(table) + len(names)
        yield Module(raw.partition(b"\0")[0], ranges, tuple(sorted(_symbols(kernel, table, names))))


def _listed(kernel: RunningKernel, head: int, inside: int) -> Iterator[int]:
    """Yield the addresses in the list until its end, or what is not in the dump."""
    seen, at = {head}, kernel.number_at(head, kernel.pointer_size)
    while at and at not in seen and len(seen) <= _MOST:
        seen.add(at)
        yield at - inside
        at = kernel.number_at(at, kernel.pointer_size)


def _ranges(kernel: RunningKernel, module: int) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a module are, without those that are empty."""
    parts = bytes_before(kernel, b"module.mem")
    if parts is None:
        starts = [(bytes_before(kernel, b"module.core_layout.base"), bytes_before(kernel, b"module.core_layout.size"))]
    else:
        base, size = bytes_before(kernel, b"module_memory.base"), bytes_before(kernel, b"module_memory.size")
        each, count = _plain(size_of(kernel, b"module_memory")), _plain(length_of(kernel, b"module.mem"))
        if base is None or size is None or not each or not count:
            return
        starts = [(parts + each * part + base, parts + each * part + size) for part in range(min(count, _PARTS))]
    for at, of in starts:
        start = None if at is None else kernel.number_at(module + at, kernel.pointer_size)
        length = None if of is None else kernel.number_at(module + of, 4)
        if start and length:
            yield start, length


def _table(kernel: RunningKernel, module: int, room: int) -> tuple[bytes, bytes]:
    """Return the ELF symbols of a module and their names; nothing if the dump lacks them, or above `room` bytes."""
    table, at = _pointer(kernel, module, b"module.kallsyms"), bytes_before(kernel, b"mod_kallsyms.num_symtab")
    count = kernel.number_at(table + at, 4) if table and at is not None else None
    length = (count or 0) * _ELF_SYMBOL[kernel.pointer_size][1]
    start, names = (_pointer(kernel, table, b"mod_kallsyms." + name) for name in (b"symtab", b"strtab"))
    if not start or not names or not 0 < length <= min(room, _SYMBOLS):
        return b"", b""
    symbols = kernel.read(start, length) or b""
    last = max((name for name, *_ in _rows(kernel, symbols)), default=0)
    # The text of the last name ends behind its start: a whole page more may not be there.
    texts = kernel.read(names, last) if last <= room - length else None
    tail = kernel.read(names + last, _LONGEST) or kernel.read(names + last, -(names + last) % _PAGE or _PAGE)
    return (symbols, texts + (tail or b"")) if texts is not None else (b"", b"")


def _symbols(kernel: RunningKernel, table: bytes, names: bytes) -> Iterator[ModuleSymbol]:
    """Yield the symbols of a module that have a name and a section."""
    for at, *values in _rows(kernel, table):
        section, address = values if kernel.pointer_size == 8 else values[::-1]
        name = names[at : at + _LONGEST].partition(b"\0")[0]
        if section and name and not name.startswith(_NO_MARKS):
            yield ModuleSymbol(address, name)


def _rows(kernel: RunningKernel, table: bytes) -> Iterator[tuple[int, ...]]:
    return iter_unpack(("<" if kernel.order == "little" else ">") + _ELF_SYMBOL[kernel.pointer_size][0], table)


def _pointer(kernel: RunningKernel, struct: int | None, path: bytes) -> int | None:
    """Return the pointer that a struct has in a member; None without one."""
    at = bytes_before(kernel, path)
    return kernel.number_at(struct + at, kernel.pointer_size) if struct and at is not None else None


def _plain(found: Finding) -> int | None:
    return found.value if isinstance(found, Fact) and isinstance(found.value, int) else None
