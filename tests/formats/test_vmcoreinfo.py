from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from tests.properties import given
from vmci_tui.common.errors import EditError
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo

_texts = st.text("AB=\n\0 1\r", max_size=60).map(str.encode)
_values = st.binary(max_size=10).filter(lambda value: b"\n" not in value)
_TEXT = Vmcoreinfo(b"OSRELEASE=6.1\nPAGESIZE=4096\nbroken\nA=1\nA=2\nB==x\nlast=no newline")


@given(_texts)
def test_the_lines_are_the_text_byte_for_byte(text: bytes) -> None:
    lines = Vmcoreinfo(text).lines
    assert b"".join(line.raw for line in lines) == text
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(text[line.offset :].startswith(line.raw) for line in lines)


@given(_texts, st.sampled_from([b"A", b"B", b"AB", b"C"]), _values)
def test_setting_a_key_changes_only_its_lines(text: bytes, key: bytes, value: bytes) -> None:
    old = Vmcoreinfo(text)
    new = old.with_value(key, value)
    assert new.get(key) == value
    kept = [line.raw for line in new.lines if line.key != key]
    ended = text if text.endswith(b"\n") or not text or old.all(key) else text + b"\n"
    assert kept == [line.raw for line in Vmcoreinfo(ended).lines if line.key != key]
    assert new.with_value(key, value) == new


@given(_texts, st.integers(1, 20))
def test_a_line_set_to_itself_changes_nothing(text: bytes, number: int) -> None:
    old = Vmcoreinfo(text)
    line = next((line for line in old.lines if line.number == number), None)
    assert old.with_line(number, line.body if line else b"x").text == text
    assert len(old.without_line(number).lines) <= len(old.lines)


def test_keys_and_values() -> None:
    assert [line.key for line in _TEXT.lines] == [b"OSRELEASE", b"PAGESIZE", None, b"A", b"A", b"B", b"last"]
    assert (_TEXT.get(b"A"), _TEXT.get(b"B"), _TEXT.get(b"none")) == (b"2", b"=x", None)
    assert [key for key, _ in _TEXT.duplicates] == [b"A"]
    assert _TEXT.osrelease == b"6.1" and _TEXT.page_size == 4096
    assert Vmcoreinfo(b"").lines == ()


@pytest.mark.parametrize("value", [b"0", b"4095", b"0x1000", b"-4096", b"", b"4096 ", b"9" * 5000, b"\xb2"])
def test_an_invalid_page_size(value: bytes) -> None:
    assert Vmcoreinfo(b"PAGESIZE=" + value + b"\n").page_size is None


def test_adding_a_line_ends_the_previous_one() -> None:
    assert _TEXT.with_new_line(b"NEW", b"1").text.endswith(b"last=no newline\nNEW=1\n")
    assert Vmcoreinfo(b"").with_new_line(b"K", b"v").text == b"K=v\n"


def test_bytes_that_would_make_other_lines_are_refused() -> None:
    for key in (b"", b"a=b", b"a\nb"):
        with pytest.raises(EditError):
            _TEXT.with_new_line(key, b"1")
    changes: tuple[Callable[[], object], ...] = (
        lambda: _TEXT.with_value(b"A", b"1\nB=2"),
        lambda: _TEXT.with_line(1, b"a\nb"),
    )
    for change in changes:
        with pytest.raises(EditError, match="one line"):
            change()
