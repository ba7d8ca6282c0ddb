"""Ask a real QEMU what it does with an entry and a note, and compare that with the prediction."""

from __future__ import annotations

from typing import Final, NamedTuple

from vmci_tui.formats.fw_cfg_entry import NOTE_HEADER, SIZE_LIMIT, EntryHistory
from vmci_tui.qemu.machine import QemuMachine, QemuOutput
from vmci_tui.qemu.targets import TARGETS, program_of
from vmci_tui.readers.qemu import warnings
from vmci_tui.readers.qemu.entry_reading import VERSIONS, DumpTarget, QemuReading, RegionBytes
from vmci_tui.readers.version import Version, numbers_of, numbers_text

NOTE_LIMIT: Final = SIZE_LIMIT + 64
"""Bytes; the most that is put into the guest's memory, because QEMU reads at most 1 MiB."""


class Answer(NamedTuple):
    """What QEMU did, and what was predicted."""

    target: str
    program: str
    version: str
    """Of the QEMU that was asked: `7.2.22`."""
    rules: str
    """The version whose rules the prediction follows."""
    guest: DumpTarget
    """What the dump says about the guest."""
    lost: int | None
    """How many bytes of the note come before the first that the guest has no RAM for; None where it has all of
    them, or QEMU does not look at the region."""
    predicted: QemuOutput
    seen: QemuOutput

    @property
    def kept(self) -> bool:
        """Return whether the guest has RAM for the whole note, or QEMU does not read it."""
        return self.lost is None

    @property
    def differences(self) -> tuple[str, ...]:
        """Return the fields of `QemuOutput` in which QEMU differed."""
        return tuple(name for name in QemuOutput._fields if getattr(self.predicted, name) != getattr(self.seen, name))


def ask(
    history: EntryHistory, note: bytes, target: str = "x86_64", path: str | None = None, rules: str | None = None
) -> Answer:
    """Put the note at the entry's address, do the guest's writes, dump, and compare.

    `path` is that of a QEMU, by default the installed one; `rules` the version whose rules predict, by default its own.
    Takes under a second, holds no lock, and can run in any thread. Raises QemuError.
    """
    kind = TARGETS[target]
    program = program_of(kind, path)
    note = note[:NOTE_LIMIT]
    paddr, region = history.entry.paddr, _region(history, note)
    with QemuMachine(kind, program, kind.ram_for(paddr, len(region))) as machine:
        machine.write(*history.writes)
        machine.put(paddr, region)
        # Not every address is RAM, and QEMU reads what is there instead.
        there = machine.read(paddr, len(region))
        seen = machine.dump()
    rules = rules or rules_of(machine.version)
    reading = QemuReading(history, RegionBytes(there), machine.guest, rules)
    predicted = QemuOutput(warnings(reading), reading.appended, reading.phys_base, history.raw)
    version = numbers_text(machine.version)
    lost = None if reading.region is None else _first_lost(note, there)
    return Answer(target, program, version, rules, machine.guest, lost, predicted, seen)


def rules_of(version: Version) -> str:
    """Return the rules for a QEMU of that version: the newest known ones that are not newer than it."""
    return next((known for known in reversed(VERSIONS) if numbers_of(known) <= version), VERSIONS[0])


def _first_lost(note: bytes, there: bytes) -> int | None:
    """Return the first offset at which memory differs from the note; None if all of it is there."""
    if there.startswith(note):
        return None
    return next((at for at, (put, held) in enumerate(zip(note, there, strict=False)) if put != held), len(there))


def _region(history: EntryHistory, note: bytes) -> bytes:
    """Return the bytes at `paddr`: the note, and zeros up to the entry's `size` if QEMU reads that far."""
    size = history.entry.size
    return note.ljust(size, b"\0") if NOTE_HEADER <= size <= SIZE_LIMIT else note
