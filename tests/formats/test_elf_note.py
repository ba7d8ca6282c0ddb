from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import strategies as st

from tests.dumps import factory
from tests.properties import given
from vmci_tui.formats.elf_note import NAME, NOTE_LIMIT, align_up, build, parse_notes, parse_raw

Order = Literal["little", "big"]
_orders = st.sampled_from(["little", "big"])


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40), st.integers(0, 2**32 - 1))), _orders)
def test_built_notes_agree_with_the_factory_and_parse_again(
    parts: list[tuple[bytes, bytes, int]], order: Order
) -> None:
    built = [build(name, kind, desc, order) for name, desc, kind in parts]
    area = b"".join(note.raw for note in built)
    assert area == b"".join(factory.note(desc, name, kind, order) for name, desc, kind in parts)
    walked = parse_notes(area, order)
    assert [(n.name, n.desc, n.type) for n in walked] == parts
    assert all(note.whole for note in walked)


@given(st.binary(max_size=300), _orders, st.sampled_from([0, 1, 4, 8, 4096]))
def test_the_notes_together_are_all_bytes_of_the_area(area: bytes, order: Order, align: int) -> None:
    notes = parse_notes(area, order, align)
    assert b"".join(note.raw for note in notes) == area
    assert all(note.whole for note in notes[:-1])
    for note in notes:
        assert len(note.name) <= len(note.raw) and len(note.desc) <= len(note.raw)


@pytest.mark.parametrize(
    ("area", "why"),
    [
        (bytes(5), "too few for a header"),
        (factory.note(b"x=1\n", namesz=2**32 - 1), "namesz 4294967295"),
        (factory.note(b"x=1\n", descsz=2**32 - 1), "descsz 4294967295"),
        (factory.note(b"x=1\n")[:-1], "descsz"),
    ],
)
def test_a_note_shorter_than_its_header_claims_is_broken_with_a_reason(area: bytes, why: str) -> None:
    first, last = parse_notes(factory.cpus()[:356] + area, "little")
    assert first.whole and last.broken is not None and why in last.broken
    assert last.raw == area


def test_padding_to_8_is_followed_only_where_it_is_needed() -> None:
    by_eight = factory.note(b"12345", b"CORE\0", align=8) + factory.note(b"k=1\n", align=8)
    assert [n.desc for n in parse_notes(by_eight, "little", 8)] == [b"12345", b"k=1\n"]
    by_four = factory.note(b"12345", b"CORE\0") + factory.note(b"k=1\n")
    assert [n.desc for n in parse_notes(by_four, "little", 8)] == [b"12345", b"k=1\n"]
    packed = parse_notes(by_eight, "little", 8)[0].packed("little")
    assert packed.raw == factory.note(b"12345", b"CORE\0")


def test_a_header_in_the_other_byte_order_is_detected() -> None:
    (note,) = parse_notes(factory.note(order="little"), "big")
    assert note.whole and note.order == "little" and note.name == NAME
    assert note.packed("big").raw == factory.note(order="big")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (b"VMCOREINFO\0", True), (b"VMCOREINFO", True), (b"VMCOREINFO\0\0", True), (b"VMCOREINFO\0more", True),
        (b"VMCOREINFO_XEN\0", False), (b"VMCOREINF\0", False), (b"vmcoreinfo\0", False), (b"CORE\0", False),
        (b"", False),
    ],
)  # fmt: skip
def test_names_of_vmcoreinfo_notes(name: bytes, ours: bool) -> None:
    assert build(name, 0, b"A=1\n", "little").is_vmcoreinfo is ours


def test_kinds_of_note() -> None:
    assert parse_notes(bytes(12), "little")[0].is_empty
    assert not build(b"", 1, b"", "little").is_empty
    assert build(NAME, 0, b"PAGEDU64" + bytes(8), "little").is_windows
    assert any(parse_notes(factory.note(b"abc", pad=b"!"), "little")[0].padding)


def test_a_raw_note_is_read_in_both_byte_orders_and_with_zeros_after_it() -> None:
    for order in ("little", "big"):
        note = parse_raw(factory.note(order=order) + bytes(500))
        assert note is not None and note.desc == factory.TEXT_64 and note.order == order
    for bad in (b"", bytes(12), factory.note(name=b"CORE\0"), factory.note()[:100], factory.TEXT_64):
        assert parse_raw(bad) is None


def test_the_number_of_notes_is_bounded() -> None:
    notes = parse_notes(bytes(12) * (NOTE_LIMIT + 5), "little")
    assert len(notes) == NOTE_LIMIT + 1 and notes[-1].broken == f"more than {NOTE_LIMIT} notes"


def test_align_up_rounds_up() -> None:
    assert [align_up(n) for n in (0, 1, 4, 5)] == [0, 4, 4, 8] and align_up(9, 8) == 16
