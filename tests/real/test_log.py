"""Test that the log is what `makedumpfile --dump-dmesg` prints, byte by byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.cli.run import main

_FULL = Path(os.environ.get("VMCI_FULL_DUMPS", "/nonexistent"))


@pytest.mark.parametrize("path", [SAMPLES / "amd64-cut-note.elf", *sorted(_FULL.glob("amd64-note*"))], ids=str)
def test_the_log_equals_makedumpfiles(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "dmesg"
    assert readers.makedumpfile_dmesg(str(path), out).code == 0
    assert main(["log", str(path)]) == 0
    assert capsys.readouterr().out == out.read_text()
