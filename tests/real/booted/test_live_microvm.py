"""A microvm that runs, whose kernel writes the entry: the tiny one, because Debian's finds no fw_cfg without ACPI.

`tiny/make.sh $VMCI_GUESTS/tiny` builds it. One of its two processes never leaves its own code, nor does the only CPU.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.real.booted.guest import FOLDER
from tests.real.live_vms import programs, started
from vmci_tui.cli.run import main

_TINY: Final = FOLDER / "tiny" if FOLDER else None
_PROGRAM: Final = "qemu-system-x86_64"
_MACHINE: Final = ("-machine", "microvm,acpi=off,rtc=on,pit=on,pic=on", "-m", "64M")
_LINE: Final = "console=ttyS0 no_timer_check qemu_fw_cfg.ioport=12@0x510 wait"
_LIMIT: Final = 600
"""Seconds for a boot without acceleration on a busy machine."""
_DEVICE: Final = ("-device", "vmcoreinfo")

pytestmark = pytest.mark.long


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("program", programs(_PROGRAM) if _TINY and (_TINY / "bzImage").exists() else [])
@pytest.mark.parametrize("device", [_DEVICE, ()], ids=["a device", "no device"])
def test_entry_note_and_log(
    program: str, device: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _TINY is not None
    console = tmp_path / "console"
    boots = ("-kernel", str(_TINY / "bzImage"), "-initrd", str(_TINY / "initrd.gz"), "-append", _LINE)
    with started(tmp_path, program, *_MACHINE, *device, *boots, "-serial", f"file:{console}") as vm:
        end = time.monotonic() + _LIMIT
        while not console.exists() or b"billing: started" not in console.read_bytes():
            assert vm.process.poll() is None and time.monotonic() < end
            time.sleep(0.2)
        named = f"qmp:{vm.path}"
        vm.stops()
        (by_itself,) = _json(capsys, "find", named, "--no-stop")["candidates"]
        assert vm.stops() == (0, 0.0) and (by_itself["found_by"], by_itself["proved"]) == ("kernel", True)
        shown = _json(capsys, "show", named)
        times, milliseconds = vm.stops()
        assert times == (2 if device else 1) and milliseconds <= 5 and vm.running
        assert (shown["entry"]["paddr"] if device else shown["entry"]) == (by_itself["paddr"] if device else None)
        log = _json(capsys, "log", named)
        assert "billing: started" in [record["text"] for record in log["log"]]
        if device:
            assert sum(" xp " in command for command in log["live"]["commands"]) <= 100
