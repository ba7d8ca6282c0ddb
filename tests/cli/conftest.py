"""A command in a folder of its own; files that need others beside them have a fixture of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_result import CommandResult, Vmci
from vmci_tui.cli.run import main


@pytest.fixture
def vmci(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vmci:
    """Return a function that runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> CommandResult:
        code = main(arguments)
        return CommandResult(code, *capsys.readouterr())

    return run
