"""Boot guests whose memory has several kernels, and dump each: files of kernels and of another guest, kexec, a crash.

In the checkout, after all.sh: GUESTS=FOLDER python -m tests.real.booted.boot.several SUITE [PLAN...]

Writes SUITE/several/PLAN.elf and PLAN.serial. A file in the initramfs of a guest is in memory twice: in pages as
they were free, and, with retain_initrd, in one piece that begins on a page.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.real.booted.boot.boot import MACHINES, dump, stopped
from vmci_tui.containers.guest import guest_of
from vmci_tui.opening.open_file import open_document

_CACHE: Final = "panic=-1 retain_initrd"
_KEXEC: Final = "panic=-1 no_timer_check"
PLANS: Final = {
    **{f"{machine}-cache": (machine, "2G", _CACHE) for machine in ("amd64", "arm64", "i386", "ppc64el", "s390x")},
    "amd64-nokaslr-cache": ("amd64", "2G", f"{_CACHE} nokaslr"),
    "arm64-nokaslr-cache": ("arm64", "2G", f"{_CACHE} nokaslr"),
    "amd64-kexec": ("amd64", "512M", f"{_KEXEC} kexec"),
    "amd64-crash": ("amd64", "512M", f"{_KEXEC} crashkernel=160M kexec"),
}
"""The machine of each plan, its memory, and what its kernel is started with."""
_PAGE: Final = 4096
_NEAR: Final = 1 << 30
"""Bytes from the start of memory within which a guest's memory is taken for a file: firmware is elsewhere."""
_PACKED: Final = {
    b"\xfd7zXZ\0": ("xz", "-dc", "--single-stream"),
    b"\x28\xb5\x2f\xfd": ("zstd", "-dc"),
    b"\x1f\x8b\x08": ("gzip", "-dc"),
}
"""What a packed kernel begins with, and what unpacks it."""
_INIT: Final = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin LD_LIBRARY_PATH=/lib64
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo 1 > /proc/sys/kernel/printk
echo 0 > /proc/sys/kernel/kptr_restrict
echo "TRUTH vmcoreinfo $(cat /sys/kernel/vmcoreinfo)"
echo "TRUTH stext $(grep ' _stext$' /proc/kallsyms)"
cat /files/* > /dev/null
if grep -q ' kexec' /proc/cmdline; then
    way=-l; grep -q crashkernel /proc/cmdline && way=-p
    line="$(sed 's/ kexec.*//; s/crashkernel=[^ ]*//' /proc/cmdline) irqpoll nr_cpus=1"
    kexec -s $way /files/kernel --initrd=/files/initrd --command-line="$line"
    sync
    [ $way = -l ] && kexec -e
    echo c > /proc/sysrq-trigger
fi
echo "TRUTH ready"
while :; do sleep 3600; done
"""


class _File(NamedTuple):
    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def _cpio(files: Iterable[_File]) -> bytes:
    """Return an archive as Linux unpacks it, with zeros after names, so that long files begin on pages."""
    out = bytearray()
    for name, mode, data, device in (*files, _File("TRAILER!!!", 0)):
        label = name.encode() + b"\0"
        length = len(label) + (-(len(out) + 110 + len(label)) % _PAGE if len(data) > 1 << 20 else 0)
        fields = (len(out), mode, 0, 0, 1, 0, len(data), 0, 0, *device, length, 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + label.ljust(length, b"\0")
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def _tree(busybox: bytes, files: Iterable[_File]) -> bytes:
    folders = ("bin", "sbin", "lib", "lib64", "proc", "sys", "dev", "files")
    start = [_File(name, 0o40755) for name in folders]
    start += [_File("bin/busybox", 0o100755, busybox), _File("init", 0o100755, _INIT.encode())]
    return _cpio([*start, _File("dev/console", 0o20600, b"", (5, 1)), *files])


def _unpacked(kernel: bytes) -> bytes:
    """Return the ELF file or the image in a kernel's file; the file itself if it is not packed."""
    for magic, command in _PACKED.items():
        at = kernel.find(magic)
        while at >= 0:
            data = subprocess.run(command, input=kernel[at:], capture_output=True, check=False).stdout
            if data[:4] == b"\x7fELF":
                return data
            at = kernel.find(magic, at + 1)
    return kernel


def _memory(dump: Path) -> bytes:
    """Return the memory of another guest, as a nested machine or a file of it has it."""
    out = bytearray()
    with open_document(str(dump)) as document:
        assert document.dump is not None
        guest = guest_of(document.dump)
        first = guest.memory.ranges[0].paddr
        for item in guest.memory.ranges:
            if item.end - first <= _NEAR:
                out += bytes(item.paddr - first - len(out)) + (guest.read(item.paddr, item.length) or b"")
    return bytes(out)


def _programs() -> list[_File]:
    """Return this machine's kexec, with what it is linked to."""
    said = subprocess.run(["ldd", "/usr/sbin/kexec"], capture_output=True, text=True, check=True).stdout
    paths = [word for word in said.split() if word.startswith("/")]
    libraries = [_File(f"lib64/{Path(path).name}", 0o100755, Path(path).read_bytes()) for path in paths]
    return [_File("sbin/kexec", 0o100755, Path("/usr/sbin/kexec").read_bytes()), *libraries]


def _files(folder: Path, plan: str, kernel: Path, busybox: bytes) -> list[_File]:
    """Return what a plan's guest has in memory beside its own kernel."""
    if "cache" not in plan:
        again = [
            _File("files/kernel", 0o100644, kernel.read_bytes()),
            _File("files/initrd", 0o100644, _tree(busybox, [])),
        ]
        return [*again, *_programs()]
    whole = {"kernel": kernel.read_bytes(), "vmlinux": _unpacked(kernel.read_bytes())}
    whole["guest"] = _memory(
        folder / "dumps" / f"{plan.removesuffix('-cache')}{'' if 'nokaslr' in plan else '-full'}.elf"
    )
    return [_File(f"files/{name}", 0o100644, data) for name, data in whole.items()]


def boot(folder: Path, plan: str) -> None:
    """Boot and dump the guest of a plan."""
    machine, memory, arguments = PLANS[plan]
    command, terminal = MACHINES[machine]
    build, out = folder / "build" / machine / "root", folder / "several"
    out.mkdir(exist_ok=True)
    kernel = min((build / "boot").glob("vmlinu[xz]-*"))
    busybox = next(path for path in (build / "bin/busybox", build / "usr/bin/busybox") if path.exists()).read_bytes()
    with tempfile.NamedTemporaryFile() as initrd:
        initrd.write(_tree(busybox, _files(folder, plan, kernel, busybox)))
        initrd.flush()
        options = ("-m", memory, "-kernel", str(kernel), "-initrd", initrd.name)
        append = ("-append", f"console={terminal} {arguments}")
        with stopped([*command, *options, *append], out / f"{plan}.serial", b"TRUTH ready") as qmp:
            dump(qmp, out / f"{plan}.elf")


if __name__ == "__main__":
    suite, *plans = sys.argv[1:]
    for one in plans or PLANS:
        boot(Path(os.environ["GUESTS"]) / suite, one)
        print(suite, one, flush=True)
