"""Test which page tables and which linear map an arm64 kernel has that has no symbols of variables, in made pages."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with
from vmci_tui.containers.guest import raw_guest
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.kernel.lines.proved_line import ProvedLine
from vmci_tui.layers.file import BytesSource
from vmci_tui.proof.paging.walk import walk

_RAM, _CODE, _ROOT, _SECOND, _END = 0x40000000, 0x40200000, 0x40500000, 0x40540000, 0x40600000
_START = 0xFFFFFFD7B4A00000
_SHIFT = _START - _CODE
_MEMSTART = 0xFFFFFFF040000000
"""What KASLR made of 0x40000000: the linear map begins 64 GiB before it."""
_TYPES = types_with(
    {
        "p4d_t": (8, {"pgd": 0}), "pud_t": (8, {"p4d": 0}), "pmd_t": (8, {"pmd": 0}),
        "bpf_ringbuf": (0x4000, {"consumer_pos": 0x1000, "producer_pos": 0x2000}),
    }
)  # fmt: skip


def _kernel(*linear: int, roots: tuple[int, ...] = (_ROOT,)) -> RunningKernel:
    """Return a kernel with 39 bits; `linear`: the memstart_addr of each linear map of its code in the tables."""
    memory = bytearray(_END - _RAM)

    def put(at: int, entry: int) -> None:
        memory[at - _RAM : at - _RAM + 8] = struct.pack("<Q", entry)

    for root in roots:
        maps = [_START, *((1 << 64) - (1 << 39) + (_CODE - start) % (1 << 64) for start in linear)]
        for number, va in enumerate(maps, 1):
            put(root + 8 * (va >> 30 & 511), root + 0x1000 * number | 3)
            put(root + 0x1000 * number + 8 * (va >> 21 & 511), _CODE | 1)
    guest = raw_guest(BytesSource(bytes(memory)), _RAM)
    made = kernel_with("aarch64", _TYPES, {b"_stext": _START, b"_etext": _START + 0x1FF000}, b"6.1.0-57-arm64")
    return replace(
        made,
        physical=lambda va: va - _SHIFT if _CODE <= va - _SHIFT < _END else None,
        read=lambda va, length: guest.read(va - _SHIFT, length),
        walk=partial(walk, guest),
    )


def _lines(kernel: RunningKernel) -> list[ProvedLine]:
    text = b"SYMBOL(swapper_pg_dir)=%x\nNUMBER(PHYS_OFFSET)=0x%x\n" % (_ROOT + _SHIFT, _MEMSTART)
    return list(prove_lines(kernel, Vmcoreinfo(text)))


def test_the_tables_that_map_code_and_linear_map_are_the_kernels_own() -> None:
    assert [proved.verdict for proved in _lines(_kernel(_MEMSTART))] == ["confirmed", "confirmed"]
    root, start = prove_lines(_kernel(0x40000000), Vmcoreinfo(b"SYMBOL(swapper_pg_dir)=1\nNUMBER(PHYS_OFFSET)=0x1\n"))
    assert (root.verdict, root.found) == ("contradicted", b"%x" % (_ROOT + _SHIFT))
    assert (start.verdict, start.found) == ("contradicted", b"0x40000000")


def test_several_tables_or_linear_maps_leave_the_line_unknown() -> None:
    assert [proved.verdict for proved in _lines(_kernel())] == ["unknown", "unknown"]  # tables of boot: code alone
    assert [proved.verdict for proved in _lines(_kernel(_MEMSTART, 0x40000000))] == ["confirmed", "unknown"]
    twice = _kernel(_MEMSTART, roots=(_ROOT, _SECOND))
    assert [proved.verdict for proved in _lines(twice)] == ["unknown", "confirmed"]


def test_a_symbol_is_believed_before_tables() -> None:
    kernel = _kernel(_MEMSTART)
    named = replace(kernel, symbols=lambda name: (0x1000,) if name == b"swapper_pg_dir" else kernel.symbols(name))
    (root,) = prove_lines(named, Vmcoreinfo(b"SYMBOL(swapper_pg_dir)=1000\n"))
    assert root.verdict == "confirmed"


def test_of_the_search_a_cut_keeps_only_the_table_that_was_found() -> None:
    plain, reads = _kernel(_MEMSTART), []

    def recorded(va: int, length: int) -> bytes | None:
        reads.append(va - _SHIFT)
        return plain.read(va, length)

    assert {proved.verdict for proved in _lines(replace(plain, read=recorded, searched=plain))} == {"confirmed"}
    assert {at // 0x1000 for at in reads} == {_ROOT // 0x1000}
