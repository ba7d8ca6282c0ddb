"""Test the lines of kernels of other machines, whose values are those of booted guests of Linux 6.12 and 7.2."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.types.btf import Btf

_SYMBOLS = {
    b"_start": 0xFFFFFFFF80000000, b"_end": 0xFFFFFFFF81E6C000, b"kernel_map": 0x100, b"pgtable_l5_enabled": 0x200,
    b"pgtable_l4_enabled": 0x201, b"kernstart_virt_addr": 0x300, b"vm_layout": 0x100, b"vmemmap_start_pfn": 0x308,
    b"satp_mode": 0x310, b"swapper_pg_dir": 0xFFFFFFFF82307000, b"cur_cpu_spec": 0x318, b"__vmalloc_start": 0x328,
    b"vmemmap_populate": 0x400,
}  # fmt: skip
_WORDS = {0x110: 0, 0x308: 0x80000, 0x310: 9 << 60, 0x318: 0x400, 0x328: 0xC008000000000000, 0x408: 0x7C006041}
"""kernel_map.virt_offset, vmemmap_start_pfn, satp_mode, cur_cpu_spec, __vmalloc_start, cur_cpu_spec->mmu_features."""
_FIVE, _FOUR = b"\1\1", b"\0\1"
_FIVE_LINES = """VA_BITS 57
VMALLOC_START 0xff20000000000000
VMALLOC_END 0xff60000000000000
VMEMMAP_START 0xff1c000000000000
VMEMMAP_END 0xff20000000000000
MODULES_VADDR 0xffffffff01e6c000
MODULES_END 0xffffffff80000000
KERNEL_LINK_ADDR 0xffffffff80000000"""
_FOUR_LINES = """VA_BITS 48
VMALLOC_START 0xffff8f8000000000
VMALLOC_END 0xffffaf8000000000
VMEMMAP_START 0xffff8d8000000000
VMEMMAP_END 0xffff8f8000000000"""


def _types(page: int = 4096) -> Btf:
    """Return what these lines ask for: members of variables, a page of 64 bytes, and a ring of BPF."""
    return types_with(
        {
            "kernel_mapping": (24, {"page_offset": 8, "virt_offset": 16}),
            "vm_layout": (16, {"identity_base": 8}),
            "page": (64, {}),
            "mem_section": (32, {}),
            "cpu_spec": (16, {"mmu_features": 8}),
            "bpf_ringbuf": (4 * page, {"consumer_pos": page, "producer_pos": 2 * page}),
        }
    )


def _kernel(
    machine: str, base: int, levels: bytes, types: Btf | None = None, release: bytes = b"6.12.1"
) -> RunningKernel:
    memory = {
        0x108: base.to_bytes(8, "little"),
        0x200: levels[:1],
        0x201: levels[1:],
        0x300: base.to_bytes(8, "little"),
        **{at: word.to_bytes(8, "little") for at, word in _WORDS.items()},
    }

    def read(address: int, length: int) -> bytes | None:
        return memory.get(address, b"")[:length] or None

    made = kernel_with(machine, types if types is not None else _types(), _SYMBOLS, release)
    return replace(made, read=read)


@pytest.mark.parametrize(
    ("base", "levels", "lines"),
    [(0xFF60000000000000, _FIVE, _FIVE_LINES), (0xFFFFAF8000000000, _FOUR, _FOUR_LINES)],
    ids=["five levels", "four levels"],
)
def test_the_parts_of_riscv64_memory_follow_from_variables(base: int, levels: bytes, lines: str) -> None:
    kernel = _kernel("riscv64", base, levels)
    for name, value in (line.split() for line in lines.splitlines()):
        (true,) = prove_lines(kernel, Vmcoreinfo(f"NUMBER({name})={value}\n".encode()))
        (false,) = prove_lines(kernel, Vmcoreinfo(f"NUMBER({name})={value}1\n".encode()))
        assert (true.verdict, false.verdict, false.found) == ("confirmed", "contradicted", value.encode())
    unread = replace(kernel, read=lambda address, length: None)
    (unknown,) = prove_lines(unread, Vmcoreinfo(b"NUMBER(VMALLOC_END)=0x0\n"))
    assert unknown.verdict == "unknown" and unknown.why


@pytest.mark.parametrize("machine", ["aarch64", "ppc64"])
def test_the_size_of_a_page_is_seen_in_a_type_whose_members_are_a_page_apart(machine: str) -> None:
    for size in (4096, 65536):
        (proved,) = prove_lines(_kernel(machine, 0, _FOUR, _types(size)), Vmcoreinfo(b"PAGESIZE=4096\n"))
        assert (proved.verdict, proved.found) == ("confirmed" if size == 4096 else "contradicted", b"%d" % size)
    (odd,) = prove_lines(_kernel(machine, 0, _FOUR, _types(128)), Vmcoreinfo(b"PAGESIZE=4096\n"))
    assert odd.verdict == "unknown"


def test_how_far_a_ppc64_kernel_was_moved_is_in_a_variable() -> None:
    (proved,) = prove_lines(_kernel("ppc64", 0xC000000000000000, _FOUR), Vmcoreinfo(b"KERNELOFFSET=0\n"))
    assert proved.verdict == "confirmed"


def test_where_s390x_memory_begins_is_in_vm_layout_since_6_10() -> None:
    (proved,) = prove_lines(_kernel("s390x", 0x37FE0000000, _FOUR), Vmcoreinfo(b"IDENTITYBASE=37fe0000000\n"))
    assert proved.verdict == "confirmed" and "vm_layout" in proved.by


_OTHERS = {
    "riscv64": {
        "SYMBOL(vmemmap)": "ff1bfffffe000000", "KERNELOFFSET": "0", "NUMBER(satp)": "0x9000000000003307",
        "LENGTH(mem_section)": "4194304",
    },
    "ppc64": {
        "NUMBER(VMALLOC_START)": "0xc008000000000000", "NUMBER(RADIX_MMU)": "1", "NUMBER(SECTION_SIZE_BITS)": "24",
        "NUMBER(MAX_PHYSMEM_BITS)": "51", "LENGTH(mem_section)": "1048576",
    },
    "s390x": {"NUMBER(SECTION_SIZE_BITS)": "27"},
}  # fmt: skip


@pytest.mark.parametrize("machine", _OTHERS)
def test_variables_and_constants_of_other_machines(machine: str) -> None:
    kernel = _kernel(machine, 0xFF60000000000000, _FIVE, release=b"7.2.13")
    for key, value in _OTHERS[machine].items():
        (true,) = prove_lines(kernel, Vmcoreinfo(f"{key}={value}\n".encode()))
        (false,) = prove_lines(kernel, Vmcoreinfo(f"{key}=1{value}\n".encode()))
        assert (true.verdict, false.verdict, false.found) == ("confirmed", "contradicted", value.encode()), key


def test_what_a_version_or_the_configuration_of_others_sets_is_unknown() -> None:
    """Distributions take newer sizes of sections into older versions; a ppc64 kernel may be without vmemmap."""
    without = replace(_kernel("ppc64", 0, _FOUR), symbols=lambda name: ())
    for kernel, key in (
        (_kernel("s390x", 0, _FOUR, release=b"6.12.0-55.el10"), "NUMBER(SECTION_SIZE_BITS)"),
        (_kernel("s390x", 0, _FOUR, release=b"7.2.13"), "NUMBER(MAX_PHYSMEM_BITS)"),
        (without, "NUMBER(MAX_PHYSMEM_BITS)"),
        (without, "NUMBER(RADIX_MMU)"),
        (replace(_kernel("riscv64", 0, _FOUR), symbols=lambda name: ()), "NUMBER(satp)"),
    ):
        (proved,) = prove_lines(kernel, Vmcoreinfo(f"{key}=1\n".encode()))
        assert proved.verdict == "unknown" and proved.why


@pytest.mark.parametrize(("machine", "key"), [("i386", b"CONFIG_X86_PAE"), ("arm", b"CONFIG_ARM_LPAE")])
def test_a_kernel_has_three_levels_of_page_tables_where_it_has_their_function(machine: str, key: bytes) -> None:
    having = kernel_with(machine, symbols={b"_stext": 0xC0001000, b"__pmd_alloc": 0xC0002000})
    (true,), (false,) = (prove_lines(having, Vmcoreinfo(key + value)) for value in (b"=y\n", b"=n\n"))
    assert (true.verdict, false.verdict, false.found) == ("confirmed", "contradicted", b"y")
    (without,) = prove_lines(kernel_with(machine, symbols={b"_stext": 0xC0001000}), Vmcoreinfo(key + b"=y\n"))
    assert without.verdict == "unknown"
