"""Hold what vmci says of booted guests that run to what they themselves, and QEMU's dump of them, say.

`VMCI_GUESTS` names the folder of guests (boot/README.md), `VMCI_VERSIONS` that of other releases of QEMU.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.real.booted.guest import FOLDER
from tests.real.live_vms import Vm, programs, started
from vmci_tui.cli.run import main
from vmci_tui.formats.fw_cfg_entry import Entry

_X86, _ARM = "qemu-system-x86_64", "qemu-system-aarch64"
_MICROVM: Final = "microvm,acpi=off,rtc=on,pit=on,pic=on"
"""Without ACPI, where Linux finds no clock; Debian's driver then does not find fw_cfg, so it writes no entry."""
_DEVICE: Final = ("-device", "vmcoreinfo")
_LIMIT: Final = 900
"""Seconds for a boot without acceleration on a busy machine."""
_MOST_PAGES: Final = 100
_MOST_STOPPED: Final = 5.0
"""Milliseconds in all."""


class Machine(NamedTuple):
    """A machine, and the kernel that is booted on it."""

    program: str
    arguments: tuple[str, ...]
    suite: str
    build: str
    console: str


_MACHINES: Final = {
    "q35": Machine(_X86, ("-machine", "q35", "-m", "192M", "-smp", "2"), "bookworm", "amd64", "ttyS0"),
    "pc": Machine(_X86, ("-machine", "pc", "-m", "192M", "-smp", "2"), "bookworm", "amd64", "ttyS0"),
    "microvm": Machine(_X86, ("-machine", _MICROVM, "-m", "192M", "-smp", "1"), "bookworm", "amd64", "ttyS0"),
    "virt": Machine(_ARM, ("-machine", "virt", "-m", "256M", "-cpu", "cortex-a57"), "bookworm", "arm64", "ttyAMA0"),
}


class Booted(NamedTuple):
    """A guest that runs, and what it printed."""

    vm: Vm
    entry: bytes | None
    """The entry that it has written."""
    note: int
    """The address of its note."""


@contextmanager
def _booted(folder: Path, name: str, program: str, arguments: tuple[str, ...], words: str = "") -> Iterator[Booted]:
    machine = _MACHINES[name]
    assert FOLDER is not None
    build, initrd, console = FOLDER / machine.suite / "build" / machine.build, folder / "initrd", folder / "console"
    script = Path(__file__).parent / "boot" / "live.sh"
    command = [str(script), machine.suite, machine.build, str(initrd)]
    subprocess.run(command, env=os.environ | {"GUESTS": str(FOLDER)}, check=True)
    kernel = min((build / "root" / "boot").glob("vmlinu[xz]-*"))
    boots = ("-kernel", str(kernel), "-initrd", str(initrd), "-serial", f"file:{console}")
    append = ("-append", f"console={machine.console} panic=-1 rdinit=/live {words}")
    with started(folder, program, *machine.arguments, *arguments, *boots, *append) as vm:
        end = time.monotonic() + _LIMIT
        while b"TRUTH ready" not in (said := console.read_bytes() if console.exists() else b""):
            assert vm.process.poll() is None and time.monotonic() < end, said[-300:]
            time.sleep(0.2)
        entry = re.search(rb"TRUTH entry ([0-9a-f]{32})", said)
        note = re.search(rb"TRUTH vmcoreinfo (0x[0-9a-f]+)", said)
        assert note is not None
        vm.stops()
        yield Booted(vm, None if entry is None else bytes.fromhex(entry[1].decode()), int(note[1], 16))


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def _each() -> Iterator[tuple[str, str]]:
    for name, machine in _MACHINES.items():
        for program in programs(machine.program) if FOLDER and name != "microvm" else ():
            yield name, program


pytestmark = pytest.mark.long


@pytest.mark.parametrize(("name", "program"), _each())
def test_entry_note_and_log_of_a_guest_that_runs(
    name: str, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _booted(tmp_path, name, program, _DEVICE) as guest:
        named = f"qmp:{guest.vm.path}"
        shown = _json(capsys, "show", named)
        assert guest.entry is not None
        entry = Entry.parse(guest.entry)._asdict()
        assert {name: shown["entry"][name] for name in entry} == entry
        times, milliseconds = guest.vm.stops()
        assert times == 2 and milliseconds <= _MOST_STOPPED
        (found,) = _json(capsys, "find", named)["candidates"]
        assert (found["paddr"], found["proved"]) == (guest.note, True)
        log = _json(capsys, "log", named)
        assert sum(" xp " in command for command in log["live"]["commands"]) <= _MOST_PAGES
        guest.vm.stops()
        small = str(tmp_path / "small.elf")
        cut = _json(capsys, "cut", named, "-o", small)
        assert cut["before"] == cut["after"] and cut["after"]["drgn"], "crash and makedumpfile are those of x86-64"
        assert _json(capsys, "log", small)["log"] == log["log"] and os.stat(small).st_size < 1 << 20
        times, milliseconds = guest.vm.stops()
        assert times == 2 and milliseconds <= _MOST_STOPPED
        assert _json(capsys, "log", named, "--no-stop")["log"] == log["log"]
        assert guest.vm.stops() == (0, 0.0) and guest.vm.running
        made = tmp_path / "vm.elf"
        main(["convert", named, "-o", str(made), "--yes", "stop"])
        assert _json(capsys, "log", str(made))["log"] == log["log"] and guest.vm.running
        if name != "virt":  # makedumpfile reads dumps of the machine for which it was built
            subprocess.run(["makedumpfile", "--dump-dmesg", str(made), str(tmp_path / "dmesg")], check=True)
            main(["log", named])
            assert capsys.readouterr().out.rstrip("\n") == (tmp_path / "dmesg").read_text().rstrip("\n")


@pytest.mark.parametrize(("name", "program"), [*_each(), ("microvm", _X86)])
@pytest.mark.parametrize("case", ["no device", "not written"])
def test_a_guest_without_an_entry(
    name: str, program: str, case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device, words = (_DEVICE, "unwritten") if case == "not written" else ((), "")
    with _booted(tmp_path, name, program, device, words) as guest:
        named = f"qmp:{guest.vm.path}"
        shown = _json(capsys, "show", named)
        entry = shown["entry"]
        assert entry is None if case == "no device" else not entry["present"]
        assert guest.entry is None and shown["live"]["device"] is (case == "not written")
        guest.vm.stops()
        found = _json(capsys, "find", named, "--no-stop")["candidates"]
        assert guest.vm.stops() == (0, 0.0) and guest.vm.running
        assert [(item["paddr"], item["proved"]) for item in found] == [(guest.note, True)]
