"""Test `vmci log`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.paths import SAMPLES
from vmci_tui.cli.run import main

_DUMP = str(SAMPLES / "amd64-cut-note.elf")


def test_the_log_is_printed_as_dmesg_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", _DUMP]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("[    0.000000] Linux version 6.1.0-56-amd64 ") and said.err == ""
    assert lines[-1] == "[    2.498182]     TERM=linux"
    assert main(["log", _DUMP, "--callers"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "[    2.498182][    T1]     TERM=linux"


def test_levels_choose_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", _DUMP, "--level", "warn+", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert {record["level"] for record in out["log"]} <= {0, 1, 2, 3, 4} and 0 < len(out["log"]) < 100
    assert main(["log", _DUMP, "--level", "loud"]) == 2


def test_a_dump_without_a_note_is_read_by_the_one_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(SAMPLES / "amd64-cut-nonote.elf")]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "[    2.498182]     TERM=linux" and "no note" in said.err


def test_a_wrong_value_that_memory_corrects_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong, right = tmp_path / "wrong.elf", Path(_DUMP).read_bytes()
    at = right.index(b"NUMBER(phys_base)=") + len(b"NUMBER(phys_base)=")
    wrong.write_bytes(right[:at] + b"0".rjust(right.index(b"\n", at) - at, b"0") + right[right.index(b"\n", at) :])
    assert main(["log", str(wrong)]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 356 and "NUMBER(phys_base)=" in said.err


def test_a_note_that_memory_contradicts_gives_way_to_the_one_in_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, right = tmp_path / "other.elf", Path(_DUMP).read_bytes()
    key = b"SYMBOL(init_uts_ns)="  # at the log instead
    at = right.index(key) + len(key)
    other.write_bytes(right[:at] + b"ffffffffb3664000" + right[at + 16 :])
    assert main(["log", str(other)]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 356 and "Memory contradicts the note" in said.err


def test_the_log_of_a_panicked_guest_has_its_last_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(SAMPLES / "amd64-panic.kdump"), "--json"]) == 0
    log = json.loads(capsys.readouterr().out)["log"]
    marked = [record["text"] for record in log if record["mark"] == "panic"]
    assert marked == ["sysrq: Trigger a crash", "Kernel panic - not syncing: sysrq triggered crash"]
    assert log[-1]["text"] == "---[ end Kernel panic - not syncing: sysrq triggered crash ]---"
    billing = [(record["level"], record["facility"]) for record in log if record["text"].startswith("billing: ")]
    assert [level for level, _ in billing] == [3, 4, 0] and all(facility for _, facility in billing)


def test_what_has_no_log_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(SAMPLES / "good.entry")]) == 2
    assert main(["log", str(SAMPLES / "amd64-note.elf-win4k")]) == 3
    assert "the log cannot be read" in capsys.readouterr().err


def test_a_value_that_ends_in_cr_is_named_as_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(SAMPLES / "crlf.elf")]) == 3
    assert "the value of SYMBOL(prb) ends in CR" in capsys.readouterr().err
