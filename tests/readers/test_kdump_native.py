"""crash and makedumpfile over kdump files, one or more for each rule; tests/real compares them with the programs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.dumps.kdump_files import TEXT, Case, cases, flattened, kdump, narrow, note
from vmci_tui.common.span import Span
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import crash, makedumpfile
from vmci_tui.readers.crash import flattened as crash_flat
from vmci_tui.readers.crash import kdump_rules as crash_kdump
from vmci_tui.readers.file_view import View
from vmci_tui.readers.makedumpfile import rules as makedumpfile_rules
from vmci_tui.readers.rule import Reader, Verdict, judge

_CASES = cases()
_NOTE = note(b"VMCOREINFO\0", TEXT)


def _judge(reader: Reader[Any], data: bytes) -> Verdict:
    return judge(reader, View(BytesSource(data)))


def _decided(verdict: Verdict) -> tuple[str, str | None, str] | None:
    first = next((fired.rule.name for fired in verdict.fired if fired.rule.refuses), None)
    assert (verdict.accepts is False) is (first is not None)
    return None if first is None else (first, verdict.stage, verdict.says)


def _others(data: bytes, reader: Reader[Any] = crash.READER) -> list[str]:
    """The rules that apply without refusing."""
    return [fired.rule.name for fired in _judge(reader, data).fired if not fired.rule.refuses]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_what_decides(case: Case) -> None:
    readers: tuple[Reader[Any], ...] = crash.READER, makedumpfile.READER
    for reader, wanted, release in zip(readers, (case.crash, case.makedumpfile), case.releases, strict=True):
        verdict = _judge(reader, case.data)
        assert _decided(verdict) == wanted
        assert wanted is not None or verdict.osrelease == release
        assert all(fired.rule.why for fired in verdict.fired)


def test_every_rule_has_its_file() -> None:
    seen = {name: set[str]() for name in ("crash", "makedumpfile")}
    readers: list[Reader[Any]] = [*map(crash.READER.at, crash.READER.known), makedumpfile.READER]
    for case in _CASES:
        for reader in readers:
            seen[reader.name] |= {fired.rule.name for fired in _judge(reader, case.data).fired}
    parts = crash_kdump.REFUSALS, crash_kdump.REMARKS, crash_flat.REFUSALS, crash_flat.REMARKS
    assert {rule.name for rules in parts for rule in rules if rule.observed} <= seen["crash"]
    assert {"kdump-empty-release", "kdump-release-unknown"} <= seen["crash"]
    ours = (*makedumpfile_rules.OF_KDUMP, *makedumpfile_rules.LAST_OF_KDUMP)
    assert {rule.name for rule in ours} <= seen["makedumpfile"]


def test_the_text_is_where_the_header_says() -> None:
    data = kdump(notes=_NOTE)
    at = data.rindex(TEXT)
    for reader in (crash.READER, makedumpfile.READER):
        verdict = _judge(reader, data)
        assert verdict.note == Span(at, len(TEXT)) and verdict.text == TEXT
    flat = _judge(crash.READER, flattened(b"\0\0" + TEXT))
    assert (flat.note, flat.text) == (None, None) and flat.fired[0].span == Span(4098, 15)


def test_a_key_counts_wherever_it_stands() -> None:
    text = b"OSRELEASE=6\nXNUMBER(phys_base)=4096\nNUMBER(phys_base)=1\nPAGESIZE=4096\n\0SYMBOL(_stext)=ff\n"
    values = _judge(crash.READER, kdump(text)).values()
    assert values[b"NUMBER(phys_base)"].number == 4096
    assert b"SYMBOL(_stext)" not in values and values[b"PAGESIZE"].number == 4096
    assert _judge(makedumpfile.READER, kdump(text)).values()[b"NUMBER(phys_base)"].number == 1


def test_what_is_told_besides() -> None:
    assert _others(kdump(notes=_NOTE)) == []
    assert _others(kdump(nr_cpus=-5)) == ["no-cpus"]
    assert _others(kdump(b"OSRELEASE=9\n", _NOTE)) == ["other-text"]
    assert _others(kdump(b"OSRELEASE=9\r\nOSRELEASE=8\n")) == ["first-counts", "kdump-carriage-returns"]
    assert _others(flattened(TEXT)) == ["strings-only", "no-end-of-records"]
    assert _others(flattened(bytes(16) + b"\xff" * 16 + TEXT)) == ["strings-only"], "a record of nothing, the end mark"
    assert "header-phys-base" in _others(kdump(TEXT + b"NUMBER(phys_base)=-4096\n"), makedumpfile.READER)
    right = kdump(TEXT + b"NUMBER(phys_base)=-4096\n", phys_base=(1 << 64) - 4096)
    assert "header-phys-base" not in _others(right, makedumpfile.READER)
    arm = kdump(TEXT + b"NUMBER(phys_base)=-4096\n", machine=b"aarch64")
    assert "header-phys-base" not in _others(arm, makedumpfile.READER)
    assert "other-machine" in _others(arm, makedumpfile.READER)
    assert "more-pages-than-bits" in _others(kdump(max_mapnr_64=1 << 40), makedumpfile.READER)
    assert "other-text" in _others(kdump(b"OSRELEASE=9\nPAGESIZE=4096\n", _NOTE), makedumpfile.READER)


def test_what_depends_on_chance_is_unknown() -> None:
    pages = _judge(crash.READER, kdump(max_mapnr_64=1 << 20))
    assert pages.accepts is None and pages.fired[0].rule.name == "pages-by-chance"
    mapped = _judge(crash.READER, kdump(blocks=40, max_mapnr_64=1 << 25))
    assert mapped.accepts is None and _judge(crash.READER, kdump(blocks=40, max_mapnr_64=1 << 23)).accepts
    xen = note(b"Xen\0", bytes(16), 0x1000001, descsz=250_000)
    assert _judge(crash.READER, kdump(notes=xen)).fired[0].rule.name == "killed-by-chance"


def test_where_the_text_ends_the_cost_of_looking() -> None:
    far = _judge(crash.READER, flattened(bytes(17 << 20) + TEXT))
    assert far.accepts is None and far.fired[0].rule.name == "far-strings"
    many = _judge(crash.READER, kdump(notes=note(b"", kind=9) * 70_000))
    assert many.accepts is None and many.fired[0].rule.name == "too-many-notes"


def test_no_bytes_make_them_fail() -> None:
    rng = random.Random(7)
    bases = [kdump(notes=_NOTE), narrow(), flattened(TEXT + bytes(100) + TEXT)]
    for _ in range(400):
        data = bytearray(rng.choice(bases))
        for _ in range(rng.randrange(1, 10)):
            at = rng.choice((rng.randrange(464), 4096 + rng.randrange(104), rng.randrange(len(data))))
            data[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        data = data[: rng.choice((len(data), rng.randrange(len(data))))]
        for reader in (crash.READER, makedumpfile.READER):
            verdict = _judge(reader, bytes(data))
            verdict.values()
            assert all(fired.span is None or fired.span.length >= 0 for fired in verdict.fired)
