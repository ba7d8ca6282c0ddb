"""Test the lines of arm64 kernels that follow from the widths of their addresses, against notes of booted guests.

The notes are of Linux 6.1, 6.12 and 7.2 with pages of 4 and 16 KiB, 48 and 52 bits, on processors with 48 and 52.
"""

from __future__ import annotations

import gzip
import lzma
import re
from dataclasses import replace

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with
from tests.paths import DATA
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.kernel.facts.running_kernel import RunningKernel
from vmci_tui.kernel.lines.prove_lines import prove_lines
from vmci_tui.proof.paging.walk import Paging, WalkEnd
from vmci_tui.proof.text_values import address, small

_CUT = ("arm64-16k", "arm64-52-on-48", "arm64-lpa2")
_TOP = 1 << 64
_AT = {b"memstart_addr": 0x100, b"mem_section": 0x108, b"arm64_ftr_regs": 0x200}
"""Where the variables are; the two registers are at 0x300 and 0x340."""
_REGISTERS = ((0x180600, 0x300), (0x180620, 0x300), (0x180640, 0x340))
_FOLLOW = [
    b"NUMBER(VA_BITS)", b"NUMBER(MODULES_VADDR)", b"NUMBER(MODULES_END)", b"NUMBER(VMALLOC_START)",
    b"NUMBER(VMALLOC_END)", b"NUMBER(VMEMMAP_START)", b"NUMBER(VMEMMAP_END)", b"SYMBOL(vmemmap)", b"KERNELOFFSET",
    b"NUMBER(TCR_EL1_T1SZ)", b"NUMBER(KERNELPACMASK)", b"NUMBER(PHYS_OFFSET)", b"NUMBER(SECTION_SIZE_BITS)",
    b"NUMBER(MAX_PHYSMEM_BITS)", b"LENGTH(mem_section)", b"PAGESIZE",
]  # fmt: skip


def _notes() -> list[bytes]:
    text = lzma.decompress((DATA / "notes" / "debian.txt.xz").read_bytes())
    notes = [note for note in text.split(b"\n\n") if b"-arm64\n" in note]
    for name in _CUT:
        found = re.search(
            rb"(?:[A-Z][^\n\0]*\n){90,}", gzip.decompress((DATA / "guests" / f"{name}.elf.gz").read_bytes())
        )
        assert found is not None
        notes.append(found[0])
    # Of kernels built from Debian's source of 6.12.117 and 7.2.13 for 48 bits, as other distributions build theirs.
    return [*notes, *((DATA / "notes" / f"arm64-48-bits{version}.txt").read_bytes() for version in ("", "-72"))]


_NOTES = _notes()


def _kernel(note: Vmcoreinfo, release: bytes = b"") -> RunningKernel:
    """Return a kernel that has what is asked for of the one that wrote the note: types, variables and tables."""
    built, start = small(note, b"NUMBER(VA_BITS)", 52) or 0, address(note, b"NUMBER(PHYS_OFFSET)") or 0
    used = 64 - (address(note, b"NUMBER(TCR_EL1_T1SZ)") or 0)
    page = note.page_size or 0
    levels = -(-(built - (page.bit_length() - 1)) // (page.bit_length() - 4))
    entries = zip(("pmd", "pud", "p4d"), ("pud", "p4d", "pgd"), (levels > 2, levels > 3, levels > 4), strict=True)
    types = types_with(
        {
            "page": (64, {}),
            "mem_section": (small(note, b"SIZE(mem_section)", 64) or 0, {}),
            "bpf_ringbuf": (4 * page, {"consumer_pos": page, "producer_pos": 2 * page}),
            **{f"{own}_t": (8, {own if real else folded: 0}) for own, folded, real in entries},
            "__ftr_reg_entry": (16, {"sys_id": 0, "reg": 8}),
            "arm64_ftr_reg": (56, {"sys_val": 24}),
        }
    )
    linear = (_TOP - (1 << built) - start + 0x48000000) % _TOP
    capable = (address(note, b"NUMBER(KERNELPACMASK)") or 0) != 0
    words = {0x100: start, 0x108: linear, 0x318: 0x10 * capable, 0x358: 0}
    for at, (number, register) in enumerate(_REGISTERS):
        words |= {0x200 + 16 * at: number, 0x208 + 16 * at: register}

    def walk(tables: Paging, root: int, va: int) -> WalkEnd:
        """Map the pointer to its place with tables for the bits in use, and nothing with others."""
        bits = tables.levels[0].shift + tables.levels[0].width
        return WalkEnd("mapped", 0x48000000) if (bits, va) == (used, linear) else WalkEnd("unmapped", root)

    symbols = {**_AT, b"_stext": address(note, b"SYMBOL(_stext)") or int(note.get(b"SYMBOL(_stext)") or b"0", 16)}
    symbols |= {b"swapper_pg_dir": 0x1000, b"ptrauth_prctl_reset_keys": 0x2000}
    made = kernel_with("aarch64", types, symbols, release or note.osrelease or b"")
    return replace(
        made, walk=walk, read=lambda at, length: words[at].to_bytes(8, "little")[:length] if at in words else None
    )


def _followed(note: Vmcoreinfo) -> Vmcoreinfo:
    lines = [b"%s=%s\n" % (key, value) for key in _FOLLOW if (value := note.get(key)) is not None]
    assert len(lines) >= len(_FOLLOW) - 1  # 6.1 has no SYMBOL(vmemmap)
    return Vmcoreinfo(b"".join(lines))


@pytest.mark.parametrize("raw", _NOTES, ids=lambda raw: raw[10:].partition(b"\n")[0].decode())
def test_each_line_that_follows_is_as_the_kernel_wrote_it(raw: bytes) -> None:
    note = Vmcoreinfo(raw)
    kernel, text = _kernel(note), _followed(note)
    assert {proved.key: proved.verdict for proved in prove_lines(kernel, text)} == dict.fromkeys(
        (line.key for line in text.lines), "confirmed"
    )
    for line in text.lines:
        (false,) = prove_lines(kernel, Vmcoreinfo(b"%s=1%s\n" % (line.key, line.value)))
        assert (false.verdict, false.found) == ("contradicted", line.value)


def test_of_versions_and_widths_whose_notes_were_not_compared_only_the_width_is_said() -> None:
    note = Vmcoreinfo(_NOTES[0])  # 6.1, 48 bits
    known = {b"NUMBER(VA_BITS)", b"NUMBER(TCR_EL1_T1SZ)", b"NUMBER(KERNELPACMASK)", b"NUMBER(PHYS_OFFSET)", b"PAGESIZE"}
    for release in (b"5.14.0-503.el9.aarch64", b"6.8.0-31-generic", b"6.11.0-8-generic", b"7.3.1"):
        lines = prove_lines(_kernel(note, release), _followed(note))
        confirmed = {proved.key for proved in lines if proved.verdict == "confirmed"}
        assert confirmed - {b"NUMBER(SECTION_SIZE_BITS)"} == known
        assert not [proved for proved in lines if proved.verdict == "contradicted"]
        assert all(proved.why for proved in lines if proved.verdict == "unknown")


def test_tables_that_the_dump_lacks_leave_the_bits_in_use_unknown_not_wrong() -> None:
    note = Vmcoreinfo(next(raw for raw in _NOTES if b"NUMBER(VA_BITS)=52" in raw and b"PAGESIZE=4096" in raw))
    kernel = replace(_kernel(note), walk=lambda tables, root, va: WalkEnd("absent", root))
    verdicts = {proved.key: proved.verdict for proved in prove_lines(kernel, _followed(note))}
    assert verdicts[b"NUMBER(VA_BITS)"] == verdicts[b"NUMBER(VMEMMAP_START)"] == "confirmed"
    assert verdicts[b"NUMBER(TCR_EL1_T1SZ)"] == verdicts[b"NUMBER(VMALLOC_END)"] == "unknown"
    other = replace(kernel, walk=lambda tables, root, va: WalkEnd("mapped", 0))
    assert {proved.verdict for proved in prove_lines(other, Vmcoreinfo(b"NUMBER(VA_BITS)=48\n"))} == {"unknown"}


@pytest.mark.parametrize("size", [0, 1 << 20])
def test_a_struct_page_of_an_impossible_size_gives_no_layout(size: int) -> None:
    types = types_with({
        "page": (size, {}), "p4d_t": (8, {"pgd": 0}), "pud_t": (8, {"pud": 0}), "pmd_t": (8, {"pmd": 0}),
        "bpf_ringbuf": (0x4000, {"consumer_pos": 0x1000, "producer_pos": 0x2000}),
    })  # fmt: skip
    kernel = kernel_with("aarch64", types, {}, b"6.1.0")
    width, start = prove_lines(kernel, Vmcoreinfo(b"NUMBER(VA_BITS)=48\nNUMBER(VMEMMAP_START)=0x0\n"))
    assert (width.verdict, start.verdict) == ("confirmed", "unknown")


def test_a_width_that_no_address_has_is_not_believed() -> None:
    wide = kernel_with("aarch64", symbols={b"vabits_actual": 0xFFFFFFFF81000108})  # there is a pointer
    (proved,) = prove_lines(wide, Vmcoreinfo(b"NUMBER(TCR_EL1_T1SZ)=0x10\n"))
    assert proved.verdict == "unknown" and "vabits_actual" in proved.why
