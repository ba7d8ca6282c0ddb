"""Test savevm of the installed QEMU: the dump that a snapshot opens as is the one that QEMU itself writes.

The machines have never run, but for QEMU that makes no difference: their CPUs, memory and device states are real.
"""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.limits import PATIENCE
from tests.real import readers
from tests.real.qemu_dumps import GUESTS, Guest
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.opening.open_file import open_document

_MORE = {
    "riscv64": Guest("qemu-system-riscv64", ("-machine", "virt", "-m", "32M", "-bios", "none"), 0x8000_0000),
    "ppc64": Guest("qemu-system-ppc64", ("-machine", "pseries", "-cpu", "power9", "-m", "256M"), 0),
}
_ALL = {**GUESTS, **_MORE}
_SMP = ("-smp", "2")
_CLUSTER = 1 << 16
_EMPTY_DISK = b"".join(
    part.ljust(_CLUSTER, b"\0")
    for part in (
        struct.pack(
            ">4sIQIIQIIQQIIQQQQII",
            b"QFI\xfb",
            3,
            0,
            0,
            16,
            1 << 20,
            0,
            1,
            3 * _CLUSTER,
            _CLUSTER,
            1,
            0,
            0,
            0,
            0,
            0,
            4,
            104,
        ),
        struct.pack(">Q", 2 * _CLUSTER),
        struct.pack(">4H", 1, 1, 1, 1),
        b"",
    )
)
"""A qcow2 disk of 1 MiB: header, table of reference counts, their block, L1 table."""


def _saved(guest: Guest, folder: Path, memory: bytes) -> tuple[str, str]:
    """Return a disk image with two snapshots of a stopped guest, and QEMU's own dump of it."""
    contents, disk, dumped = folder / "memory", folder / "disk.qcow2", folder / "dump.elf"
    contents.write_bytes(memory)
    disk.write_bytes(_EMPTY_DISK)
    asked: list[dict[str, object]] = [{"execute": "qmp_capabilities"}]
    for name in ("first", "second"):
        words = {"command-line": f"savevm {name}"}
        asked.append({"execute": "human-monitor-command", "arguments": words})
    asked.append({"execute": "dump-guest-memory", "arguments": {"paging": False, "protocol": f"file:{dumped}"}})
    asked.append({"execute": "quit"})
    done = subprocess.run(
        [
            guest.program, *guest.arguments, *_SMP, "-nodefaults", "-display", "none", "-accel", "tcg", "-S",
            "-qmp", "stdio", "-blockdev", f"qcow2,node-name=disk,file.driver=file,file.filename={disk}",
            "-device", f"loader,file={contents},addr={guest.base + (1 << 20):#x},force-raw=on",
        ],
        input="".join(json.dumps(line) + "\n" for line in asked),
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert '"error"' not in done.stdout and "Error" not in done.stdout, done.stdout
    return str(disk), str(dumped)


@pytest.mark.parametrize(
    "name",
    [name if name in ("x86_64", "aarch64") else pytest.param(name, marks=pytest.mark.long) for name in _ALL],
)
def test_a_snapshot_is_the_dump_that_qemu_writes(name: str, tmp_path: Path) -> None:
    guest = _ALL[name]
    if name in _MORE and shutil.which(guest.program) is None:
        pytest.skip(f"{guest.program} is not installed")
    readers.need(guest.program)
    disk, dumped = _saved(guest, tmp_path, random.Random(17).randbytes(1 << 20))
    with open_document(disk, choice=ImageChoice(snapshot="second")) as saved, open_document(dumped) as true:
        mine, qemus = saved.dump, true.dump
        assert mine is not None and qemus is not None
        assert [note.raw for note in mine.notes] == [note.raw for note in qemus.notes]
        assert (mine.machine, mine.order) == (qemus.machine, qemus.order)
        start, end = guest.base + (1 << 20), guest.base + (7 << 20)
        for paddr in range(start, end, 1 << 20):
            theirs = qemus.guest_memory.read(qemus.guest_source, paddr, 1 << 20)
            assert mine.guest_memory.read(mine.guest_source, paddr, 1 << 20) == theirs
        assert qemus.guest_memory.covered(start, end - start) == mine.guest_memory.covered(start, end - start)
