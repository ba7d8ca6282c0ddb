"""Test the text that is made from the tables of a kernel: nothing but what memory shows, in the order of Linux."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kernel.made_types import types_with
from tests.kernel.test_lines import kernel_with, types_of_the_test
from vmci_tui.kernel.facts.running_kernel import NotKnown, RunningKernel
from vmci_tui.kernel.lines.made_text import MadeText, made_text

_STEXT = 0xFFFFFFFF81000000


def _made(kernel: RunningKernel) -> MadeText:
    found = made_text(kernel)
    assert isinstance(found, MadeText)
    return found


def test_each_line_is_made_with_its_source_in_the_order_of_linux() -> None:
    made = _made(kernel_with(types=types_of_the_test()))
    assert made.text.text.startswith(b"OSRELEASE=6.1.0-56\nBUILD-ID=000102")
    values = {line.key: line.value for line in made.lines}
    assert values[b"SYMBOL(_stext)"] == b"ffffffff81000000" and values[b"NUMBER(PG_lru)"] == b"5"
    assert values[b"NUMBER(phys_base)"] == b"-4096" and values[b"NUMBER(PG_head_mask)"] == b"65536"
    assert all(line.by for line in made.lines) and all(line.why for line in made.left_out)
    keys = list(values)
    assert keys.index(b"SYMBOL(mem_section)") < keys.index(b"NUMBER(PG_lru)") < keys.index(b"NUMBER(sme_mask)")
    assert not {line.key for line in made.left_out} & set(keys)


def test_a_line_that_a_kernel_with_whole_tables_lacks_is_neither_made_nor_missing() -> None:
    names = {b"_stext": _STEXT, b"linux_banner": _STEXT + 8}
    made = _made(kernel_with(symbols=names))
    said = {line.key for line in made.lines} | {line.key for line in made.left_out}
    assert b"SYMBOL(mem_map)" not in said and b"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)" not in said
    without = _made(kernel_with(symbols={b"_stext": _STEXT}))
    assert b"SYMBOL(mem_map)" in {line.key for line in without.left_out}


def test_a_line_of_an_option_is_made_only_where_the_kernel_has_its_function() -> None:
    names = {b"_stext": _STEXT, b"hugetlb_fault": _STEXT + 8}
    keys = {line.key for line in _made(kernel_with(symbols=names)).lines}
    assert b"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)" in keys and b"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)" not in keys


@pytest.mark.parametrize(("string", "made"), [(b"SECTION_SIZE_BITS", True), (b"OLD_SECTION_SIZE_BITS", False)])
def test_a_line_that_later_releases_got_is_made_only_where_the_kernel_has_its_name(string: bytes, made: bool) -> None:
    types = types_with({"mem_section": (32, {})})
    symbols = {b"_stext": _STEXT, b"_etext": _STEXT + 0x1000}
    data = (b"\0%b\0" % string).ljust(4096, b"\0")

    def read(at: int, length: int) -> bytes | None:
        return data[:length] if at == _STEXT + 0x1000 else None

    kernel = replace(kernel_with(types=types, symbols=symbols, release=b"5.10.0-46"), read=read)
    found = _made(kernel)
    said = {line.key for line in found.lines} | {line.key for line in found.left_out}
    assert (b"NUMBER(SECTION_SIZE_BITS)" in said) == made


def test_a_value_that_may_be_one_of_several_is_left_out() -> None:
    """Without the header of its image it is not known where an x86-64 kernel is linked: at 16 MiB, or at 2 MiB."""
    left = {line.key: line.why for line in _made(kernel_with()).left_out}
    assert left[b"KERNELOFFSET"] == "several values fit"


@pytest.mark.parametrize("release", [b"5.9.16", b"7.99.1", b"4.19.0", b"next", b""])
def test_of_a_version_whose_lines_are_not_known_no_text_is_made(release: bytes) -> None:
    assert isinstance(made_text(kernel_with(release=release)), NotKnown)


def test_without_the_lines_that_every_reader_needs_no_text_is_made() -> None:
    assert isinstance(made_text(kernel_with(symbols={b"_text": _STEXT})), NotKnown)
    assert isinstance(made_text(kernel_with("aarch64")), NotKnown)  # its pages have one of three sizes
    assert isinstance(made_text(kernel_with("sparc64")), NotKnown)
