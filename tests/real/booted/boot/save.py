"""Boot guests, stop each, dump it and save it as a migration stream; then load it again and save it in other ways.

In the checkout: GUESTS=FOLDER [QEMU_NEWER=PREFIX] python -m tests.real.booted.boot.save SUITE [PLAN...]

Writes SUITE/saved/PLAN.elf (QEMU's own dump), PLAN.qevm, and PLAN.WAY.qevm for each other way: all of the same memory.
QEMU_NEWER is put before the name of the program, as a newer QEMU may be in a folder of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.real.booted.boot.boot import Monitor, wait

_X86 = ("qemu-system-x86_64", "-smp", "2")
_ARM = ("qemu-system-aarch64", "-cpu", "cortex-a57", "-smp", "1")
_TWO = ("-object", "memory-backend-ram,id=m0,size=96M", "-object", "memory-backend-ram,id=m1,size=96M")
_UNEQUAL = ("-object", "memory-backend-ram,id=m0,size=64M", "-object", "memory-backend-ram,id=m1,size=128M")
_NODES = ("-numa", "node,memdev=m0", "-numa", "node,memdev=m1")
_FW_CFG = ("-device", "vmcoreinfo")
PLANS = {
    "pc": (
        "amd64",
        (*_X86, "-machine", "pc-i440fx-7.2,accel=tcg,max-ram-below-4g=128M", "-m", "192M", *_FW_CFG),
        "ttyS0",
    ),
    "q35": ("amd64", (*_X86, "-machine", "pc-q35-7.2,accel=tcg", "-m", "192M", *_TWO, *_NODES, *_FW_CFG), "ttyS0"),
    "unequal": (
        "amd64",
        (*_X86, "-machine", "pc-q35-7.2,accel=tcg", "-m", "192M", *_UNEQUAL, *_NODES, *_FW_CFG),
        "ttyS0",
    ),
    "microvm": (
        "amd64",
        (*_X86, "-machine", "microvm,accel=tcg,acpi=off,rtc=on,pit=on,pic=on", "-m", "192M", *_FW_CFG),
        "ttyS0",
    ),
    "virt": ("arm64", (*_ARM, "-machine", "virt-7.2,accel=tcg", "-m", "256M", *_FW_CFG), "ttyAMA0"),
}
_WAYS: dict[str, tuple[str, ...]] = {"compress": ("compress",), "xbzrle": ("xbzrle",)}
_NEWER_WAYS: dict[str, tuple[str, ...]] = {
    "10": (),
    "10-mapped": ("mapped-ram",),
    "10-multifd": ("mapped-ram", "multifd"),
}


def _run(command: tuple[str, ...], scratch: str, *more: str) -> tuple[subprocess.Popen[bytes], str]:
    monitor = f"{scratch}/qmp"
    channels = ("-qmp", f"unix:{monitor},server=on,wait=off", "-display", "none", "-nodefaults", "-no-reboot")
    return subprocess.Popen([*command, *channels, *more], stdin=subprocess.DEVNULL), monitor


def _save(qmp: Monitor, path: Path, capabilities: tuple[str, ...] = (), file: bool = False) -> None:
    """Migrate the stopped guest into a file, and wait until that is done."""
    for name in capabilities:
        qmp.ask("migrate-set-capabilities", capabilities=[{"capability": name, "state": True}])
    qmp.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 33})
    qmp.ask("migrate", uri=f"file:{path}" if file else f"exec:cat > {path}")
    while (status := qmp.ask("query-migrate").get("status")) != "completed":
        if status == "failed":
            raise SystemExit(f"{path.name}: {qmp.ask('query-migrate')}")
        time.sleep(0.1)


def boot_and_save(folder: Path, plan: str) -> None:
    """Boot the guest of a plan, dump it, and save it."""
    machine, command, terminal = PLANS[plan]
    build, saved = folder / "build" / machine, folder / "saved"
    saved.mkdir(exist_ok=True)
    console = saved / f"{plan}.serial"
    console.unlink(missing_ok=True)
    kernel = min((build / "root" / "boot").glob("vmlinu[xz]-*"))
    guest = ("-kernel", str(kernel), "-initrd", str(build / "initrd.gz"), "-serial", f"file:{console}")
    with tempfile.TemporaryDirectory() as scratch:
        process, monitor = _run(command, scratch, *guest, "-append", f"console={terminal} panic=-1 nokcore")
        try:
            wait(console, b"TRUTH ready", process)
            qmp = Monitor(monitor)
            qmp.ask("stop")
            qmp.ask("dump-guest-memory", protocol=f"file:{saved}/{plan}.elf", paging=False)
            _save(qmp, saved / f"{plan}.qevm")
        finally:
            process.kill()
            process.wait()


def load_and_save(folder: Path, plan: str, way: str, capabilities: tuple[str, ...], prefix: str = "") -> None:
    """Load the stream of a plan into a QEMU that does not run it, and save it in another way."""
    machine, command, _ = PLANS[plan]
    saved, build = folder / "saved", folder / "build" / machine
    kernel = min((build / "root" / "boot").glob("vmlinu[xz]-*"))
    guest = ("-kernel", str(kernel), "-initrd", str(build / "initrd.gz"), "-serial", "null", "-S")
    program = (prefix + command[0], *command[1:])
    with tempfile.TemporaryDirectory() as scratch:
        process, monitor = _run(program, scratch, *guest, "-incoming", f"exec:cat {saved}/{plan}.qevm")
        try:
            while not Path(monitor).exists():
                time.sleep(0.1)
            qmp = Monitor(monitor)
            while qmp.ask("query-status")["status"] == "inmigrate":
                time.sleep(0.1)
            _save(qmp, saved / f"{plan}.{way}.qevm", capabilities, file=bool(prefix))
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    suite, newer = Path(os.environ["GUESTS"]) / sys.argv[1], os.environ.get("QEMU_NEWER", "")
    for name in sys.argv[2:] or PLANS:
        if not (suite / "saved" / f"{name}.qevm").exists():
            boot_and_save(suite, name)
        for way, wanted in _WAYS.items():
            load_and_save(suite, name, way, wanted)
        for way, wanted in _NEWER_WAYS.items() if newer else ():
            load_and_save(suite, name, way, wanted, newer)
