"""Test findings as text: what to do first, readers with one message together, words of programs in quotes."""

from __future__ import annotations

from vmci_tui.common.safe_text import Safe
from vmci_tui.common.span import Span
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_headers import order_headers
from vmci_tui.findings.finding import ReaderImpact, new_finding
from vmci_tui.readers.rule import quoted
from vmci_tui.render.finding_report import findings_text, reader_lines, to_do

_IMPACTS = (
    ReaderImpact("crash", False, Safe("WARNING: odd"), "it warns"),
    ReaderImpact("drgn", True, Safe("unknown"), "it gives up"),
    ReaderImpact("libkdumpfile", True, Safe("unknown"), "it gives up"),
    ReaderImpact("readelf", True, Safe(""), "it stops"),
    ReaderImpact("makedumpfile", True, Safe("killed by SIGFPE"), "it divides"),
)


def test_what_to_do_comes_right_after_what_is_wrong() -> None:
    finding = new_finding("C06", "they are elsewhere", Span(0x20, 8), Edit.of(order_headers), readers=_IMPACTS)
    head, fix, why, *who = findings_text((finding,))
    assert head == "C06 warning: they are elsewhere [file 0x20+8]" and why.startswith("     why: ")
    assert fix == f"     fix: {Edit.of(order_headers).label}"
    assert who == [
        "     refused by: drgn, libkdumpfile, readelf, makedumpfile",
        "     warned about or misread by: crash",
    ]


def test_without_a_fix_the_catalogue_says_what_to_do_if_anything() -> None:
    assert to_do(new_finding("C01", "")) == "dump again"
    assert "     to do: dump again" in [*findings_text((new_finding("C01", ""),))]
    assert not to_do(new_finding("N13", "")) and len([*findings_text((new_finding("N13", ""),))]) == 2


def test_readers_with_the_same_message_share_a_line() -> None:
    assert [*reader_lines(new_finding("C06", "", readers=_IMPACTS * 2))] == [
        'drgn, libkdumpfile refuse: "unknown"',
        "readelf refuses: it prints nothing",
        "makedumpfile refuses: killed by SIGFPE",
        "warned about or misread by: crash",
    ]


def test_only_words_of_a_program_are_in_quotes() -> None:
    assert quoted(Safe("unknown")) == '"unknown"'
    assert quoted(Safe("killed by SIGBUS")) == "killed by SIGBUS"
    assert quoted(Safe("")) == "it prints nothing"
