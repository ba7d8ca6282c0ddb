"""Test a signal at each step of a save: the file is the old one or the new one, and the message says which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.faults.pty import Terminal
from tests.faults.test_save_faults import Scenario, clone, in_a_child
from tests.limits import PATIENCE
from vmci_tui.cli.run import main
from vmci_tui.saving.undo_journal import SUFFIX

_DATA = elf((cpus() + note(),), (Load(0x1000, ram(40_000), vaddr=1 << 40),), qemu=True)
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_CALLS = ("open", "pwrite", "copy_file_range", "fsync", "fchmod", "ftruncate", "replace", "unlink", "close", "utime")


def signalled(number: signal.Signals, at: int, after: bool, calls: list[str]) -> Callable[[], None]:
    """Send a signal at the `at`th of these calls."""

    def spoil() -> None:
        for name in _CALLS:
            setattr(os, name, met(name, getattr(os, name)))

    def met(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            hit = len(calls) == at
            calls.append(name)
            if hit and not after:
                os.kill(os.getpid(), number)
            result = real(*arguments, **named)
            if hit and after:
                os.kill(os.getpid(), number)
            return result

        return call

    return spoil


_SCENARIOS = {
    "copy": ("set", "@/dump.elf", "PAGESIZE=8192", "-o", "@/out.elf"),
    "copy over a file": ("set", "@/dump.elf", "PAGESIZE=8192", "-o", "@/out.elf"),
    "in place": ("set", "@/dump.elf", "PAGESIZE=8192", "--in-place"),
    "undo": ("undo", "@/dump.elf"),
    "new": ("new", "entry", "-o", "@/out.elf"),
}


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after it"])
@pytest.mark.parametrize("name", _SCENARIOS)
def test_a_signal_at_each_call(name: str, after: bool, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "dump.elf").write_bytes(_DATA)
    if name == "undo":
        assert main(["set", str(before / "dump.elf"), "PAGESIZE=8192", "--in-place"]) == 0
    if name == "copy over a file":
        (before / "out.elf").write_bytes(b"old")
    scenario = Scenario(name, before, "save", _SCENARIOS[name])
    old = held(before)
    clean = clone(before, tmp_path / "clean")
    assert in_a_child(clean, scenario, lambda: None).code == 0
    new = held(clean)
    seen, at = set(), 0
    while True:
        folder = clone(before, tmp_path / f"{at}")
        ended = in_a_child(folder, scenario, signalled(signal.Signals[_SIGNALS[at % len(_SIGNALS)]], at, after, []))
        if ended.code == 0:
            assert held(folder) == new
            break
        assert ended.said, (at, ended)
        now, said = held(folder), ended.said.splitlines()[-1]
        assert ended.code == 130 and "Traceback" not in ended.said, ended
        assert now in (old, new) and ("nothing was changed" in said) == (now == old), (at, said)
        seen.add(now == new)
        at += 1
    assert seen == {False, True} and at > 5


def held(folder: Path) -> dict[str, bytes]:
    """Return the files; of a journal only the existence, because its times differ from run to run."""
    return {p.name: b"" if p.name.endswith(SUFFIX) else p.read_bytes() for p in sorted(folder.iterdir())}


_SLOWLY = """
import os, sys, time
real = os.copy_file_range
def slow(*arguments):
    time.sleep(2)
    return real(*arguments)
os.copy_file_range = slow
from vmci_tui.cli.run import main
raise SystemExit(main(sys.argv[1:]))
"""


def slowly(*arguments: str) -> list[str]:
    """Start vmci as on a slow disk: a copy of the large dump takes 8 seconds."""
    return [sys.executable, "-c", _SLOWLY, *arguments]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Write a dump that is copied in more than one part."""
    path = tmp_path / "large.elf"
    path.write_bytes(elf((cpus() + note(),), (Load(0, ram(1 << 20) * 64),)))
    return path


@pytest.mark.parametrize("name", _SIGNALS)
def test_an_interrupted_copy_leaves_no_file(name: str, large: Path) -> None:
    folder = large.parent
    command = slowly("set", str(large), "PAGESIZE=8192", "-o", str(folder / "out"))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert appears(folder, ".vmci-part")
        process.send_signal(signal.Signals[name])
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, "vmci: interrupted; nothing was changed\n")
    assert os.listdir(folder) == [large.name]


def appears(folder: Path, ending: str) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if any(name.endswith(ending) for name in os.listdir(folder)):
            return True
        time.sleep(0.05)
    return False


def test_signals_that_nohup_ignores_stay_ignored(tmp_path: Path) -> None:
    (tmp_path / "dump.elf").write_bytes(_DATA)
    code = "import signal, os; from vmci_tui.cli.run import main; main(['--help']); os.kill(os.getpid(), signal.SIGHUP)"
    code = code.replace("main(['--help'])", "main(['show', 'dump.elf'])")
    command = ["nohup", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1"])
def test_an_app_killed_while_saving_leaves_no_file(name: str, large: Path) -> None:
    with Terminal(slowly(str(large)), env={"XDG_CONFIG_HOME": str(large.parent / "config")}) as terminal:
        terminal.wait_for("OSRELEASE")
        terminal.send("s")
        terminal.wait_for("Save anyway")
        terminal.settle()
        row, line = next((row, line) for row, line in enumerate(terminal.lines) if "Save anyway" in line)
        terminal.click(line.index("Save anyway"), row)
        assert appears(large.parent, ".vmci-part")
        terminal.signal(signal.Signals[name])
        assert terminal.finish() == 130
        assert "Traceback" not in terminal.text
    assert [path.name for path in large.parent.iterdir() if path.is_file() or "part" in path.name] == [large.name]
