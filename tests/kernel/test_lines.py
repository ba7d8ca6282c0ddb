"""Test the verdict on each line of a text, over a kernel that is made for the test."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.paths import DATA
from vmci_tui.formats.elf_note import build
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.lines.proved_line import ProvedLine
from vmci_tui.kernel.types.btf import Btf, Kind, read_btf
from vmci_tui.proof.paging.walk import WalkEnd

_BASE = 0xFFFFFFFF81000000
_SYMBOLS = {
    b"_text": _BASE,
    b"_stext": _BASE,
    b"phys_base": _BASE + 0x100,
    b"mem_section": _BASE + 0x108,
    b"sme_me_mask": _BASE + 0x110,
    b"__pgtable_l5_enabled": _BASE + 0x118,
    b"node_states": _BASE + 0x200,
    b"init_top_pgt": _BASE + 0x1000,
    b"__start_notes": _BASE + 0x400,
    b"__stop_notes": _BASE + 0x424,
    b"vabits_actual": _BASE + 0x120,
    b"memstart_addr": _BASE + 0x128,
}
_MEMORY = (
    bytes(0x100) + struct.pack("<qQQII", -0x1000, 0xFFFF888000010000, 0, 0, 0) + struct.pack("<QQ", 48, 0x40000000)
).ljust(0x400, b"\0") + build(b"GNU\0", 3, bytes(range(20)), "little").raw


def _read(address: int, length: int) -> bytes | None:
    raw = _MEMORY[address - _BASE : address - _BASE + length] if address >= _BASE else b""
    return raw if len(raw) == length else None


def kernel_with(
    machine: str = "x86_64",
    types: Btf | None = None,
    symbols: Mapping[bytes, int] = _SYMBOLS,
    release: bytes = b"6.1.0-56",
) -> RunningKernel:
    """Return a kernel of which this is known, in the memory of this module."""
    return RunningKernel(
        machine,
        "little",
        8,
        lambda name: (symbols[name],) if name in symbols else (),
        {b"kallsyms_names": 0xFFFFFFFF82000000},
        types,
        _read,
        lambda address: address - _BASE + 0x2000000,
        lambda tables, root, address: WalkEnd("absent", root),
        release,
    )


def types_of_the_test() -> Btf:
    """Return the compiler's types and a few that a kernel has: nodemask_t of 128 bytes, N_ONLINE and PG_head."""
    plain = read_btf((DATA / "btf" / "types.btf").read_bytes(), "little", 8)
    texts, at = plain.names.texts, len(plain.names.texts)
    names = b"nodemask_t\0N_ONLINE\0PG_head\0"
    count = len(plain.starts)
    records = [
        struct.pack("<IIIIII", 0, Kind.ARRAY << 24, 0, 1, 1, 16),
        struct.pack("<III", at, Kind.TYPEDEF << 24, count),
        struct.pack("<IIIIIII", 0, Kind.ENUM << 24 | 2, 4, at + 11, 1, at + 20, 16),
    ]
    body, tail = plain.types + b"".join(records), texts + names
    return read_btf(
        struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(tail)) + body + tail, "little", 8
    )


def _line(line: bytes, kernel: RunningKernel) -> ProvedLine:
    (found,) = prove_lines(kernel, Vmcoreinfo(line + b"\n"))
    return found


_LINES = [
    b"OSRELEASE=6.1.0-56",
    b"BUILD-ID=" + bytes(range(20)).hex().encode(),
    b"PAGESIZE=4096",
    b"SYMBOL(_stext)=ffffffff81000000",
    b"SYMBOL(swapper_pg_dir)=ffffffff81001000",
    b"SYMBOL(mem_section)=ffff888000010000",
    b"SYMBOL(node_online_map)=ffffffff81000280",
    b"SYMBOL(kallsyms_names)=ffffffff82000000",
    b"SIZE(deep)=152",
    b"SIZE(atomic_t)=4",
    b"OFFSET(deep.list)=16",
    b"OFFSET(deep.inner)=11",
    b"LENGTH(deep.many)=11",
    b"LENGTH(node_data)=1024",
    b"NUMBER(PG_lru)=5",
    b"NUMBER(BELOW)=-257",
    b"NUMBER(PG_head_mask)=65536",
    b"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129",
    b"NUMBER(phys_base)=-4096",
    b"NUMBER(sme_mask)=0",
    b"NUMBER(pgtable_l5_enabled)=0",
    b"NUMBER(SECTION_SIZE_BITS)=27",
    b"NUMBER(MAX_PHYSMEM_BITS)=46",
    b"KERNELOFFSET=0",
]


@pytest.mark.parametrize("line", _LINES, ids=lambda line: line.decode())
def test_a_true_line_is_confirmed_and_a_false_one_contradicted(line: bytes) -> None:
    kernel = kernel_with(types=types_of_the_test())
    proved = _line(line, kernel)
    assert (proved.verdict, proved.found, proved.why) == ("confirmed", proved.value, "")
    key, _, value = line.partition(b"=")
    last = b"%d" % ((value[-1] - 48 + 1) % 10) if value[-1:].isdigit() else b"0"
    false = _line(key + b"=" + value[:-1] + last, kernel)
    assert (false.verdict, false.found) == ("contradicted", value)


@pytest.mark.parametrize(
    "line",
    [
        b"CRASHTIME=1700000000",
        b"SYMBOL(none)=ffffffff81000000",
        b"SIZE(none)=8",
        b"OFFSET(deep.none)=8",
        b"OFFSET(deep.low)=128",
        b"LENGTH(mem_section)=4096",
        b"LENGTH(deep.first)=1",
        b"NUMBER(none)=0",
        b"NUMBER(KERNEL_IMAGE_SIZE)=1073741824",
        b"SIZE()=1",
        b"X(Y)=1",
    ],
    ids=lambda line: line.decode(),
)
def test_what_memory_does_not_show_is_unknown_with_the_reason(line: bytes) -> None:
    proved = _line(line, kernel_with(types=types_of_the_test()))
    assert (proved.verdict, proved.found) == ("unknown", None) and proved.why


@pytest.mark.parametrize("value", [b"0x98", b"152 ", b"152\r", b"", b"+152", b"1_52", b"4294967448", b"-4294967144"])
def test_a_right_number_in_a_form_that_linux_does_not_write_is_contradicted(value: bytes) -> None:
    proved = _line(b"SIZE(deep)=" + value, kernel_with(types=types_of_the_test()))
    assert (proved.verdict, proved.found) == ("contradicted", b"152")


def test_without_types_and_symbols_all_is_unknown_but_constants() -> None:
    kernel = kernel_with(symbols={}, release=b"")
    confirmed = {proved.key for proved in prove_lines(kernel, Vmcoreinfo(b"\n".join(_LINES) + b"\n")) if proved.found}
    assert confirmed == {b"PAGESIZE", b"SYMBOL(kallsyms_names)", b"NUMBER(SECTION_SIZE_BITS)"}


def test_a_moved_kernel_has_its_whole_image_size() -> None:
    moved = {name: address + 0x1000000 for name, address in _SYMBOLS.items()}
    kernel = kernel_with(symbols=moved)
    assert _line(b"KERNELOFFSET=1000000", kernel).verdict == "confirmed"
    assert _line(b"NUMBER(KERNEL_IMAGE_SIZE)=1073741824", kernel).verdict == "confirmed"


def test_variables_of_arm64_are_written_in_hexadecimal() -> None:
    kernel = kernel_with("aarch64")
    for line in (b"NUMBER(TCR_EL1_T1SZ)=0x10", b"NUMBER(PHYS_OFFSET)=0x40000000"):
        assert _line(line, kernel).verdict == "confirmed"
    wrong = _line(b"NUMBER(kimage_voffset)=0x1", kernel)
    assert (wrong.verdict, wrong.found) == ("contradicted", b"0xffffffff7f000000")


def test_page_types_of_new_kernels_need_types() -> None:
    kernel = kernel_with(release=b"6.11.0")
    assert _line(b"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129", kernel).verdict == "unknown"


_VDSO = b"\x7fELF".ljust(0x100, b"\0") + build(b"GNU\0", 3, bytes(20), "little").raw
_NOTE = build(b"GNU\0", 3, bytes(range(20)), "little").raw


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (_VDSO.ljust(0x5000, b"\0") + _NOTE, "confirmed"),
        (_VDSO.ljust(0x5000, b"\0") + _NOTE * 2, "confirmed"),
        (_VDSO, "unknown"),
        (_NOTE + build(b"GNU\0", 3, bytes(20), "little").raw, "unknown"),
    ],
    ids=["one", "twice", "only of a file", "two"],
)
def test_without_symbols_of_variables_the_only_build_id_of_the_image_is_the_kernels(data: bytes, verdict: str) -> None:
    end = _BASE + 0x8000
    held = data.ljust(0x8000, b"\0")
    kernel = kernel_with("i386", symbols={b"_stext": _BASE - 0x1000, b"_etext": _BASE, b"_sinittext": end})
    kernel = replace(kernel, read=lambda address, length: held[address - _BASE : address - _BASE + length])
    line = b"BUILD-ID=" + bytes(range(20)).hex().encode()
    assert _line(line, kernel).verdict == verdict
    false = _line(line[:-1] + b"0", kernel)
    assert (false.verdict, false.found) == (("contradicted", line[9:]) if verdict == "confirmed" else ("unknown", None))


def test_of_a_search_a_cut_keeps_only_what_was_found() -> None:
    held, reads = _NOTE.rjust(0x4100, b"\0").ljust(0x8000, b"\0"), []

    def read(address: int, length: int) -> bytes:
        return held[address - _BASE : address - _BASE + length]

    def recorded(address: int, length: int) -> bytes:
        reads.append((address - _BASE, length))
        return read(address, length)

    plain = kernel_with("i386", symbols={b"_etext": _BASE, b"_sinittext": _BASE + 0x8000})
    kernel = replace(plain, read=recorded, searched=replace(plain, read=read))
    assert _line(b"BUILD-ID=" + bytes(range(20)).hex().encode(), kernel).verdict == "confirmed"
    assert reads == [(0x4100 - len(_NOTE), len(_NOTE))]
