"""Numbers that no kernel writes: every judgement of them ends soon."""

from __future__ import annotations

from random import Random

import pytest

from tests.limits import time_limit
from tests.odd_numbers import Case, cases, edited, opened
from vmci_tui.findings.judgement import Judgement
from vmci_tui.readers.libkdumpfile.vmcoreinfo import used_lines

_SECONDS = 2.0
_SLICE = 150


def _judge(case: Case) -> None:
    with time_limit(_SECONDS):
        Judgement.of(edited(case)).complete()


@pytest.mark.parametrize("case", Random(45).sample(list(cases()), _SLICE), ids=str)
def test_a_slice_of_all_numbers_is_judged_in_time(case: Case) -> None:
    _judge(case)


@pytest.mark.parametrize("value", [b"0", b"1", b"2", b"8", b"16", b"2147483648", b"9223372036854775808", b"-1", b""])
@pytest.mark.parametrize("dump", dict.fromkeys(case.dump for case in cases()))
def test_each_page_size_is_judged_in_time(dump: str, value: bytes) -> None:
    _judge(Case(dump, b"PAGESIZE", value))


def test_many_keys_with_a_dot_in_front_are_read_in_time() -> None:
    text = b"x=1\n" * 100_000 + b"zzz=1\n" + b".zzz=1\n" * 80_000 + b"PAGESIZE=1\n.PAGESIZE=4096\n.new=1\n"
    with time_limit(_SECONDS):
        assert [(line.key, line.value) for line in used_lines(text)] == [
            (b"PAGESIZE", b"1"),
            (b"PAGESIZE", b"4096"),
            (b"", b"1"),
        ]


@pytest.mark.long
def test_all_numbers_are_judged_in_time() -> None:
    count = 0
    for case in cases():
        try:
            _judge(case)
        except Exception as error:
            raise AssertionError(str(case)) from error
        count += 1
    assert count > 5000 and opened.cache_info().currsize > 8
