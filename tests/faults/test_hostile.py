"""Test hostile headers, notes and texts: no exception, no hang, no raw bytes, bounded memory.

A slice of the campaign runs in every run; the whole of it with `-m long`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.dumps import factory
from tests.faults import corpus, strategies
from tests.faults.cases import CASE_SECONDS, Figures, part, whole
from tests.faults.exercise import exercise, look
from tests.limits import time_limit
from tests.opened_files import open_document
from tests.properties import HealthCheck, given, settings

_HYPOTHESIS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _sound(figures: Figures) -> None:
    assert not figures["failures"], figures["failures"][0]["traceback"]
    assert figures["slowest_ms"] < 1000 * CASE_SECONDS
    assert figures["seen"]["opened"] > figures["cases"] / 3, "most cases get behind the magic"
    assert figures["seen"]["refused"] > figures["cases"] / 50


@pytest.mark.parametrize("first", range(0, 1500, 500))
def test_a_slice_of_the_campaign(tmp_path: Path, first: int) -> None:
    figures = part("campaign", tmp_path, first, 500)
    _sound(figures)
    assert figures["max_rss_mib"] < 100, figures


@pytest.mark.long
def test_the_whole_campaign(tmp_path: Path) -> None:
    figures = whole("campaign", tmp_path)
    _sound(figures)
    assert figures["max_rss_mib"] < 200


def _write(folder: Path, data: bytes, name: str = "case") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def _drive(folder: Path, data: bytes, name: str = "case") -> None:
    with time_limit(10):
        exercise(_write(folder, data, name), None, Random(len(data)), Counter())


@_HYPOTHESIS
@given(strategies.heads())
def test_any_headers_are_opened_or_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    _drive(tmp_path, data)


@_HYPOTHESIS
@given(strategies.note_areas())
def test_any_bytes_in_place_of_notes(tmp_path: Path, area: bytes) -> None:
    _drive(tmp_path, factory.elf([area]))


@_HYPOTHESIS
@given(strategies.texts())
def test_any_text_in_the_note(tmp_path: Path, text: bytes) -> None:
    _drive(tmp_path, factory.elf([factory.note(text)]))


@_HYPOTHESIS
@given(strategies.write_json())
def test_any_json_in_place_of_writes(tmp_path: Path, data: bytes) -> None:
    _drive(tmp_path, data, "case.write.json")


@pytest.mark.long
@pytest.mark.parametrize(
    ("strategy", "wrap"),
    [
        (strategies.heads(), lambda data: data),
        (strategies.note_areas(), lambda area: factory.elf([area])),
        (strategies.texts(), lambda text: factory.elf([factory.note(text)])),
    ],
    ids=["heads", "notes", "texts"],
)
def test_hypothesis_searches_for_minutes(tmp_path: Path, strategy: Any, wrap: Callable[[bytes], bytes]) -> None:
    @settings(_HYPOTHESIS, max_examples=20_000, derandomize=False)
    @given(strategy)
    def look(data: bytes) -> None:
        _drive(tmp_path, wrap(data))

    look()


@pytest.mark.parametrize("name", corpus.TEXTS)
def test_hostile_text_is_printed_as_printable_ascii(tmp_path: Path, name: str) -> None:
    text = corpus.TEXTS[name]
    note_name = text.replace(b"\0", b"") + b"\0"
    notes = factory.note(b"x", note_name) + factory.note(b"OSRELEASE=" + text + b"\n" + text + b"=1\n")
    _drive(tmp_path, factory.elf([notes]))


@pytest.mark.parametrize("name", corpus.HUGE)
def test_a_huge_text_takes_seconds_at_most(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path, factory.elf([factory.note(corpus.HUGE[name])]))
    with time_limit(10):  # 2 s on an idle machine
        look(open_document(path))
