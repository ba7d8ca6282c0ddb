"""What QEMU does with an entry, step by step: the checks of `dump-guest-memory` in their order, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, FORMAT_NONE, LENGTH, NOTE_HEADER, SIZE_LIMIT
from vmci_tui.readers.qemu import READER, warnings
from vmci_tui.readers.qemu.entry_reading import QemuReading
from vmci_tui.readers.qemu.from_document import guest_of, pointed_at


class DumpStep(NamedTuple):
    """One check, or one result."""

    name: str
    says: Safe
    """Empty if QEMU does not get there."""
    passes: bool | None
    """None: not reached, or not known."""


class DumpSteps(NamedTuple):
    """The steps of one version."""

    version: str
    steps: tuple[DumpStep, ...]

    @property
    def brief(self) -> Safe:
        """What decides, in a few words: the failed check, else what QEMU reads."""
        by_name = {step.name: step for step in self.steps}
        failed = next((step for step in self.steps if step.passes is False), None)
        if failed is not None:
            return by_name["warns"].says
        return visible(f"reads {by_name['reads'].says}")


VERSIONS: Final = (READER.known[0], READER.known[-1])
"""The oldest and the newest version that is known."""


def dump_steps(document: Document) -> tuple[DumpSteps, ...]:
    """Return the steps of the oldest and the newest known QEMU; empty if no entry is open. Reads at most 1 MiB."""
    history = document.state.entry
    if history is None:
        return ()
    pointed, guest = pointed_at(document), guest_of(document)
    readings = ((version, QemuReading(history, pointed, guest, version)) for version in VERSIONS)
    return tuple(DumpSteps(version, tuple(_steps(reading))) for version, reading in readings)


def _steps(reading: QemuReading) -> Iterator[DumpStep]:
    """Yield the checks as far as QEMU gets, then the results."""
    reached = True
    for name, says, passes in _checks(reading):
        yield DumpStep(name, visible(says) if reached else Safe(""), passes if reached else None)
        reached = reached and passes is not False
    note = reading.guest_note
    if reached and reading.pointed is None:
        depends = Safe("depends on guest memory")
        yield from (DumpStep(name, depends, None) for name in ("appends", "warns"))
        return
    appended = reading.appended
    yield DumpStep("appends", visible(f"{len(appended)} bytes" if appended else "nothing"), note is not None)
    printed = warnings(reading)
    yield DumpStep("warns", visible("; ".join(printed) or "nothing"), not printed)


def _checks(reading: QemuReading) -> Iterator[tuple[str, str, bool | None]]:
    """Yield (name, words, whether it passes) for each check; later ones hold only if the earlier ones pass."""
    history, entry, last = reading.history, reading.entry, reading.last
    if history.never_written:
        why = "never written"
    elif last is None:
        why = "no write was accepted"
    elif (last[0].offset, last[0].length) != (0, LENGTH):
        why = f"{last[0].length} bytes at {last[0].offset}, not {LENGTH} at 0"
    else:
        why = "format 0 withdraws it" if entry.guest_format == FORMAT_NONE else "QEMU says so"
    yield "present", "yes" if history.present else f"no: {why}", history.present
    small, large = entry.size < NOTE_HEADER, entry.size > SIZE_LIMIT
    bounds = "less than a note header" if small else "more than 1 MiB" if large else "12 bytes to 1 MiB"
    yield "size", f"{entry.size}: {bounds}", not small and not large
    elf = entry.guest_format == FORMAT_ELF
    yield "format", f"{entry.guest_format}: {'ELF' if elf else 'not supported'}", elf
    yield "reads", f"{entry.size} bytes at paddr {entry.paddr:#x}", True
    note = reading.guest_note
    if reading.pointed is None:
        yield "note", "can't tell: no memory is open", None
    elif note is None:
        yield "note", "the header is refused", False
    else:
        what = "VMCOREINFO" if note.named else "12 zero bytes" if note.is_bare else "another name"
        yield "note", f"{what}, {len(note.raw)} bytes", True
