"""Walking note areas as readelf, libelf and libkdumpfile do."""

from __future__ import annotations

import struct

import pytest

from tests.dumps.factory import cpus, note
from vmci_tui.common.span import Span
from vmci_tui.readers.shared.elf_notes import release_of, shifted, walk


def step_by_step(data: bytes, align: int) -> tuple[list[int], int | None]:
    """Return the offsets of notes with a name or a descriptor, and where the walk ends early."""
    starts: list[int] = []
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            return starts, at
        namesz, descsz, kind = struct.unpack_from("<III", data, at)
        end = -(-(-(-(at + 12 + namesz) // align) * align + descsz) // align) * align
        if end > len(data):
            return starts, at
        starts += [at] if namesz or descsz or kind else []
        at = end
    return starts, None


@pytest.mark.parametrize("align", [4, 8])
@pytest.mark.parametrize("zeros", [0, 4, 12, 16, 20, 24, 36, 40, 48, 96, 12 * 4096, 12 * 4096 + 4])
def test_zeros_are_passed_as_notes_without_name(zeros: int, align: int) -> None:
    for behind in (b"", note(b"A=1", align=align), bytes(zeros), b"\1"):
        data = bytes(zeros) + note(align=align) + behind
        area = walk(100, data, "little", align)
        assert ([each.offset - 100 for each in area.notes], area.broken) == step_by_step(data, align)


def test_a_walk_ends_at_what_does_not_fit() -> None:
    area = walk(0, cpus() + note(descsz=9999), "little", 4)
    assert (len(area.notes), area.broken) == (2, len(cpus()))
    assert walk(0, note() + b"abc", "little", 4).broken == len(note())


@pytest.mark.parametrize("align", [4, 8])
def test_the_padding_of_the_last_note_may_be_missing_for_some(align: int) -> None:
    whole = note(b"A=1", align=align) + note(b"B=2", align=align)
    text_ends = whole.rindex(b"B=2") + 3
    for length in range(text_ends - 1, len(whole)):
        strict, lax = (walk(0, whole[:length], "little", align, padding) for padding in (True, False))
        assert [each.desc for each in strict.notes] == [b"A=1"] and strict.broken is not None
        assert [each.desc for each in lax.notes] == [b"A=1", b"B=2"][: 1 + (length >= text_ends)]
        last = lax.notes[-1]
        assert last.unpadded == Span(last.offset, last.at + 3 - last.offset)


def test_zeros_at_the_end_of_a_note_are_no_shift() -> None:
    inside = walk(0, note(bytes(40), b"CORE\0", descsz=43) + note(), "little", 4)
    assert shifted(inside, "little") is None
    between = walk(0x1000, cpus() + bytes(8) + note(), "little", 4)
    assert shifted(between, "little") == Span(0x1000 + len(cpus()), 8)


def test_the_release_is_a_line_of_its_own() -> None:
    assert release_of(b"XOSRELEASE=1\nOSRELEASE=2\r\nOSRELEASE=3") == b"2\r"
    assert release_of(b"A=OSRELEASE=1") is None
