"""Test that the log is what `makedumpfile --dump-dmesg` prints, and what the guest's own `dmesg` printed before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main

_FULL = Path(os.environ.get("VMCI_FULL_DUMPS", "/nonexistent"))
"""A folder with whole dumps; `NAME.dmesg` beside `NAME.elf` is what busybox's dmesg printed in that guest."""
_CUT = (SAMPLES / "amd64-cut-note.elf", SAMPLES / "amd64-panic.kdump")


@pytest.mark.parametrize("path", [*_CUT, *sorted(_FULL.glob("amd64-note*.elf"))], ids=str)
def test_the_log_equals_makedumpfiles(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "dmesg"
    assert readers.makedumpfile_dmesg(str(path), out).code == 0
    assert main(["log", str(path)]) == 0
    assert capsys.readouterr().out == out.read_text()


@pytest.mark.long
@pytest.mark.parametrize("path", sorted(_FULL.glob("*.dmesg")), ids=str)
def test_the_log_begins_as_the_guests_own_dmesg(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The guest printed its log some time before the dump, and the time again before each line of a record."""
    assert main(["log", str(path.with_suffix(".elf")), "--json"]) == 0
    records = json.loads(capsys.readouterr().out)["log"]
    own = [
        f"[{record['seconds'] * 10**6 // 1 / 10**6:12.6f}] {line}"
        for record in records
        for line in record["text"].split("\n")
    ]
    guest = path.read_text(errors="backslashreplace").splitlines()
    assert len(guest) > 100 and own[: len(guest)] == guest
