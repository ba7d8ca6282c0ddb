"""Test that an internal error is described by types and places, never by a value, in a private, bounded log."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.odd_numbers import opened
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.common import error_log, internal_errors
from vmci_tui.readers import crash
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import judge_file

_SECRET = "bytes of a dump"


def _internal_error() -> internal_errors.InternalError:
    try:
        try:
            {}[_SECRET]  # type: ignore[index]
        except KeyError as error:
            raise ValueError(_SECRET) from error
    except ValueError as error:
        return internal_errors.record(error)
    raise AssertionError


@pytest.mark.usefixtures("internal_errors_allowed")
def test_an_internal_error_is_described_without_a_value() -> None:
    found = _internal_error()
    assert found.kinds == ("ValueError", "KeyError")
    assert _SECRET not in str(found) and all(_SECRET not in frame for frame in found.frames)
    assert str(found).startswith("vmci failed here: ValueError at test_internal_errors.py:")


@pytest.mark.usefixtures("internal_errors_allowed")
def test_the_log_is_private_and_bounded() -> None:
    path = error_log.log_file()
    assert error_log.log_error(_internal_error()) == str(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700
    text = path.read_text()
    assert "ValueError < KeyError" in text and "test_internal_errors.py:" in text and _SECRET not in text
    path.write_bytes(b"x" * error_log.LIMIT)
    error_log.log_error(_internal_error())
    assert path.stat().st_size < 2000


@pytest.mark.usefixtures("internal_errors_allowed")
def test_another_file_in_place_of_the_log_is_not_changed(tmp_path: Path) -> None:
    path = error_log.log_file()
    path.parent.mkdir(parents=True)
    other = tmp_path / "other"
    other.write_bytes(b"mine")
    path.symlink_to(other)
    assert error_log.log_error(_internal_error()) is None and other.read_bytes() == b"mine"
    path.unlink()
    os.mkfifo(path)
    assert error_log.log_error(_internal_error()) is None


@pytest.mark.usefixtures("internal_errors_allowed")
def test_the_command_line_names_the_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(view: View) -> None:
        raise IndexError(_SECRET)

    monkeypatch.setitem(crash.READER.__dict__, "read", fail)
    main(["check", str(SAMPLES / "arm64-cut-note.elf")])
    out, err = capsys.readouterr()
    assert "crash         can't tell vmci failed here: IndexError" in out
    assert err.count("\n") == 1 and f"to report it, send {error_log.log_file()}" in err and _SECRET not in out + err


@pytest.mark.usefixtures("internal_errors_allowed")
def test_a_reader_whose_model_fails_is_unknown_and_the_others_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(view: View) -> None:
        raise IndexError(_SECRET)

    monkeypatch.setitem(crash.READER.__dict__, "read", fail)
    judged = judge_file(View(opened("arm64-cut-note.elf").source))
    assert judged["crash"].accepts is None and "IndexError" in judged["crash"].says
    assert _SECRET not in judged["crash"].says and judged["drgn"].accepts is True
    assert [found.kinds for found in internal_errors.recorded] == [("IndexError",)]
