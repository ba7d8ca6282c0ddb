"""Test the help of all commands, the version and the completion of shells."""

from __future__ import annotations

import pytest

from vmci_tui import __version__
from vmci_tui.cli.run import COMMANDS, main


def test_help_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], *([command, "--help"] for command in COMMANDS)):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        lines = capsys.readouterr().out.splitlines()
        assert end.value.code == 0 and len(lines) <= 24 and max(map(len, lines)) <= 80, arguments


def test_help_begins_with_what_most_come_for_and_groups_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    first, codes, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("Start here: vmci check FILE") and codes.startswith("exit codes: 0 success, 1 ")
    listed = [row[8:].split()[0] for row in rows]
    named = {"cut": "convert", "serve": "lessons"}
    assert tuple(listed) == tuple(name for name in COMMANDS if name not in named), "a screen has 24 lines"
    for name, other in named.items():
        assert f"; {name}: " in rows[listed.index(other)]
    assert [row.split()[0] for row in rows if not row.startswith(" ")] == [
        "look",
        "repair",
        "craft",
        "learn",
    ]


def test_version_and_completion(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"vmci {__version__}\n"
    for shell in ("bash", "zsh", "tcsh"):
        assert main(["--print-completion", shell]) == 0
        out = capsys.readouterr().out
        assert "vmci" in out and "append" in out
