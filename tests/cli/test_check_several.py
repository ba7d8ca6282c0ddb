"""Test `vmci check` of several files: a line each, a summary, the worst exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.paths import SAMPLES
from vmci_tui.cli.commands import check
from vmci_tui.cli.run import main
from vmci_tui.common import internal_errors
from vmci_tui.common.errors import Cancelled, Spent
from vmci_tui.document.document import Document
from vmci_tui.opening.open_file import open_document

_GOOD, _BAD, _TEXT = (str(SAMPLES / name) for name in ("amd64-cut-note.elf", "crlf.elf", "README.md"))


@pytest.mark.parametrize(
    ("paths", "code", "summary"),
    [
        ((_GOOD, _GOOD), 0, "2 files: 2 ok"),
        ((_BAD, _GOOD), 1, "2 files: 1 ok, 1 with errors"),
        ((_TEXT, _BAD, "gone", _GOOD), 3, "4 files: 1 ok, 1 with errors, 2 unread"),
        ((_GOOD, str(SAMPLES)), 0, "1 file: 1 ok; 1 folder left out"),
        ((str(SAMPLES), str(SAMPLES)), 0, "0 files: none; 2 folders left out"),
    ],
)
def test_a_line_each_a_summary_and_the_worst_exit_code(
    paths: tuple[str, ...], code: int, summary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *paths]) == code
    *lines, blank, last = capsys.readouterr().out.splitlines()
    assert (blank, last) == ("", summary)
    assert [line.split()[1] for line in lines] == [path for path in paths if not Path(path).is_dir()]


def test_a_line_has_the_verdict_and_what_the_file_holds(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", _BAD, "--for", "crash", _TEXT])
    error, unread, *_ = capsys.readouterr().out.splitlines()
    words = "1 error: crash accepts (Linux 6.1.0-56-amd64\\x0d, x86_64, 2 CPUs, 4 KiB)"
    assert error.split(maxsplit=2) == ["error", _BAD, words]
    assert unread.startswith("unread  ") and "is a text file" in unread


def test_what_is_about_one_file_is_refused_for_several(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for option in ("--blob", "--report"):
        assert main(["check", _GOOD, _BAD, option, str(tmp_path / "new")]) == 2
        assert "about one file" in capsys.readouterr().err


def test_names_of_files_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", _GOOD, "\x1b[31mred"]) == 3
    shown = capsys.readouterr()
    assert "\\x1b[31mred" in shown.out and shown.out.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Spent("the table takes more steps than any real file needs"), "the table takes more steps"),
        (MemoryError(), "out of memory"),
        (ZeroDivisionError("a bug"), "vmci failed here: ZeroDivisionError"),
    ],
)
def test_an_error_in_one_file_is_its_line_and_the_others_are_checked(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def opened(_options: object, path: str) -> Document:
        if path == _BAD:
            raise error
        return open_document(path)

    monkeypatch.setattr(check, "open_named", opened)
    monkeypatch.setattr(internal_errors, "recorded", [])
    assert main(["check", _GOOD, _BAD, _GOOD]) == 3
    before, failed, after, _, summary = capsys.readouterr().out.splitlines()
    assert failed.split(maxsplit=2)[:2] == ["unread", _BAD] and words in failed
    assert before == after and before.startswith("ok") and summary == "3 files: 2 ok, 1 unread"


def test_stopping_one_check_stops_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(_options: object, path: str) -> Document:
        raise Cancelled("stopped")

    monkeypatch.setattr(check, "open_named", stopped)
    assert main(["check", _GOOD, _GOOD]) == Cancelled.exit_code
    assert capsys.readouterr().out == ""
