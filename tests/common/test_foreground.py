"""Test that a command runs in the terminal as a shell runs it."""

from __future__ import annotations

import signal
from pathlib import Path

from vmci_tui.common.foreground import run_in_terminal


def test_a_command_line_of_bash_is_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_in_terminal(f"printf %s $'\\x41' > '{out}'; exit 3") == 3
    assert out.read_bytes() == b"A"


def test_ctrl_c_stops_the_command_and_not_the_app() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run_in_terminal("kill -INT $PPID; kill -INT $$; sleep 9") == -signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before
