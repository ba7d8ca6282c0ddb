"""Test the log as dmesg prints it."""

from __future__ import annotations

import pytest

from vmci_tui.common.errors import UsageError
from vmci_tui.kernel.log.record import LogRecord
from vmci_tui.render.kernel.log_report import levels_named, log_json, log_lines


def test_lines_have_time_and_caller_and_go_on_below_their_text() -> None:
    record = LogRecord(7, 12_345_678_901, 4, 0, b"one\n\ttwo \x1b[31m", "T1")
    assert list(log_lines(record)) == ["[   12.345678] one", " " * 15 + "\ttwo \\x1b[31m"]
    assert list(log_lines(record, callers=True)) == ["[   12.345678][    T1] one", " " * 23 + "\ttwo \\x1b[31m"]


def test_backslashes_are_as_dmesg_prints_them() -> None:
    (line,) = log_lines(LogRecord(7, 0, 4, 0, b"ACPI: \\_SB_.PCI0 \\\\srv \x01\\"))
    assert line == "[    0.000000] ACPI: \\_SB_.PCI0 \\\\srv \\x01\\"


def test_a_record_without_text_shows_its_problem() -> None:
    assert list(log_lines(LogRecord(7, 10**9, 4, 0, b"", None, "its text is overwritten"))) == [
        "[    1.000000] (its text is overwritten)"
    ]
    assert list(log_lines(LogRecord(None, None, None, None, b"no time"))) == ["no time"]


def test_json_has_seconds_and_marks() -> None:
    (row,) = log_json([LogRecord(7, 1_500_000_000, 0, 0, b"Kernel panic - not syncing: a", "C0")])
    assert (row["seconds"], row["mark"], row["problem"]) == (1.5, "panic", None)


def test_levels() -> None:
    assert levels_named("err,debug") == {3, 7}
    assert levels_named("warn+") == {0, 1, 2, 3, 4}
    with pytest.raises(UsageError):
        levels_named("loud")
