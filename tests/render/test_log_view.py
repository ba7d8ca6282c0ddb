"""Test the lines of the log as a screen lists them."""

from __future__ import annotations

import pytest

from vmci_tui.kernel.log.record import KernelLog, LogRecord
from vmci_tui.render.kernel.log_view import LogView, failures, record_words, views_of


def log(*records: tuple[bytes, int]) -> KernelLog:
    return KernelLog(tuple(LogRecord(at, at * 10**9, level, 0, text) for at, (text, level) in enumerate(records)), "x")


def view_of(log: KernelLog) -> LogView:
    return views_of(log)[0]


_LOG = log(
    (b"Linux version", 5),
    (b"WARNING: CPU: 0", 4),
    (b"one\ntwo", 7),
    (b"Kernel panic - not syncing: x", 0),
    (b"Rebooting", 0),
)


def test_a_view_begins_at_the_panic_or_at_the_end() -> None:
    view = view_of(_LOG)
    assert [line.text.split("] ")[-1].strip() for line in view.lines] == [
        "Linux version", "WARNING: CPU: 0", "one", "two", "Kernel panic - not syncing: x", "Rebooting",
    ]  # fmt: skip
    assert view.start == 4 and [line.first for line in view.lines] == [True, True, True, False, True, True]
    assert view_of(log((b"a", 6), (b"b", 6))).start == 1
    assert view_of(log()).start == 0


def test_search_and_faults_go_around_once() -> None:
    view = view_of(_LOG)
    assert view.find("LINUX", 3, 1) == 0 and view.find("two", 5, -1) == 3 and view.find("no such", 0, 1) is None
    assert view.next_fault(0, 1) == 1 and view.next_fault(2, 1) == 4 and view.next_fault(5, 1) == 1
    assert view_of(log()).find("a", 0, 1) is None and view_of(log((b"a", 6))).next_fault(0, 1) is None


@pytest.mark.parametrize("words", ["x", "aab", "b", "", "a"])
def test_search_finds_what_looking_at_each_line_would(words: str) -> None:
    view = view_of(log(*((text, 6) for text in (b"a", b"aAb", b"", b"b x b", b"x\nb", b"aab"))))
    count = len(view.lines)
    for start in range(-1, count + 1):
        for step in (1, -1):
            places = [(start + step * number) % count for number in range(count)]
            found = [at for at in places if words in view.lines[at].text.lower()]
            assert view.find(words, start, step) == (found[0] if found else None)


def test_fewer_levels_keep_the_place() -> None:
    view, worse, worst = views_of(_LOG)
    assert [line.record.level for line in worse.lines] == [4, 0, 0]
    assert worse.index_of(view.lines[2]) == 1 and worse.index_of(view.lines[1]) == 0
    assert worse.index_of(view.lines[5]) == 2 and len(worst.lines) == 2


def test_a_record_is_shown_whole_from_any_of_its_lines() -> None:
    view = view_of(_LOG)
    assert view.whole(view.lines[2]) == view.whole(view.lines[3]) == f"[    2.000000] one\n{' ' * 15}two"
    assert view.whole(view.lines[5]).endswith("Rebooting")


def test_words() -> None:
    assert record_words(LogRecord(7, 1, 3, 0, b"a", "C1")) == "record 7, err, the kernel, CPU 1"
    assert (
        record_words(LogRecord(None, None, None, None, b"", None, "its text is overwritten"))
        == "its text is overwritten"
    )
    assert failures(view_of(_LOG).lines) == "The kernel panicked. 2 lines report a failure: ] goes to the next."
    assert failures(view_of(log((b"a", 6))).lines).startswith("No line") and failures(()) == ""
