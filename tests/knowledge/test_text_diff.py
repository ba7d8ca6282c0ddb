"""Test the comparison of two texts, and the meaning of their difference."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from tests.dumps.factory import TEXT_32, TEXT_64, note
from tests.opened_files import open_document
from tests.properties import given
from vmci_tui.formats.elf_note import Note, parse_raw
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.knowledge.text_diff import TextDiff, compare, difference_text, header_remarks, meaning

_KASLR = (
    TEXT_64.replace(b"827fb000", b"837fb000").replace(b"82610000", b"83610000").replace(b"=1000000\n", b"=2000000\n")
)


def _compare(a: bytes, b: bytes) -> TextDiff:
    return compare(Vmcoreinfo(a), Vmcoreinfo(b))


def test_the_same_text() -> None:
    found = _compare(TEXT_64, TEXT_64)
    assert found.same and found.keys == () and len(found.summary) == 1


@pytest.mark.parametrize(
    ("b", "kind", "words"),
    [
        (TEXT_64.replace(b"6.1.0-test", b"6.1.1-test"), "kernel", "another kernel: 6.1.0-test in A, 6.1.1-test in B"),
        (TEXT_64.replace(b"BUILD-ID=0", b"BUILD-ID=f"), "kernel", "another build"),
        (TEXT_64.replace(b"phys_base)", b"kimage_voffset)"), "kernel", "x86_64 in A, aarch64 in B"),
        (_KASLR, "boot", "KASLR moved the kernel up by 0x1000000: KERNELOFFSET and 2 symbols by the same amount"),
        (TEXT_64.replace(b"OFFSET=1000000", b"OFFSET=2000000"), "boot", "so one was edited"),
        (TEXT_64.replace(b"=16777216", b"=-16777216"), "boot", "NUMBER(phys_base) is 16777216 in A, -16777216 in B"),
        (TEXT_64.replace(b"=16777216", b"=zz"), "boot", "NUMBER(phys_base) is 16777216 in A, zz in B"),
        (TEXT_64.replace(b"OFFSET=1000000", b"OFFSET=zz"), "boot", "edited values"),
        (TEXT_64.replace(b"ffffffff82610000", b"zz"), "boot", "edited values"),
        (TEXT_64 + b"CRASHTIME=1763900000\n", "crash", "B was written at a panic (2025-11-23 12:13:20 UTC), A by"),
        (TEXT_64 + b"CRASHTIME=zz\n", "crash", "CRASHTIME zz"),
        (TEXT_64.replace(b"=16\n", b"=17\n"), "values", "1 changed (SIZE(list_head))"),
        (TEXT_64 + b"PAGESIZE=8192\n", "values", "1 changed (PAGESIZE)"),
        (TEXT_64[:-1], "form", "last newline differs: A has it"),
        (b"".join(reversed(TEXT_64.splitlines(True))), "form", "another order"),
        (TEXT_64 + b"no equals sign\n", "form", "lines without `=`"),
        (b"", "values", "gone"),
        (TEXT_32, "kernel", "1 added, 3 gone, 2 changed"),
    ],
)
def test_meanings_of_a_difference(b: bytes, kind: str, words: str) -> None:
    found = _compare(TEXT_64, b)
    assert found.kind == kind and any(words in sentence for sentence in found.summary), found.summary
    assert not found.same and all(sentence.isprintable() for sentence in found.summary)


def test_two_panics_and_a_live_guest() -> None:
    first, second = (TEXT_64 + b"CRASHTIME=%d\n" % at for at in (1763900000, 1763900001))
    assert "two panics: A at 2025-11-23 12:13:20 UTC" in _compare(first, second).summary[0]
    assert "A was written at a panic" in _compare(first, TEXT_64).summary[0]


def test_keys_come_with_both_values_and_their_meaning() -> None:
    added, gone, changed = b"NUMBER(VA_BITS)", b"KERNELOFFSET", b"SYMBOL(swapper_pg_dir)"
    b = _KASLR.replace(b"KERNELOFFSET=2000000\n", b"NUMBER(VA_BITS)=48\n")
    keys = {item.key: item for item in _compare(TEXT_64, b).keys}
    assert [keys[key].change for key in (added, gone, changed)] == ["added", "gone", "changed"]
    assert (keys[changed].a, keys[changed].b) == (b"ffffffff82610000", b"ffffffff83610000")
    assert "page table" in meaning(keys[changed]) and meaning(keys[changed]).endswith("Moved up by 0x1000000.")
    assert keys[added].a is None and keys[gone].b is None
    lines = list(difference_text(_compare(TEXT_64, b)))
    assert "SYMBOL(swapper_pg_dir): changed" in lines and "  b  48" in lines
    assert "no kernel writes" in meaning(_compare(b"", b"what=1\n").keys[0])


def test_headers() -> None:
    little, big, odd = (parse_raw(data) for data in (note(), note(order="big"), note(kind=3, name=b"VMCOREINFO")))
    assert isinstance(little, Note) and isinstance(big, Note)
    assert header_remarks(little, little) == header_remarks(None, little) == header_remarks(little, None) == ()
    assert "do not differ" in header_remarks(little, big)[0]
    assert len(header_remarks(little, odd)) == 1 + (odd is not None and odd.name != little.name)


def test_two_boots_of_a_real_kernel(sample: Callable[[str], str]) -> None:
    a, b = (open_document(sample(name)).state.vmcoreinfo for name in ("amd64-cut-note.elf", "amd64-note.elf-win4k"))
    assert a is not None and b is not None
    found = compare(a, b)
    assert found.kind == "boot" and "KASLR moved the kernel down by 0x3c00000" in found.summary[1]
    # mem_section is the address that it points at, which KASLR of the image does not move.
    assert "1 symbol by another amount" in found.summary[1]
    assert len(found.summary) == 3 and found.summary[2].startswith("NUMBER(phys_base)")


_LINES = st.lists(
    st.sampled_from(
        [*TEXT_64.splitlines(True), *_KASLR.splitlines(True), b"KERNELOFFSET=-\n", b"=\n", b"\n", b"x", b"\0"]
    )
    | st.binary(max_size=20)
).map(b"".join)


@given(_LINES, _LINES)
def test_any_two_texts_can_be_compared(a: bytes, b: bytes) -> None:
    found = _compare(a, b)
    assert found.summary and found.same == (a == b)
    assert all(line.isascii() and line.isprintable() for line in difference_text(found))
