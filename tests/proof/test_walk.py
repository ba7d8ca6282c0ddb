"""Test page tables that no available guest has, crafted from the manuals of the architectures."""

from __future__ import annotations

import pytest

from tests.proof.synthetic import Ram
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.paging import arm as paging_arm
from vmci_tui.proof.paging import s390x_ppc64_riscv as paging_others
from vmci_tui.proof.paging import x86 as paging_x86
from vmci_tui.proof.paging.walk import Paging, walk

_VA = 0xFFFFFFFFB37FB123
_ROOT, _ONE, _TWO, _THREE, _FOUR = 0x10000, 0x20000, 0x30000, 0x40000, 0x50000


def _walked(
    paging: Paging, va: int, entries: list[int], masks: tuple[int, ...] = (~0xFFF & (1 << 48) - 1,)
) -> tuple[str, int]:
    """Return the result of the walk for `va` over these entries, one for each level."""
    ram = Ram(paging.order)
    table = _ROOT
    for level, entry in zip(paging.levels, entries, strict=False):
        ram.word(table + (va >> level.shift & (1 << level.width) - 1) * paging.size, entry, paging.size)
        table = entry & masks[0]
    found = walk(ram.guest(), paging, _ROOT, va)
    return found.state, found.paddr


def _text(*lines: bytes) -> Vmcoreinfo:
    return Vmcoreinfo(b"".join(line + b"\n" for line in lines))


def test_x86_64_with_four_levels_five_levels_and_large_pages() -> None:
    (four,) = paging_x86.long_mode(_text())
    assert _walked(four, _VA, [_ONE | 1, _TWO | 1, _THREE | 1, 0x80000000089FB063]) == ("mapped", 0x89FB123)
    assert _walked(four, _VA, [_ONE | 1, _TWO | 1, 0x80000000088001E3]) == ("mapped", 0x89FB123)
    assert _walked(four, _VA, [_ONE | 1, 0x400001E3 | 1 << 12]) == ("mapped", 0x40000000 | _VA & 0x3FFFFFFF)
    assert _walked(four, _VA, [_ONE | 1, _TWO | 1, 0x88001E2])[0] == "unmapped"
    assert _walked(four, _VA, [_ONE | 1, _TWO | 1])[0] == "absent"
    assert _walked(four, _VA, [_ONE | 0x81, _TWO | 1, _THREE | 1, 0x89FB001]) == (
        "mapped",
        0x89FB123,
    )  # PS means nothing
    (five,) = paging_x86.long_mode(_text(b"NUMBER(pgtable_l5_enabled)=1"))
    assert _walked(five, _VA, [_ONE | 1, _TWO | 1, _THREE | 1, 0x88001E3 | 1 << 63]) == ("mapped", 0x89FB123)


def test_the_memory_encryption_bit_is_not_part_of_an_address() -> None:
    mask = 1 << 47
    (paging,) = paging_x86.long_mode(_text(b"NUMBER(sme_mask)=%d" % mask))
    plain = ~0xFFF & mask - 1
    entries = [_ONE | 1 | mask, _TWO | 1 | mask, 0x88001E3 | mask]
    assert _walked(paging, _VA, entries, (plain,)) == ("mapped", 0x89FB123)


def test_i386() -> None:
    (short,) = paging_x86.protected_mode(_text())
    assert _walked(short, 0xC9D45DA0, [_ONE | 1, 0x9D45163]) == ("mapped", 0x9D45DA0)
    assert _walked(short, 0xC9D45DA0, [0x09C001E3]) == ("mapped", 0x9D45DA0)
    assert _walked(short, 0xC9D45DA0, [0x09C001E3 | 5 << 13]) == ("mapped", 0x509D45DA0)  # PSE-36
    assert _walked(short, 0xC9D45DA0, [0])[0] == "unmapped"
    (pae,) = paging_x86.protected_mode(_text(b"CONFIG_X86_PAE=y"))
    assert _walked(pae, 0xC9D45DA0, [_ONE | 1, _TWO | 0x63, 1 << 63 | 0x909D45163]) == ("mapped", 0x909D45DA0)
    assert _walked(pae, 0xC9D45DA0, [_ONE | 1, 0x9C001E3]) == ("mapped", 0x9D45DA0)


_ARM64 = {
    (b"4096", b"48", b"0x10"): (4, 39, 9),
    (b"4096", b"39", b"0x19"): (3, 30, 9),
    (b"4096", b"52", b"0xc"): (5, 48, 4),
    (b"16384", b"47", b"0x11"): (3, 36, 11),
    (b"16384", b"48", b"0x10"): (4, 47, 1),
    (b"16384", b"52", b"0xc"): (4, 47, 5),
    (b"65536", b"42", b"0x16"): (2, 29, 13),
    (b"65536", b"52", b"0xc"): (3, 42, 10),
}


@pytest.mark.parametrize("key", _ARM64)
def test_arm64_levels(key: tuple[bytes, bytes, bytes]) -> None:
    page, bits, size = key
    pagings = paging_arm.arm64(
        _text(b"PAGESIZE=" + page, b"NUMBER(VA_BITS)=" + bits, b"NUMBER(TCR_EL1_T1SZ)=" + size), "little"
    )
    assert [(len(p.levels), *p.levels[0]) for p in pagings] == [_ARM64[key]]


def test_arm64_built_for_52_bits_on_a_processor_with_48_tries_both() -> None:
    lines = (b"NUMBER(VA_BITS)=52", b"NUMBER(TCR_EL1_T1SZ)=0x10")
    pagings = paging_arm.arm64(_text(b"PAGESIZE=65536", *lines), "little")
    assert [p.levels[0].width for p in pagings] == [10, 6]
    assert [len(p.levels) for p in paging_arm.arm64(_text(b"PAGESIZE=4096", *lines), "little")] == [5, 4]


@pytest.mark.parametrize("order", ["little", "big"])
def test_arm64_descriptors(order: ByteOrder) -> None:
    va = 0xFFFFB51E7011C030
    (plain,) = paging_arm.arm64(_text(b"PAGESIZE=4096", b"NUMBER(VA_BITS)=48"), order)
    assert _walked(plain, va, [_ONE | 3, _TWO | 3, _THREE | 3, 0xE800004211CF03]) == ("mapped", 0x4211C030)
    assert _walked(plain, va, [_ONE | 3, _TWO | 3, 0xE8000042000F01]) == ("mapped", 0x4211C030)
    assert _walked(plain, va, [_ONE | 3, _TWO | 3, _THREE | 3, 0xE800004211CF01])[0] == "unmapped"
    (wide,) = paging_arm.arm64(_text(b"PAGESIZE=4096", b"NUMBER(VA_BITS)=52", b"NUMBER(TCR_EL1_T1SZ)=0xc"), order)
    entries = [_ONE | 3, _TWO | 3, _THREE | 3, _FOUR | 3, 3 << 8 | 1 << 48 | 0x4211C003]
    assert _walked(wide, va, entries) == ("mapped", 0xD00004211C030)
    (large,) = paging_arm.arm64(_text(b"PAGESIZE=65536", b"NUMBER(VA_BITS)=52", b"NUMBER(TCR_EL1_T1SZ)=0xc"), order)
    assert _walked(large, va, [_ONE | 3, _TWO | 3, 0x7 << 12 | 0x42110003], (~0xFFFF & (1 << 48) - 1,)) == (
        "mapped",
        0x700004211C030,
    )


def test_arm() -> None:
    (short,) = paging_arm.arm(_text(), "little")
    va = 0xC1A24200
    assert _walked(short, va, [0x41A1140E]) == ("mapped", 0x41A24200)
    assert _walked(short, va, [0x4104140E | 1 << 18]) == ("mapped", 0x41A24200)
    assert _walked(short, va, [0x4104140E | 1 << 18 | 2 << 20]) == ("mapped", 0x241A24200)
    assert _walked(short, va, [_ONE | 1, 0x41A2445E]) == ("mapped", 0x41A24200)
    assert _walked(short, va, [_ONE | 1, 0x41A20041]) == ("mapped", 0x41A24200)
    assert _walked(short, va, [_ONE | 1, 0])[0] == "unmapped"
    (long,) = paging_arm.arm(_text(b"CONFIG_ARM_LPAE=y"), "little")
    assert _walked(long, va, [_ONE | 3, 0x4000004180071D]) == ("mapped", 0x41824200)


def test_s390x_entries_give_the_levels() -> None:
    va = 0x3FFFFD01E00
    by_first = {p.levels[0].shift: p for p in paging_others.s390x()}
    walked = {
        31: [_ONE | 0x7, _TWO, 0x2301000],
        42: [_ONE | 0xB, _TWO | 0x7, _THREE, 0x2301000],
        53: [_ONE | 0xF, _TWO | 0xB, _THREE | 0x7, _FOUR, 0x2301000],
    }
    for first, entries in walked.items():
        assert _walked(by_first[first], va, entries) == ("mapped", 0x2301E00)
        for other in set(by_first) - {first}:
            assert _walked(by_first[other], va, entries)[0] != "mapped"
    assert _walked(by_first[31], va, [_ONE | 0x7, 0x2300400]) == ("mapped", 0x2301E00)  # 1 MiB
    assert _walked(by_first[31], va, [0x80000407]) == ("mapped", 0x80000000 | va & 0x7FFFFFFF)  # 2 GiB
    assert _walked(by_first[31], va, [_ONE | 0x27])[0] == "unmapped"
    assert _walked(by_first[31], va, [_ONE | 0x7, _TWO, 0x2301400])[0] == "unmapped"


def test_riscv64() -> None:
    va = 0xFFFFFFFF8227E5C0

    def entry(paddr: int, bits: int) -> int:
        return paddr >> 12 << 10 | bits

    masks = {57: 5, 48: 4, 39: 3}
    for bits, depth in masks.items():
        (paging,) = paging_others.riscv64(_text(b"NUMBER(VA_BITS)=%d" % bits))
        ram, table = Ram(), _ROOT
        for number, level in enumerate(paging.levels):
            last = number == depth - 2  # a large page of 2 MiB
            to = 0x82400000 if last else _ONE + number * 0x10000
            ram.word(table + (va >> level.shift & 0x1FF) * 8, entry(to, 0xE7 if last else 1))
            table = to
        found = walk(ram.guest(), paging, _ROOT, va)
        assert (found.state, found.paddr) == ("mapped", 0x8247E5C0)
    assert len(paging_others.riscv64(_text())) == 3


def test_ppc64_radix() -> None:
    va = 0xC0000000026AB1C0
    (paging,) = paging_others.ppc64(_text(b"PAGESIZE=65536", b"NUMBER(RADIX_MMU)=1"))
    assert paging.order == "big" and paging.sure
    valid, leaf = 1 << 63, 1 << 62
    low = (~0xFF & (1 << 48) - 1,)
    assert _walked(paging, va, [valid | _ONE | 9, valid | leaf | 0x187], low) == ("mapped", va & 0x3FFFFFFF)
    assert _walked(
        paging, va, [valid | _ONE | 9, valid | _TWO | 9, valid | _THREE | 5, valid | leaf | 0x26A0187], low
    ) == (
        "mapped",
        0x26AB1C0,
    )
    assert _walked(paging, va, [0], low)[0] == "unmapped"
    assert paging_others.ppc64(_text(b"PAGESIZE=65536", b"NUMBER(RADIX_MMU)=0")) == ()
    assert not paging_others.ppc64(_text(b"PAGESIZE=4096"))[0].sure
