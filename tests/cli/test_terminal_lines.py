"""Test what a terminal gets and a pipe does not: colour, wrapped lines, progress that erases itself."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from termios import TIOCSWINSZ

import pytest

from tests.limits import PATIENCE
from tests.paths import SAMPLES
from vmci_tui.cli.streams import erase_progress, say, say_progress
from vmci_tui.cli.terminal_lines import wrapped

_COMMAND = (sys.executable, "-m", "vmci_tui", "check", str(SAMPLES / "amd64-cut-nonote.elf"))
_LINES = subprocess.run(_COMMAND, capture_output=True, text=True, timeout=PATIENCE).stdout.splitlines()


def _on_terminal(columns: int, more: dict[str, str]) -> str:
    """Return what the command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    environment = plain | {"TERM": "xterm-256color"} | more
    started = subprocess.Popen(_COMMAND, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    out = bytearray()
    try:
        while read := os.read(ours, 1 << 16):
            out += read
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert started.wait(PATIENCE) == 1
    return out.decode("ascii").replace("\r\n", "\n")


def _fits(shown: str, columns: int) -> bool:
    """Return whether no line but a command to copy is longer."""
    return all(len(line) <= columns or line.startswith("  vmci repair ") for line in shown.splitlines())


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_terminal_gets_colour_and_lines_of_its_width(columns: int) -> None:
    out = _on_terminal(columns, {})
    assert "\x1b[1;31mN01 error\x1b[0m: the VMCOREINFO note is missing\n" in out
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert shown.isascii() and "\x1b" not in shown
    assert _fits(shown, columns)
    assert " ".join(shown.replace("\n  # ", " ").split()) == " ".join(
        "\n".join(_LINES).replace("\n  # ", " ").split()
    ), "the words are those of a pipe"


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color_and_a_dumb_terminal_are_respected(more: dict[str, str]) -> None:
    out = _on_terminal(80, more)
    assert "\x1b" not in out and _fits(out, 80)


def test_a_pipe_gets_neither() -> None:
    assert "\x1b" not in "\n".join(_LINES) and max(map(len, _LINES)) > 200


def test_lines_continue_below_their_last_column_and_commands_stay_whole() -> None:
    name, comment = "  drgn          refuses  " + "word " * 9, "  # vmci: " + "why " * 12
    command = "  vmci " + "x " * 60
    broken = [shown.split("\n") for shown, _ in wrapped((name, comment, command), 50)]
    assert [len(lines) for lines in broken] == [2, 2, 1]
    assert broken[0][1].startswith(" " * 25 + "word") and broken[1][1].startswith("  # why")
    assert next(wrapped(["x" * 99], 50))[0] == "x" * 99, "a word is not cut"


def test_the_line_of_the_logs_panic_is_red() -> None:
    panic, other = "[    3.256117] Kernel panic - not syncing: sysrq triggered crash", "[    3.256117] Call Trace:"
    (_, styled), (_, plain) = wrapped([panic, other], 80)
    assert styled is not None and [(span.start, span.style) for span in styled.spans] == [(15, "red")]
    assert plain is None


def test_progress_is_erased_before_a_message_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    say_progress("scan: 1 of 20 MiB")
    say_progress("scan: 2 of 2 MiB")
    say("done")
    assert capsys.readouterr().err == f"\rscan: 1 of 20 MiB\rscan: 2 of 2 MiB \r{'':16}\rdone\n"
    erase_progress()
    assert capsys.readouterr().err == ""
