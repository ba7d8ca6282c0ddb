"""Boot a guest, wait until it has printed what it knows of itself, stop it and dump it over QMP.

GUESTS=FOLDER boot.py SUITE PLAN
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PC = ("-machine", "pc,accel=tcg", "-m", "192M", "-smp", "2")
_VIRT = ("-machine", "virt,accel=tcg", "-smp", "1")
MACHINES = {
    "amd64": (("qemu-system-x86_64", *_PC), "ttyS0"),
    "i386": (("qemu-system-i386", *_PC), "ttyS0"),
    "arm64": (("qemu-system-aarch64", *_VIRT, "-m", "256M", "-cpu", "cortex-a57"), "ttyAMA0"),
    "arm64-16k": (("qemu-system-aarch64", *_VIRT, "-m", "256M", "-cpu", "cortex-a76"), "ttyAMA0"),
    "armhf": (("qemu-system-arm", *_VIRT, "-m", "192M", "-cpu", "cortex-a15"), "ttyAMA0"),
    "riscv64": (("qemu-system-riscv64", *_VIRT, "-m", "256M"), "ttyS0"),
    "s390x": (
        ("qemu-system-s390x", "-machine", "s390-ccw-virtio,accel=tcg", "-cpu", "max", "-m", "256M", "-smp", "1"),
        "ttysclp0",
    ),
    "ppc64el": (
        ("qemu-system-ppc64", "-machine", "pseries,accel=tcg", "-cpu", "power9", "-m", "512M", "-smp", "1"),
        "hvc0",
    ),
}
PLANS = {
    **{f"{machine}-full": (machine, "panic=-1") for machine in MACHINES},
    "amd64-nokaslr": ("amd64", "panic=-1 nokaslr nokcore"),
    "amd64-pti": ("amd64", "panic=-1 pti=on nokcore"),
    "amd64-la57": ("amd64", "panic=-1 nokcore"),
    "amd64-panic": ("amd64", "panic=0 panicnow nokcore"),
    "arm64-nokaslr": ("arm64", "panic=-1 nokaslr nokcore"),
    "arm64-panic": ("arm64", "panic=0 panicnow nokcore"),
    **{f"{machine}-secrets": (machine, "panic=-1 nokcore secrets") for machine in ("amd64", "arm64", "s390x")},
    "arm64-lpa2": ("arm64", "panic=-1"),
    "arm64-16k-lpa2": ("arm64-16k", "panic=-1"),
}
"""The machine of each plan, and what its kernel is started with."""
_CPUS = {"la57": "max,la57=on", "lpa2": "max,pauth-impdef=on"}
"""Processors with wider addresses than the usual ones, by the ends of plans' names."""
_LIMIT = 1200
"""Seconds for a boot, on a busy machine without acceleration."""


class Monitor:
    """QMP: one command, one answer."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._file = self._socket.makefile("rw")
        self._file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: object) -> Any:
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise SystemExit(f"{command}: {answer['error']}")


def wait(console: Path, words: bytes, process: subprocess.Popen[bytes]) -> None:
    """Wait until a guest has printed these words on its console."""
    end = time.monotonic() + _LIMIT
    while not (console.exists() and words in console.read_bytes()):
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the guest did not print {words!r}; see {console}")
        time.sleep(0.5)


@contextmanager
def stopped(command: Sequence[str], console: Path, *words: bytes) -> Iterator[Monitor]:
    """Start a guest, and stop it once its console has these words, one after the other; it ends with the block."""
    console.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        monitor = f"{scratch}/qmp"
        channels = ("-serial", f"file:{console}", "-qmp", f"unix:{monitor},server=on,wait=off", "-display", "none")
        process = subprocess.Popen([*command, *channels, "-nodefaults", "-no-reboot"], stdin=subprocess.DEVNULL)
        try:
            for said in words:
                wait(console, said, process)
            qmp = Monitor(monitor)
            qmp.ask("stop")
            yield qmp
        finally:
            process.kill()
            process.wait()


def dump(qmp: Monitor, path: Path, **options: str) -> None:
    """Let QEMU dump all memory."""
    path.unlink(missing_ok=True)
    qmp.ask("dump-guest-memory", protocol=f"file:{path}", paging=False, **options)


def boot(folder: Path, plan: str) -> None:
    """Boot and dump the guest of a plan."""
    machine, arguments = PLANS[plan]
    command, terminal = MACHINES[machine]
    dumps, logs, build = folder / "dumps", folder / "logs", folder / "build" / machine
    for made in (dumps, logs):
        made.mkdir(exist_ok=True)
    kernel = min((build / "root" / "boot").glob("vmlinu[xz]-*"))
    cpu = next((("-cpu", model) for name, model in _CPUS.items() if plan.endswith(name)), ())
    guest = ("-kernel", str(kernel), "-initrd", str(build / "initrd.gz"), "-append", f"console={terminal} {arguments}")
    words = (b"TRUTH ready", b"end Kernel panic") if "panicnow" in arguments else (b"TRUTH ready",)
    with stopped([*command, *cpu, *guest], logs / f"{plan}.serial", *words) as qmp:
        record = {
            "version": qmp.ask("query-version"),
            "registers": qmp.ask("human-monitor-command", **{"command-line": "info registers -a"}),
        }
        dump(qmp, dumps / f"{plan}.elf")
        dump(qmp, dumps / f"{plan}.kdump-zlib", format="kdump-zlib")
    (logs / f"{plan}.json").write_text(json.dumps(record))


if __name__ == "__main__":
    boot(Path(os.environ["GUESTS"]) / sys.argv[1], sys.argv[2])
