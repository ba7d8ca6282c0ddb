"""SIZE, OFFSET, LENGTH and the enumerators in NUMBER, by the kernel's types.

Source: include/linux/vmcore_info.h, kernel/vmcore_info.c and arch/*/kernel/vmcore_info*.c of Linux 5.10 to 7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, RunningKernel
from vmci_tui.kernel.types.btf import Btf, Kind
from vmci_tui.kernel.types.names import NameLacking

_NO_TYPES: Final = NotKnown("the kernel has no BTF in the dump")
_ARRAYS: Final = {
    b"printk_info_subsystem": (b"dev_printk_info", b"subsystem"),
    b"printk_info_device": (b"dev_printk_info", b"device"),
}
"""Lengths of arrays without a path of their own: the struct and its member (VMCOREINFO_LENGTH, kernel/printk)."""
_FLAGS: Final = b"PG_"
"""How the names of page flags begin, which are enumerators in each kernel that has them."""
_NODES: Final = (b"node_data",)
"""Arrays with an element for each node, as many as nodemask_t has bits (MAX_NUMNODES)."""


def size_of(kernel: RunningKernel, name: bytes) -> Finding:
    """Return the size of a struct, union or typedef: SIZE(name)."""
    return _asked(
        kernel,
        lambda types: _one((types.size(number) for number in _composites(types, name)), f"no type {visible(name)}"),
    )


def offset_of(kernel: RunningKernel, path: bytes) -> Finding:
    """Return the offset of a member in bytes: OFFSET(struct.member.member)."""
    owner, _, member = path.partition(b".")

    def found(types: Btf) -> Finding:
        values = (_bytes(types, number, member) for number in _composites(types, owner))
        return _one(values, f"no member {visible(path)}")

    return _asked(kernel, found)


def bytes_before(kernel: RunningKernel, path: bytes) -> int | None:
    """Return the offset of a member in bytes; None if the kernel has no types, or they do not have it."""
    found = offset_of(kernel, path)
    return found.value if isinstance(found, Fact) and isinstance(found.value, int) else None


def length_of(kernel: RunningKernel, path: bytes) -> Finding:
    """Return the number of elements of an array: LENGTH(struct.member), or one of the names of their own."""
    owner, member = _ARRAYS.get(path) or (path.partition(b".")[0], path.partition(b".")[2])

    def found(types: Btf) -> Finding:
        if path in _NODES:
            sizes = (types.size(number) for number in types.ids(b"nodemask_t", Kind.TYPEDEF))
            return _one((None if size is None else 8 * size for size in sizes), "no type nodemask_t")
        if not member:
            return NotKnown("its length is set by a macro, which leaves no trace in memory")
        members = (types.member(number, member) for number in _composites(types, owner))
        return _one((types.length(one.type) if one else None for one in members), f"no array {visible(path)}")

    return _asked(kernel, found)


def enumerator(kernel: RunningKernel, name: bytes) -> Finding:
    """Return the value of an enumerator: NUMBER(name)."""
    found = _asked(kernel, lambda types: _one(types.enumerators(name), f"no enumerator {visible(name)}"))
    if isinstance(found, NotKnown):  # other numbers are macros, which no type shows
        return found._replace(absent=found.absent and name.startswith(_FLAGS))
    return found._replace(form="enumerator")


def _asked(kernel: RunningKernel, ask: Callable[[Btf], Finding]) -> Finding:
    """Return what the kernel's types say, or that the dump lacks them or their names."""
    if kernel.types is None:
        return _NO_TYPES
    try:
        return ask(kernel.types)
    except NameLacking as lacking:
        return NotKnown(str(lacking))


def _composites(types: Btf, name: bytes) -> list[int]:
    """Return the structs of this name; if there is none, the unions and typedefs."""
    return types.ids(name, Kind.STRUCT) or types.ids(name, Kind.UNION) or types.ids(name, Kind.TYPEDEF)


def _bytes(types: Btf, number: int, path: bytes) -> int | None:
    member = types.member(number, path)
    return member.bit // 8 if member and not member.bits and member.bit % 8 == 0 else None


def _one(values: Iterable[int | None], missing: str) -> Finding:
    """Return the value if all types of the name agree; a struct that a driver defines again has none here.

    `missing`: what the types lack if they have no value.
    """
    found = {value for value in values if value is not None}
    if len(found) == 1:
        return Fact(found.pop(), "the kernel's types")
    return NotKnown(f"the kernel's types have {'several of that name' if found else missing}", absent=not found)
