"""SYMBOL lines, by the kernel's table of symbols, and by the pointers and page tables that they name.

Source: include/linux/vmcore_info.h of Linux 6.12: VMCOREINFO_SYMBOL is the address of a variable,
VMCOREINFO_SYMBOL_ARRAY what its name is worth in C: the content where it is a pointer.
"""

from __future__ import annotations

from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, RunningKernel
from vmci_tui.kernel.types.btf import Kind
from vmci_tui.kernel.types.names import NameLacking

_TABLE: Final = "the kernel's table of symbols"
_MACROS: Final = (b"vmemmap",)
"""Lines whose name is a macro on some machines, which no table has."""
_VARIABLE: Final = b"linux_banner"
"""A variable of each kernel, whose name is in a table of symbols that has variables (CONFIG_KALLSYMS_ALL)."""
_OTHER_NAMES: Final = {b"swapper_pg_dir": (b"init_top_pgt", b"init_level4_pgt")}
"""Names that are macros for another symbol on some machines (arch/x86/include/asm/pgtable_64.h)."""
_POINTERS: Final = {b"mem_section": (b"mem_section",), b"vmemmap": (b"vmemmap", b"vmemmap_base")}
"""Lines that have the content of a pointer, and the pointer's names. mem_section is one with CONFIG_SPARSEMEM_EXTREME,
which all 64-bit kernels have."""


def symbol(kernel: RunningKernel, name: bytes) -> Finding:
    """Return what SYMBOL(name) should be."""
    if name in _POINTERS:
        contents = ((one, kernel.variable(one)) for one in _POINTERS[name])
        return next(
            (Fact(value, f"the pointer {visible(one)}") for one, value in contents if value), _missing(kernel, name)
        )
    if name == b"node_online_map":
        return _node_online_map(kernel)
    if name in kernel.tables:
        return Fact(kernel.tables[name], "the tables of symbols themselves")
    for one in (name, *_OTHER_NAMES.get(name, ())):
        addresses = kernel.symbols(one)
        if addresses:
            return Fact(addresses[0], _TABLE if one == name else f"{_TABLE}, as {visible(one)}", addresses[1:])
    return _missing(kernel, name)


def _node_online_map(kernel: RunningKernel) -> Finding:
    """Return the element N_ONLINE of node_states (include/linux/nodemask.h: `#define node_online_map`)."""
    states, types = kernel.symbols(b"node_states"), kernel.types
    direct = kernel.symbols(b"node_online_map")
    if direct:
        return Fact(direct[0], _TABLE, direct[1:])
    if types is None or len(states) != 1:
        return NotKnown("it is within node_states, whose address or type the kernel's tables do not have")
    try:
        sizes = {types.size(number) for number in types.ids(b"nodemask_t", Kind.TYPEDEF)} - {None}
        places = {size * index for size in sizes if size for index in types.enumerators(b"N_ONLINE")}
    except NameLacking as lacking:
        return NotKnown(str(lacking))
    if len(places) != 1:
        return NotKnown("it is within node_states, whose type the kernel's types do not have")
    return Fact(states[0] + places.pop(), f"{_TABLE} and types: node_states[N_ONLINE]")


def _missing(kernel: RunningKernel, name: bytes) -> NotKnown:
    whole = kernel.tables if name.startswith(b"kallsyms_") else kernel.symbols(_VARIABLE)
    return NotKnown(
        f"the kernel's table of symbols in the dump does not have {visible(name)}",
        absent=bool(whole) and name not in _MACROS and not kernel.symbols(name),
    )
