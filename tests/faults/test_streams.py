"""Test closed, full and unread standard streams: the file is saved first, and the exit code reports the error."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.dumps import kdump_factory
from tests.dumps.factory import ram
from tests.limits import PATIENCE
from tests.paths import DATA, SAMPLES
from tests.processes import is_at_work

_VMCI = f"{sys.executable} -m vmci_tui"
_COMMANDS = {
    "show d.elf": (0, True),
    "check d.elf": (0, True),
    "cpus d.elf": (0, True),
    "hex d.elf": (0, True),
    "craft --list": (0, True),
    "predict < cases": (0, True),
    "set d.elf PAGESIZE=8192 -o out": (0, False),
    "set d.elf PAGESIZE=8192 -o out --json": (0, True),
    "set d.elf PAGESIZE=8192 --in-place": (0, False),
    "strip d.elf -o out": (0, False),
    "repair d.elf -o out": (0, True),
    "unflatten flat -o out": (0, False),
    "new entry -o out": (0, False),
    "undo saved.elf": (0, False),
    "undo d.elf": (4, False),
    "show": (2, False),
    "d.elf": (2, False),
    "lessons": (2, False),
}
"""Each command, its exit code, and whether it prints data."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(SAMPLES / "x86_64-linux-good.elf", tmp_path / "d.elf")
    shutil.copy(SAMPLES / "x86_64-linux-good.note", tmp_path / "note")
    plain = kdump_factory.kdump({at: ram(4096, at) for at in range(3)})
    (tmp_path / "flat").write_bytes(kdump_factory.flattened(plain, (4096, 8192)))
    with gzip.open(DATA / "qemu-cases.jsonl.gz", "rb") as cases:
        (tmp_path / "cases").write_bytes(cases.readline())
    shutil.copy(tmp_path / "d.elf", tmp_path / "saved.elf")
    run(tmp_path, f"{_VMCI} set saved.elf PAGESIZE=8192 --in-place")
    return tmp_path


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("how", [">&-", "2>&-", "<&-", ">&- 2>&- <&-", "2>/dev/full", ">/dev/full", "| true"])
def test_streams_that_are_closed_full_or_not_read(how: str, command: str, folder: Path) -> None:
    code, prints = _COMMANDS[command]
    if "<" in how:
        command = command.split(" <")[0]
    before = sorted(os.listdir(folder))
    ran = run(folder, f"{_VMCI} {command} {how}")
    assert "Traceback" not in ran.stderr and "Exception" not in ran.stderr
    if command == "predict":
        code = 3  # its input is the closed stream
    elif prints and how == "| true":
        code = 141
    elif prints and how.startswith(">"):
        code = 4
    assert ran.returncode == code
    heard = not how.startswith("2>") and "2>&-" not in how
    assert not heard or bool(ran.stderr) == (_saves(command) or code not in (0, 141))
    saved = {"out"} if "-o out" in command else {"d.elf.vmci-undo"} if "--in-place" in command else set()
    gone = {"saved.elf.vmci-undo"} if command == "undo saved.elf" else set()
    assert set(os.listdir(folder)) == (set(before) | saved) - gone
    if prints and _saves(command) and code and heard:
        assert "out is saved" in ran.stderr


def _saves(command: str) -> bool:
    return "-o out" in command or "--in-place" in command or command.startswith("undo")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_app_and_the_lessons_need_a_terminal_on_all_three(number: int, folder: Path) -> None:
    """Textual draws on stderr: a redirected stderr would get the pictures."""
    for command in ("d.elf", "lessons"):
        controller, terminal = os.openpty()
        streams = [terminal] * 3
        with open(folder / "elsewhere", "w+b") as file:
            streams[number] = file.fileno()
            ran = subprocess.run(
                [sys.executable, "-m", "vmci_tui", command],
                cwd=folder, stdin=streams[0], stdout=streams[1], stderr=streams[2], timeout=PATIENCE, check=False,
            )  # fmt: skip
            file.seek(0)
            assert file.read().count(b"\n") == (1 if number == 2 else 0)
        os.close(controller)
        os.close(terminal)
        assert ran.returncode == 2


@pytest.mark.parametrize("command", ["repair d.elf -o out", "set d.elf PAGESIZE=1 -o out --json"])
def test_a_blocked_output_pipe_does_not_delay_the_save(command: str, folder: Path) -> None:
    """An interrupt then reports the saved file and ends the command at once."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    while True:
        try:
            os.write(write, bytes(4096))
        except BlockingIOError:
            break
    os.set_blocking(write, True)
    with subprocess.Popen(
        [sys.executable, "-m", "vmci_tui", *command.split()],
        cwd=folder,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and (not (folder / "out").exists() or is_at_work(process.pid)):
            time.sleep(0.05)
        try:
            assert (folder / "out").exists() and process.poll() is None
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()  # nothing else ends it, if it does not end itself
    os.close(read)
    os.close(write)
    assert process.returncode == 130 and said.splitlines()[-1] == "vmci: interrupted; out is saved"
