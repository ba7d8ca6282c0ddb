"""Test the table of values that readers read: what differs is marked, comes first and is not cut away."""

from __future__ import annotations

from vmci_tui.common.safe_text import Safe
from vmci_tui.readers.rule import Value
from vmci_tui.readers.shared.c_numbers import PRESENCE
from vmci_tui.render.tables.value_table import ValueRow, cells, matching


def _row(*values: str | int | None, how: str = "") -> ValueRow:
    made = [
        None
        if value is None
        else Value(Safe(hex(value)), value, how)
        if isinstance(value, int)
        else Value(Safe(value), None, how)
        for value in values
    ]
    return ValueRow(b"KEY", b"written", {f"reader{number}": value for number, value in enumerate(made)})


def test_the_rare_value_is_marked() -> None:
    assert _row("a", "b", "a", None).marked == {"reader1"}
    assert _row(-1, (1 << 64) - 1, 5).marked == {"reader2"}, "the same 64 bits"
    assert not _row("a", 1, None).differs, "a text and a number are not compared"
    assert not _row("a", "b", how=PRESENCE).differs


def test_what_differs_is_not_cut() -> None:
    shown = cells(_row("6.1.0-56-amd64", "6.1.0-56-rescue", None), 9)
    assert shown == {"reader0": "..-amd64", "reader1": "..-rescue", "reader2": "-"}
    assert cells(_row("6.1.0-56-amd64", "6.1.0-56-rescue"), 20)["reader1"] == "6.1.0-56-rescue"


def test_values_that_are_alike_are_cut_in_their_middle() -> None:
    long = _row("a" * 10 + "z" * 30)
    assert cells(long, 12)["reader0"] == "aaaaa..zzzzz"
    assert cells(_row(0xFFFFFFFF96410000), 12)["reader0"] == "0xff..410000"
    assert all(len(cells(long, width)["reader0"]) <= width for width in range(3, 50))


def test_rows_are_found_by_key_and_value() -> None:
    row = _row("Alpha")
    assert matching([row], "alph") == [row] == matching([row], "ke") and matching([row], "beta") == []
