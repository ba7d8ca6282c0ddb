"""Test the lines of riscv64, arm64 and ppc64 kernels, whose values are those of booted guests of Linux 6.12 and 7.2."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from tests.kernel.test_lines import kernel_with
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.lines.running_kernel import RunningKernel
from vmci_tui.kernel.types.btf import Btf, Kind, read_btf

_SYMBOLS = {
    b"_start": 0xFFFFFFFF80000000, b"_end": 0xFFFFFFFF81E6C000, b"kernel_map": 0x100, b"pgtable_l5_enabled": 0x200,
    b"pgtable_l4_enabled": 0x201, b"kernstart_virt_addr": 0x300, b"vm_layout": 0x100,
}  # fmt: skip
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
    """Return BTF with what these lines ask for: kernel_mapping.page_offset, a page of 64 bytes, and a ring of BPF."""
    names = b"\0kernel_mapping\0page_offset\0vm_layout\0identity_base\0page\0bpf_ringbuf\0consumer_pos\0producer_pos\0"
    at = {name: names.index(b"\0" + name + b"\0") + 1 for name in names.strip(b"\0").split(b"\0")}
    body = struct.pack("<IIII", 0, Kind.INT << 24, 8, 64)
    body += struct.pack("<III", at[b"kernel_mapping"], Kind.STRUCT << 24 | 1, 16)
    body += struct.pack("<III", at[b"page_offset"], 1, 64)
    body += struct.pack("<III", at[b"vm_layout"], Kind.STRUCT << 24 | 1, 16)
    body += struct.pack("<III", at[b"identity_base"], 1, 64)
    body += struct.pack("<III", at[b"page"], Kind.STRUCT << 24, 64)
    body += struct.pack("<III", at[b"bpf_ringbuf"], Kind.STRUCT << 24 | 2, 4 * page)
    body += struct.pack("<IIIIII", at[b"consumer_pos"], 1, 8 * page, at[b"producer_pos"], 1, 16 * page)
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(names))
    return read_btf(head + body + names, "little", 8)


def _kernel(machine: str, base: int, levels: bytes, types: Btf | None = None) -> RunningKernel:
    memory = {
        0x108: base.to_bytes(8, "little"),
        0x200: levels[:1],
        0x201: levels[1:],
        0x300: base.to_bytes(8, "little"),
    }

    def read(address: int, length: int) -> bytes | None:
        return memory.get(address, b"")[:length] or None

    made = kernel_with(machine, types if types is not None else _types(), _SYMBOLS, b"6.12.1")
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
