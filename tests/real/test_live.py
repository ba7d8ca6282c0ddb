"""Real VMs over QMP: the entry, the note, and the guest in the state in which it was, whatever becomes of vmci."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.paths import DATA
from tests.real.live_vms import Vm, programs, started
from tests.real.readers import need
from tests.zstd import zstd
from vmci_tui.cli.run import main

_PC = ("-machine", "pc,max-ram-below-4g=128M", "-m", "192M", "-smp", "2")
_SAVED = ("-machine", "pc-i440fx-7.2,max-ram-below-4g=128M", "-m", "192M", "-smp", "2", "-serial", "null", "-S")
_SEED = 20261130
_MOST_STOPPED = 5.0
"""Milliseconds that a guest may be stopped in all."""


@pytest.fixture(autouse=True)
def _qemu() -> None:
    need("qemu-system-x86_64")


def _shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_guest_that_never_wrote_the_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for program in programs("qemu-system-x86_64"):
        with started(tmp_path, program, *_PC, "-device", "vmcoreinfo") as vm:
            shown = _shown(capsys, "show", f"qmp:{vm.path}")
            times, milliseconds = vm.stops()
            assert times == 2 and milliseconds <= _MOST_STOPPED and vm.running
            assert shown["entry"]["present"] is False and shown["live"]["device"] and shown["live"]["running"]
            assert abs(shown["live"]["stopped_ms"] - milliseconds) < 0.01
            assert [note["name"] for note in shown["notes"]] == ["CORE", "CORE", "QEMU", "QEMU"]
            printed = _shown(capsys, "show", f"qmp:{vm.path}", "--no-stop")
            assert printed["entry"] is None and vm.stops() == (0, 0)
            assert [note["length"] for note in printed["notes"]] == [note["length"] for note in shown["notes"]]


def test_a_vm_without_the_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(tmp_path, "qemu-system-x86_64", *_PC) as vm:
        shown = _shown(capsys, "show", f"qmp:{vm.path}")
        assert vm.stops()[0] == 1, "for the registers"
        assert (shown["entry"], shown["live"]["device"], vm.running) == (None, False, True)


def test_a_restored_guest_has_its_entry_its_note_and_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved"
    saved.write_bytes(zstd.decompress((DATA / "streams" / "pc-7.2.qevm.zst").read_bytes()))
    for program in programs("qemu-system-x86_64", "pc-i440fx-7.2"):
        with started(tmp_path, program, *_SAVED, "-device", "vmcoreinfo", "-incoming", f"exec:cat {saved}") as vm:
            while vm.ask("query-status")["status"] == "inmigrate":
                time.sleep(0.05)
            shown = _shown(capsys, "show", f"qmp:{vm.path}")
            assert (shown["entry"]["paddr"], shown["entry"]["present"]) == (0x1414000, True)
            (found,) = _shown(capsys, "find", f"qmp:{vm.path}")["candidates"]
            assert (found["paddr"], found["proved"]) == (0x1414000, True)
            log = _shown(capsys, "log", f"qmp:{vm.path}")
            assert "Linux version 6.1.0-57-amd64" in log["log"][0]["text"]
            assert sum(" xp " in command for command in log["live"]["commands"]) <= 100
            assert vm.stops() == (0, 0) and vm.ask("query-status")["status"] in ("paused", "prelaunch")


def test_a_dump_leaves_the_guest_running(tmp_path: Path) -> None:
    with started(tmp_path, "qemu-system-x86_64", *_PC, "-device", "vmcoreinfo") as vm:
        main(["convert", f"qmp:{vm.path}", "-o", str(tmp_path / "vm.elf"), "--yes", "stop"])
        assert vm.running and (tmp_path / "vm.elf").stat().st_size > 192 << 20


def _kill_at_random(vm: Vm, arguments: list[str], longest: float, seed: random.Random) -> None:
    process = subprocess.Popen([sys.executable, "-m", "vmci_tui", *arguments], stdout=-3, stderr=-3)
    time.sleep(seed.uniform(0, longest))
    process.kill()
    process.wait()
    end = time.monotonic() + 20
    while not vm.running:
        assert time.monotonic() < end, "the guest is not running any more"
        time.sleep(0.05)
    assert vm.ask("query-version")["qemu"]["major"] >= 7


@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.long)])
def test_a_killed_vmci_leaves_the_guest_running(tmp_path: Path, count: int) -> None:
    seed = random.Random(_SEED)
    with started(tmp_path, "qemu-system-x86_64", *_PC, "-device", "vmcoreinfo") as vm:
        out = str(tmp_path / "vm.elf")
        for number in range(count):
            if number % 2:
                _kill_at_random(vm, ["show", f"qmp:{vm.path}"], 0.8, seed)
            else:
                _kill_at_random(vm, ["convert", f"qmp:{vm.path}", "-o", out, "--yes", "stop"], 2.5, seed)
            Path(out).unlink(missing_ok=True)
        assert sorted(os.listdir(tmp_path)) == ["test.qmp", "vmci.qmp"]


def test_memory_that_the_guest_never_touched_stays_unallocated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = ("-object", "memory-backend-memfd,id=ram,size=192M", "-machine", "memory-backend=ram")
    with started(tmp_path, "qemu-system-x86_64", *_PC, *memory, "-device", "vmcoreinfo") as vm:
        time.sleep(0.5)  # the firmware is still writing
        before = _blocks(vm.process.pid)
        _shown(capsys, "show", f"qmp:{vm.path}")
        _shown(capsys, "find", f"qmp:{vm.path}")
        assert _blocks(vm.process.pid) == before


def _blocks(pid: int) -> int:
    """Return the blocks of 512 bytes of the memory of a VM, by the descriptor of its memfd."""
    links = Path(f"/proc/{pid}/fd")
    return sum(link.stat().st_blocks for link in links.iterdir() if "memory-backend-memfd" in os.readlink(link))
