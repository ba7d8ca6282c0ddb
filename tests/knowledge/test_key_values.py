from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.knowledge.glossary import known_keys
from vmci_tui.knowledge.key_values import decode


def _seen(key: bytes, value: bytes) -> dict[str, str]:
    return {item.label: item.shown for item in decode(key, value)}


@pytest.mark.parametrize(
    ("key", "value", "label", "shown"),
    [
        (b"NUMBER(phys_base)", b"-719323136", "hex", "0xffffffffd5200000"),
        (b"NUMBER(phys_base)", b"-719323136", "unsigned", "18446744072990228480"),
        (b"NUMBER(phys_base)", b"-719323136", "offset", "-686 MiB"),
        (b"NUMBER(kimage_voffset)", b"0xffff7fffc8000000", "signed", "-140738427879424"),
        (b"SYMBOL(_stext)", b"ffffffffb1c00000", "is in", "the kernel image"),
        (b"SYMBOL(prb)", b"c0000000027591c0", "is in", "ppc64's linear map, at paddr 0x27591c0"),
        (b"KERNELOFFSET", b"30c00000", "offset", "780 MiB"),
        (b"CRASHTIME", b"1700000000", "date", "2023-11-14 22:13:20 UTC"),
        (b"PAGESIZE", b"65536", "size", "64 KiB"),
        (b"SIZE(pglist_data)", b"172096", "size", "168.1 KiB"),
        (b"NUMBER(SECTION_SIZE_BITS)", b"27", "size", "2^27 bytes = 128 MiB"),
        (b"NUMBER(PG_lru)", b"4", "mask", "0x10"),
        (b"NUMBER(PG_head_mask)", b"65536", "bit", "16"),
        (b"NUMBER(pgtable_l5_enabled)", b"1", "means", "yes"),
        (b"BUILD-ID", b"ab" * 20, "length", "20 bytes"),
        (b"OSRELEASE", b"6.1.0-56-amd64", "version", "6.1.0"),
        (b"CONFIG_X86_PAE", b"y", "points to", "a kernel for i386 (proof): only i386 kernels write it"),
        (b"SIZE(list_head)", b"8", "points to", "a 32-bit kernel (proof): its size in a 32-bit kernel"),
    ],
)
def test_values(key: bytes, value: bytes, label: str, shown: str) -> None:
    assert _seen(key, value)[label] == shown


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (b"PAGESIZE", b"4096\r", "blanks or a carriage return around the number"),
        (b"PAGESIZE", b"", "empty: a number is expected"),
        (b"PAGESIZE", b"4096\0", "not a number in base 10"),
        (b"PAGESIZE", b"9" * 5000, "not a number in base 10"),
        (b"PAGESIZE", b"9" * 30, "more than 64 bits"),
        (b"PAGESIZE", b"4095", "not a power of two"),
        (b"PAGESIZE", b"010000", "a leading zero: some readers read it as octal; Linux writes none"),
        (b"NUMBER(phys_base)", b"0x1a000000", "hexadecimal: Linux writes decimal"),
        (b"NUMBER(VMALLOC_START)", b"ffff800008000000", "no 0x in front: Linux writes one"),
        (b"SYMBOL(_stext)", b"-1", "not a number in base 16"),
        (b"SYMBOL(_stext)", b"0", "not an address: readers refuse it or find nothing there"),
        (b"CRASHTIME", b"0", "not the time of a crash"),
        (b"CRASHTIME", b"99999999999999", "a time outside the calendar"),
        (b"BUILD-ID", b"abc", "an odd number of hex digits"),
        (b"BUILD-ID", b"ab-c", "not only hex digits"),
        (b"BUILD-ID", b"ab" * 19, "Linux writes 20 bytes"),
        (b"OSRELEASE", b"6.1-rc1", "not of the form a.b.c"),
        (b"CONFIG_X86_PAE", b"", "empty"),
    ],
)
def test_bad_values_are_reported(key: bytes, value: bytes, problem: str) -> None:
    assert problem in {item.shown for item in decode(key, value) if item.problem}


def test_a_region_is_named_only_if_it_is_certain() -> None:
    assert "is in" not in _seen(b"SYMBOL(mem_section)", b"ffff8b080beaf000")
    assert "is in" not in _seen(b"SYMBOL(mem_map)", b"c17e1d40")


@given(
    st.sampled_from(known_keys()) | st.binary(max_size=40),
    st.binary(max_size=40) | st.from_regex(rb"-?(0x)?[0-9a-f]{1,20}"),
)
def test_never_raises_and_shows_ascii_only(key: bytes, value: bytes) -> None:
    assert all(item.shown.isascii() and item.shown.isprintable() for item in decode(key, value))
