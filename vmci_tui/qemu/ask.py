"""What a real QEMU does with an entry and a note, beside what we say that it will do."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.formats.fw_cfg_entry import NOTE_HEADER, SIZE_LIMIT, EntryHistory
from vmci_tui.qemu.machine import QemuMachine, QemuOutput
from vmci_tui.qemu.targets import TARGETS, program_of
from vmci_tui.readers.qemu import warnings
from vmci_tui.readers.qemu.entry_reading import VERSIONS, DumpTarget, QemuReading, RegionBytes, Version

NOTE_LIMIT: Final = SIZE_LIMIT + 64
"""No more is put into the guest's memory: QEMU reads at most 1 MiB."""


class Answer(NamedTuple):
    """Both sides of one question."""

    target: str
    program: str
    version: str
    """Of the QEMU that was asked: `7.2.22`."""
    rules: Version
    """The version whose rules the prediction follows."""
    guest: DumpTarget
    """What the dump says of the guest."""
    lost: int | None
    """How many bytes of the note come before the first that the guest has no RAM for; None where it has all of
    them, or QEMU does not look at the region."""
    predicted: QemuOutput
    seen: QemuOutput

    @property
    def kept(self) -> bool:
        """Whether the guest holds the whole note, or QEMU does not look at it."""
        return self.lost is None

    @property
    def differences(self) -> tuple[str, ...]:
        """The parts in which QEMU did otherwise: names of the fields of `QemuOutput`."""
        return tuple(name for name in QemuOutput._fields if getattr(self.predicted, name) != getattr(self.seen, name))


def ask(history: EntryHistory, note: bytes, target: str = "x86_64", qemu: str | None = None) -> Answer:
    """Put the note where the entry says, do the guest's writes, dump, and compare.

    `qemu` is the path of a program, or the version whose rules predict (`7.2`, `10.0`); without it
    the installed one is asked, and its own version's rules predict. Takes under a second, holds no lock and
    can run in any thread. Raises QemuError.
    """
    kind = TARGETS[target]
    wanted = next((version for version in VERSIONS if version == qemu), None)
    program = program_of(kind, None if wanted else qemu)
    note = note[:NOTE_LIMIT]
    paddr, region = history.entry.paddr, _region(history, note)
    with QemuMachine(kind, program, kind.ram_for(paddr, len(region))) as machine:
        machine.write(*history.writes)
        machine.put(paddr, region)
        # Not every address is RAM, and what is there instead QEMU reads as well.
        there = machine.read(paddr, len(region))
        seen = machine.dump()
    rules = wanted or rules_of(machine.version)
    reading = QemuReading(history, RegionBytes(there), machine.guest, rules)
    predicted = QemuOutput(warnings(reading), reading.appended, reading.phys_base, history.raw)
    version = ".".join(map(str, machine.version))
    lost = None if reading.region is None else _first_lost(note, there)
    return Answer(target, program, version, rules, machine.guest, lost, predicted, seen)


def rules_of(version: tuple[int, int, int]) -> Version:
    """The rules for a QEMU of that version: the newest that were seen and are not newer than it."""
    return "10.0" if version >= (10, 0, 0) else "7.2"


def _first_lost(note: bytes, there: bytes) -> int | None:
    """Where memory begins to hold other bytes than the note; the zeros behind it need no RAM."""
    if there.startswith(note):
        return None
    return next((at for at, (put, held) in enumerate(zip(note, there, strict=False)) if put != held), len(there))


def _region(history: EntryHistory, note: bytes) -> bytes:
    """What lies at `paddr`: the note, and zeros up to the entry's `size` where QEMU looks so far."""
    size = history.entry.size
    return note.ljust(size, b"\0") if NOTE_HEADER <= size <= SIZE_LIMIT else note
