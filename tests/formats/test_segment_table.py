from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.elf_records import PT_LOAD, PT_NOTE, ElfFormat, Segment, format_of
from vmci_tui.formats.segment_table import Segments

_FORMS = [format_of(bits, order) for bits in (32, 64) for order in get_args(ByteOrder)]
_words, _longs = st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1)


def _headers(form: ElfFormat) -> st.SearchStrategy[list[Segment]]:
    wide = _words if form.bits == 32 else _longs
    kinds = st.sampled_from((PT_LOAD, PT_NOTE, 0x04000001))
    return st.lists(st.builds(Segment, kinds, _words, wide, wide, wide, wide, wide, wide), max_size=12)


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data())
def test_a_table_behaves_as_a_list_of_headers(form: ElfFormat, data: st.DataObject) -> None:
    headers = data.draw(_headers(form))
    segments = Segments.of(form, headers)
    assert list(segments) == headers and len(segments) == len(headers)
    assert list(segments.rows()) == [tuple(header) for header in headers]
    for at in range(-len(headers), len(headers)):
        assert segments[at] == headers[at]
    where = data.draw(st.slices(len(headers) + 1))
    assert list(segments[where]) == headers[where]
    for name in Segment._fields:
        assert list(segments.column(name)) == [getattr(header, name) for header in headers]
    for kind in (PT_LOAD, PT_NOTE, 7):
        these = [header for header in headers if header.type == kind]
        assert list(segments.of_type(kind)) == these and segments.count_of(kind) == len(these)
        assert list(segments.numbers(kind)) == [at for at, header in enumerate(headers) if header.type == kind]
        assert list(segments.only(kind)) == these
        assert list(segments.without(kind)) == [header for header in headers if header.type != kind]


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data())
def test_columns_and_single_headers_are_changed_in_a_copy(form: ElfFormat, data: st.DataObject) -> None:
    headers = data.draw(_headers(form))
    segments = Segments.of(form, headers)
    name = data.draw(st.sampled_from(Segment._fields))
    column = segments.column(name)
    column.reverse()
    changed = segments.replaced(**{name: column})
    assert list(changed) == [h._replace(**{name: v}) for h, v in zip(headers, column, strict=True)]
    numbers = st.integers(0, max(len(headers) - 1, 0))
    changes = data.draw(st.dictionaries(numbers, _headers(form), max_size=3 if headers else 0))
    wanted = [new for at, header in enumerate(headers) for new in changes.get(at, [header])]
    assert list(segments.spliced(changes)) == wanted
    assert list(segments) == headers


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data(), more=st.integers(0, 70), tail=st.integers(0, 90))
def test_whole_headers_are_read_at_any_stride(form: ElfFormat, data: st.DataObject, more: int, tail: int) -> None:
    headers = data.draw(_headers(form))
    size = form.segment.size
    table = b"".join(form.pack_segment(header) + bytes(more) for header in headers)
    whole = len(table) - more if headers else 0
    assert list(Segments.read(form, table[:whole], size + more)) == headers
    assert list(Segments.read(form, table[:whole] + bytes(tail % size), size + more))[: len(headers)] == headers
    assert list(Segments.read(form, table[: whole - 1], size + more)) == headers[:-1] if headers else True


def test_headers_of_other_bytes_are_not_equal() -> None:
    form = format_of(64, "little")
    one, other = (Segments.of(form, [Segment(PT_LOAD, 0, at, 0, 0, 1, 1, 0)]) for at in (0, 1))
    assert one == Segments.of(form, list(one)) and hash(one) == hash(Segments(form, one.table))
    assert one != other
    with pytest.raises(IndexError):
        one[1]
