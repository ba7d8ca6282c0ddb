"""A stopped guest: its memory and its entry are written, and dumps are made of it."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.fw_cfg_entry import Write
from vmci_tui.qemu import QemuError
from vmci_tui.qemu.dump_output import ElfDumpHead, read_elf, read_phys_base
from vmci_tui.qemu.fw_cfg import SCRATCH_LENGTH, FwCfg
from vmci_tui.qemu.gdbstub import set_long_mode
from vmci_tui.qemu.monitor import Monitor
from vmci_tui.qemu.process import QemuProcess
from vmci_tui.qemu.qtest import QTest
from vmci_tui.qemu.targets import QemuTarget
from vmci_tui.readers.qemu.entry_reading import DumpTarget

_SECONDS: Final = 20.0
_WINDOW: Final = 4096
"""Bytes of memory in the ELF dump; only its notes are used."""
_WARNING: Final = re.compile(rb"(?:[^:]{1,200}: )?warning: (.*)", re.S)
"""A warning on stderr; since QEMU 11.1 the name of the program is before it."""
_MOST_WARNINGS: Final = 100
_NO_RESERVE: Final = "memory-backend-ram.reserve' not found"
"""What a QEMU before 6.1 says of `reserve`; without it, a guest cannot have more RAM than the host."""


class QemuOutput(NamedTuple):
    """What QEMU did with one dump."""

    warnings: tuple[str, ...]
    """What it printed, each line without its `warning: `, made safe by `visible`."""
    appended: bytes | None
    """The note that it put after those of the CPUs."""
    phys_base: int
    """From the header of a kdump."""
    entry: bytes
    """The 16 bytes that QEMU has."""


class QemuMachine:
    """One QEMU, which can be asked about many entries in turn. It ends with its `with` block."""

    def __init__(self, target: QemuTarget, program: str, ram: int = 0, seconds: float = _SECONDS) -> None:
        """Start it with `ram` bytes, at least as much as it needs, for at most `seconds`. Raises QemuError."""
        self.target = target
        self.ram = max(ram, target.ram_for(target.ram_base, 1))
        self._monitor: Monitor | None = None
        try:
            self._start(program, seconds, ",reserve=off")
        except QemuError as error:
            if _NO_RESERVE not in error.message:
                raise
            self._start(program, seconds, "")

    def _start(self, program: str, seconds: float, reserve: str) -> None:
        channels = ("qmp", "qtest", "gdb") if self.target.long_mode else ("qmp", "qtest")
        self._process = QemuProcess(_command(self.target, program, self.ram, reserve), channels, seconds)
        try:
            self._monitor = Monitor(self._process)
            self.version = self._monitor.connect()
            self._qtest = QTest(self._process)
            self._fw_cfg = FwCfg(self._qtest, self.target.fw_cfg, self.target.ram_base)
            if self.target.long_mode:
                set_long_mode(self._process)
            first = self._elf()
        except BaseException:
            self.stop()
            raise
        self.guest: DumpTarget = first.guest
        self._own_notes = first.notes

    def __enter__(self) -> QemuMachine:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End QEMU, and wait until it is gone."""
        try:
            self._process.stop()
        finally:
            if self._monitor is not None:
                self._monitor.close()
                self._monitor = None

    def write(self, *writes: Write) -> tuple[bool, ...]:
        """Do the guest's writes to the entry; return False for each DMA error. Guest memory at `scratch` is zeroed."""
        done = tuple(self._fw_cfg.write(write) for write in writes)
        self._fw_cfg.clear()
        return done

    def put(self, paddr: int, data: bytes) -> None:
        """Write guest memory; addresses that are not RAM do not change."""
        self._qtest.write(paddr, data)

    def read(self, paddr: int, length: int) -> bytes:
        """Read guest memory as QEMU does."""
        return self._qtest.read(paddr, length)

    def dump(self) -> QemuOutput:
        """Make both dumps, and return what QEMU did. Guest memory does not change."""
        self._process.read_stderr()
        written = self._elf()
        warnings = _warnings(self._process.read_stderr())
        if not written.notes.startswith(self._own_notes):
            raise QemuError("the notes of the CPUs changed between two dumps of a stopped guest")
        appended = written.notes[len(self._own_notes) :] or None
        assert self._monitor is not None
        phys_base = read_phys_base(self._monitor.dump_kdump_head(), self.guest)
        if (again := _warnings(self._process.read_stderr())) != warnings:
            raise QemuError(f"for a kdump QEMU warned {_listed(again)}, for an ELF dump {_listed(warnings)}")
        return QemuOutput(warnings, appended, phys_base, self._entry())

    def _entry(self) -> bytes:
        before = self._qtest.read(self._fw_cfg.scratch, SCRATCH_LENGTH)
        entry = self._fw_cfg.entry()
        self._qtest.write(self._fw_cfg.scratch, before)
        return entry

    def _elf(self) -> ElfDumpHead:
        assert self._monitor is not None
        return read_elf(self._monitor.dump_elf(self.target.ram_base, _WINDOW), self.target.ram_base)


def _warnings(said: bytes) -> tuple[str, ...]:
    """Return the warnings that QEMU printed. Raises QemuError if there are more than QEMU ever prints for a dump."""
    found = [match[1] for line in said.split(b"\n") if (match := _WARNING.match(line)) is not None]
    if len(found) > _MOST_WARNINGS:
        raise QemuError(f"QEMU printed {len(found)} warnings for one dump", "is this a QEMU?")
    return tuple(visible(words.rstrip(b"\r")) for words in found)


def _listed(warnings: tuple[str, ...]) -> str:
    return "; ".join(warnings) or "of nothing"


def _command(target: QemuTarget, program: str, ram: int, reserve: str) -> list[str]:
    machine, *rest = target.arguments[1:]
    command = [
        program, "-no-user-config", "-nodefaults", "-display", "none", "-accel", "tcg", "-S",
        "-machine", f"{machine},memory-backend=ram", *rest, "-m", f"{ram >> 20}M",
        # Memory that is never touched costs nothing, so a guest can have more RAM than the host.
        "-object", f"memory-backend-ram,id=ram,size={ram}{reserve}",
        "-device", "vmcoreinfo",
        "-chardev", "socket,id=qmp,fd={qmp}", "-qmp", "chardev:qmp",
        "-chardev", "socket,id=qtest,fd={qtest}", "-qtest", "chardev:qtest", "-qtest-log", "none",
    ]  # fmt: skip
    if target.long_mode:
        command += ["-chardev", "socket,id=gdb,fd={gdb}", "-gdb", "chardev:gdb"]
    return command
