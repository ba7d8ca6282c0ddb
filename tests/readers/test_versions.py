"""Rules that not every version of a program has."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from vmci_tui.common.errors import Spent
from vmci_tui.common.span import Span
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import qemu
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Reader, judge
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.verdicts import READERS
from vmci_tui.readers.version import numbers_of, numbers_text


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("8.0.6", (8, 0, 6)),
        ("2.47.50.20261101", (2, 47, 50, 20261101)),
        ("0.0.31+dfsg-1", (0, 0, 31)),
        ("2.", (2,)),
        ("", ()),
        ("v8", ()),
        ("1" * 9999, (111111111,)),
        ("\u0663.1", ()),
    ],
)
def test_numbers_of_a_version(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_of(text) == numbers
    assert numbers_text(numbers_of(numbers_text(numbers))) == numbers_text(numbers)


@dataclass
class _Whole:
    """A reading of any file."""

    view: View
    note: Span | None = None
    text: bytes | None = None
    osrelease: bytes | None = None


row: RuleRows[_Whole] = RuleRows("a program ", lambda _, name: Span(len(name), 1))
_RULES = (
    row("C13", "before", "old", "f", "old", "Old.", where=lambda _: Span(0, 1), until=(1, 5)),
    row("C13", "before", "middle", "f", "middle", "Middle.", holds=lambda _: True, since=(1, 5), until=(2,)),
    row("C13", "note", "new", "f", "N", "New.", where="field", says=lambda _: "new", since=(3,)),
)
_READER = Reader(
    "program",
    "2.0",
    "program FILE",
    _Whole,
    lambda _: _RULES,
    lambda _: "yes",
    lambda _: {},
    {},
    known=("1.0", "2.0", "3.1"),
)


@pytest.mark.parametrize(
    ("version", "says", "span"),
    [
        ("1.0", "old", Span(0, 1)),
        ("1.4.9", "old", Span(0, 1)),
        ("1.5", "middle", None),
        ("1.99", "middle", None),
        ("2.0", "yes", None),
        ("3", "new", Span(5, 1)),
        ("10.0", "new", Span(5, 1)),
    ],
)
def test_a_rule_holds_from_since_to_before_until(version: str, says: str, span: Span | None) -> None:
    reader = _READER.at(version)
    verdict = judge(reader, View(BytesSource(b"x")))
    assert (verdict.says, verdict.accepts) == (says, says == "yes")
    assert [item.span for item in verdict.fired] == [span] * (says != "yes")
    accepts = [(item.since, item.accepts) for item in verdict.by_version]
    assert accepts == [((1, 0), False), ((2,), True), ((3,), False)]
    assert (reader.version, reader.known, reader.rules) == (version, _READER.known, _READER.rules)


def test_a_field_is_named_only_where_there_are_fields() -> None:
    without: RuleRows[_Whole] = RuleRows("a program ")
    with pytest.raises(KeyError):
        without("C13", "note", "new", "f", "", "", where="field").check(_Whole(View(BytesSource(b"x"))))


@pytest.mark.parametrize("reader", [qemu.READER, *READERS], ids=lambda reader: reader.name)
def test_known_versions_are_sorted_and_hold_the_default(reader: Reader[Any]) -> None:
    assert list(reader.known) == sorted(reader.known, key=numbers_of)
    assert reader.version in reader.known and reader.version in reader.title
    assert any(rule.holds_in(reader.numbers) for rule in reader.rules)
    assert reader.remark == ""
    assert reader.at("9999").remark == f"checked up to {reader.known[-1]}"
    assert reader.at("0.0.1").remark == f"checked from {reader.known[0]} on"


def _spend(reading: _Whole) -> bool:
    if reading.text is not None:
        raise Spent("given up")
    return False


def test_another_version_that_takes_too_long_leaves_the_verdict() -> None:
    reader = replace(
        _READER,
        rules_of=lambda _: (row("C13", "before", "slow", "f", "slow", "Slow.", holds=_spend),),
        read_as=lambda reading, version: reading if version >= (2,) else _Whole(reading.view, text=b""),
    )
    verdict = judge(reader, View(BytesSource(b"x")))
    assert (verdict.accepts, verdict.by_version) == (True, ())
