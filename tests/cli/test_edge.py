"""Test that an internal error gives one line on stderr and an exit code; the log has no byte of the dump."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vmci_tui.cli.commands import check as checking
from vmci_tui.cli.commands import edit as writing
from vmci_tui.cli.commands import find as searching
from vmci_tui.cli.commands import repair as repairing
from vmci_tui.cli.commands import show as commands
from vmci_tui.cli.run import main
from vmci_tui.common.error_log import log_file

Sample = Callable[[str], str]
pytestmark = pytest.mark.usefixtures("internal_errors_allowed")


@pytest.mark.parametrize(
    ("module", "name", "command"),
    [
        (checking, "next_commands", ["check"]),
        (commands, "open_named", ["show"]),
        (searching, "open_named", ["find"]),
        (repairing, "repair", ["repair", "--dry-run", "-o", "x"]),
        (writing, "plan_copy", ["set", "A=1", "--dry-run", "-o", "x"]),
    ],
)
def test_every_error_is_one_line(
    sample: Sample,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: object,
    name: str,
    command: list[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("OSRELEASE=secret")

    monkeypatch.setattr(module, name, fail)
    assert main([command[0], sample("amd64-cut-note.elf"), *command[1:]]) == 3
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("vmci: vmci failed here: LookupError") and "secret" not in said.err
    assert said.err.count("\n") == 1 and str(log_file()) in said.err
    log = log_file().read_text()
    assert "LookupError" in log and "secret" not in log and log_file().stat().st_mode & 0o777 == 0o600
