"""Rules of lines that kernels of several machines have: a variable, a member of one, a constant, a size of pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from vmci_tui.kernel.facts.by_symbols import symbol
from vmci_tui.kernel.facts.by_types import offset_of, size_of
from vmci_tui.kernel.facts.running_kernel import Fact, Finding, NotKnown, Rule, RunningKernel

SWAPPER: Final = b"swapper_pg_dir"
"""The first page table of the kernel's own."""
_PAGE_SIZES: Final = (4 << 10, 16 << 10, 64 << 10, 256 << 10)


def constant(value: int, form: Literal["", "0x"] = "") -> Rule:
    """Return the rule of a line that has the same value in all kernels of a machine."""
    return lambda kernel: Fact(value, "a constant of Linux for this machine", form=form)


def variable(name: str, size: int, form: Literal["", "0x"] = "") -> Rule:
    """Return the rule of a line that has the value of an unsigned variable of `size` bytes."""

    def found(kernel: RunningKernel) -> Finding:
        value = kernel.variable(name.encode(), size)
        if value is None:
            return NotKnown(f"the variable {name} is not in the table of symbols, or not in the dump")
        return Fact(value, f"the variable {name}", form=form)

    return found


def member(of: bytes, struct: bytes, name: bytes) -> Rule:
    """Return the rule of a line that has an unsigned long within a variable."""
    return lambda kernel: member_of(kernel, of, struct, name)


def member_of(kernel: RunningKernel, of: bytes, struct: bytes, name: bytes) -> Finding:
    """Return the unsigned long that is a member of a variable."""
    at, offset = kernel.symbols(of), offset_of(kernel, struct + b"." + name)
    if len(at) != 1 or not isinstance(offset, Fact) or not isinstance(offset.value, int):
        return NotKnown(f"the variable {of.decode()} or its type is not in the kernel's tables")
    value = kernel.number_at(at[0] + offset.value, kernel.pointer_size)
    words = f"{of.decode()}.{name.decode()}"
    return NotKnown(f"{words} is not in the dump") if value is None else Fact(value, words, form="0x")


def named_or_only(kernel: RunningKernel, name: bytes, others: Iterable[int], by: str) -> Finding:
    """Return the address that a symbol names; else the only one of `others`, which are looked for then."""
    named = symbol(kernel, name)
    if isinstance(named, Fact):
        return named
    found = list(others)
    return Fact(found[0], by) if len(found) == 1 else named


def number(finding: Finding) -> int | None:
    """Return a fact's number; None if it has none."""
    return finding.value if isinstance(finding, Fact) and isinstance(finding.value, int) else None


def page_size(kernel: RunningKernel) -> Finding:
    """Return PAGE_SIZE, by which the two positions of a BPF ring are apart (kernel/bpf/ringbuf.c, since 5.8)."""
    later, sooner = (number(offset_of(kernel, b"bpf_ringbuf." + name)) for name in (b"producer_pos", b"consumer_pos"))
    if later is not None and sooner is not None and later - sooner in _PAGE_SIZES:
        return Fact(later - sooner, "the kernel's types: members of bpf_ringbuf are a page apart")
    return NotKnown("kernels of this machine have pages of several sizes, and no type of this one shows its own")


def section_roots(physical_bits: Rule, section_bits: Rule, page: Rule) -> Rule:
    """Return the rule of LENGTH(mem_section), NR_SECTION_ROOTS (include/linux/mmzone.h).

    Each root is a page of `struct mem_section`, and all together have a section for each physical address.
    """

    def found(kernel: RunningKernel) -> Finding:
        size = number(size_of(kernel, b"mem_section"))
        bits, section, whole = (number(rule(kernel)) for rule in (physical_bits, section_bits, page))
        if size is None or bits is None or section is None or whole is None:
            return NotKnown(
                "it follows from the size of mem_section, PAGESIZE, SECTION_SIZE_BITS and MAX_PHYSMEM_BITS, "
                "of which one is unknown"
            )
        each = whole // max(size, 1)
        return Fact(-(-(1 << bits - section) // max(each, 1)), "the size of mem_section, and MAX_PHYSMEM_BITS")

    return found
