"""Test that output of `--qemu PROGRAM` never reaches the terminal unescaped, and is never read without end."""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.faults import fake_qemu
from tests.limits import PATIENCE
from tests.paths import ROOT, SAMPLES
from vmci_tui.qemu import QemuError, machine
from vmci_tui.qemu.answer_report import answer_text
from vmci_tui.qemu.ask import Answer
from vmci_tui.qemu.gdbstub import set_long_mode
from vmci_tui.qemu.process import QemuProcess
from vmci_tui.qemu.targets import TARGETS
from vmci_tui.readers.qemu.entry_reading import DumpTarget

_ROOT = ROOT
_SECONDS = 6
_SCRIPT = f"""
import sys
from vmci_tui.qemu import machine
from vmci_tui.qemu import QemuError
machine._SECONDS = {_SECONDS}
machine.QemuMachine.__init__.__defaults__ = (0, {_SECONDS})
from vmci_tui.cli.run import main
sys.exit(main(["ask", *sys.argv[1:]]))
"""


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


@pytest.mark.parametrize("kind", fake_qemu.KINDS)
def test_every_failure_is_one_line_without_escapes(tmp_path: Path, kind: str) -> None:
    program = tmp_path / "qemu"
    words = (sys.executable, str(_ROOT / "tests" / "faults" / "fake_qemu.py"), kind)
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    files = (str(SAMPLES / "good.entry"), str(SAMPLES / "amd64.note"))
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *files, "--qemu", str(program)],
        capture_output=True, cwd=_ROOT, env=os.environ | {"PYTHONPATH": str(_ROOT)}, preexec_fn=_bounded,
        timeout=PATIENCE,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, b""), run.stderr
    line = run.stderr.decode("ascii")
    assert line.startswith("vmci: QEMU") and line.endswith("\n") and line[:-1].isprintable() and len(line) < 1000, line


class _Stub(QemuProcess):
    """Connect a channel to a thread that sends the same bytes without end."""

    def __init__(self, part: bytes) -> None:
        ours, theirs = socket.socketpair()
        stderr, ended = socket.socketpair()
        ended.close()
        self.seconds, self._deadline, self._pid = 2, time.monotonic() + 2, None
        self.sockets = {"gdb": ours, "stderr": stderr}
        threading.Thread(target=self._shout, args=(theirs, part), daemon=True).start()

    @staticmethod
    def _shout(channel: socket.socket, part: bytes) -> None:
        with channel, contextlib.suppress(OSError):
            fake_qemu.flood(channel, part)


@pytest.mark.parametrize("part", [b"x" * 65536, b"$" + fake_qemu.ESCAPES.encode() + b"#00"], ids=["long", "escapes"])
def test_a_broken_gdb_stub(part: bytes) -> None:
    with _Stub(part) as process, pytest.raises(QemuError) as error:
        set_long_mode(process)
    assert str(error.value).isascii() and str(error.value).isprintable()


def test_the_last_words_of_qemu_are_shown(tmp_path: Path) -> None:
    """Unchanged if they are harmless, else escaped."""
    program = tmp_path / "qemu"
    program.write_text("#!/bin/sh\nprintf 'no such machine: \\033[31mpc\\n' >&2; exit 1\n")
    program.chmod(0o755)
    files = (str(SAMPLES / "good.entry"), str(SAMPLES / "amd64.note"))
    run = subprocess.run(
        [sys.executable, "-m", "vmci_tui", "ask", *files, "--qemu", str(program)], capture_output=True, cwd=_ROOT
    )
    assert (run.returncode, run.stderr) == (3, b"vmci: QEMU ended: no such machine: \\x1b[31mpc\n")


def test_a_warning_may_begin_with_the_name_of_the_program() -> None:
    said = b"qemu-system-x86_64: warning: a: 'b: \r'\nmy qemu: warning: c\na: b: warning: d\nwarnings: e\n"
    assert machine._warnings(said) == ("a: 'b: \\x0d'", "c")


def test_an_old_qemu_is_started_without_unknown_options(tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    program.write_text(
        '#!/bin/sh\ncase "$*" in *reserve=off*) echo "Property \'memory-backend-ram.reserve\' not found" >&2;; '
        "*) echo started without >&2;; esac\nexit 1\n"
    )
    program.chmod(0o755)
    with pytest.raises(QemuError, match="started without"):
        machine.QemuMachine(TARGETS["i386"], str(program))


def test_warnings_of_qemu_are_reported_once() -> None:
    said = b"warning: \x1b[31m\xe2\x80\xae\\x1b\r\nnothing\x1b\nwarning: plain: 0x12\nwarning: \xff"
    warnings = machine._warnings(said)
    assert warnings == (r"\x1b[31m\xe2\x80\xae\\x1b", "plain: 0x12", r"\xff")
    seen = machine.QemuOutput(warnings, None, 0, bytes(16))
    answer = Answer("x86_64", "q\x1b", "7.2.0", "7.2", DumpTarget("x86_64", 64, "little", 0), True, seen, seen)
    shown = "\n".join(answer_text(answer))
    assert "; ".join(warnings) in shown and shown.replace("\n", "").isprintable() and shown.isascii()
    with pytest.raises(QemuError, match="101 warnings"):
        machine._warnings(b"warning: x\n" * 101)
