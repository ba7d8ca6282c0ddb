"""QEMU as a reader: what `dump-guest-memory` makes of an entry and of the memory that it points at.

The rules are those of dump/dump.c and hw/misc/vmcoreinfo.c, as observed with 7.2.22 and 10.0.2
in 15,000 cases each. The headers of a dump do not matter here; QEMU writes them later.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import NAME, WINDOWS_HEADERS
from vmci_tui.formats.fw_cfg_entry import (
    FORMAT_ELF,
    FORMAT_NONE,
    LENGTH,
    NOTE_HEADER,
    SIZE_LIMIT,
    WHOLE_ENTRY,
    EntryHistory,
    entry_span,
)
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.file_view import View
from vmci_tui.readers.qemu.entry_reading import DumpTarget, QemuReading, RegionBytes, Version, phys_number, value_at
from vmci_tui.readers.qemu.from_document import guest_of, pointed_at
from vmci_tui.readers.rule import Form, Reader, RuleHit, Rules, Value, Verdict, decide, why
from vmci_tui.readers.shared.c_numbers import shown_hex

rule: Rules[QemuReading] = Rules()
_DUMP_INIT: Final = "QEMU 7.2.22, dump/dump.c dump_init"
_WRITTEN: Final = "QEMU 7.2.22, hw/misc/vmcoreinfo.c fw_cfg_vmci_write"
_PHYS: Final = "QEMU 7.2.22, dump/dump.c vmcoreinfo_update_phys_base"
_PHYS_KEYS: Final = tuple(row.qemu.phys_key for row in MACHINES.values() if row.qemu.phys_key is not None)
_ABSENT: Final = "guest note is not present"
_DECIMAL: Final = frozenset(b"0123456789")


@rule("E02", "before", _ABSENT, _WRITTEN)
@why("The guest has not written the entry since the last reset: no driver announced a note.")
def never_written(reading: QemuReading) -> RuleHit | None:
    return RuleHit(WHOLE_ENTRY) if reading.history.never_written else None


@rule("E09", "before", _ABSENT, "QEMU 7.2.22, hw/nvram/fw_cfg.c fw_cfg_dma_transfer")
@why("Each write ended past byte 16 or came from outside memory, so QEMU accepted none. It needs 16 bytes at offset 0.")
def only_failed_writes(reading: QemuReading) -> RuleHit | None:
    history = reading.history
    return RuleHit(WHOLE_ENTRY) if not history.never_written and reading.last is None else None


@rule("E01", "before", _ABSENT, _WRITTEN)
@why("The last write was not all 16 bytes at offset 0: QEMU stores it, but treats the note as absent.")
def not_a_full_write(reading: QemuReading) -> RuleHit | None:
    if reading.last is None:
        return None
    if (reading.last[0].offset, reading.last[0].length) == (0, LENGTH):
        # A debugger's view of QEMU: all bytes are there, but QEMU says that the last write was not valid.
        invalid = reading.history.held is False and reading.entry.guest_format != FORMAT_NONE
        return RuleHit(WHOLE_ENTRY) if invalid else None
    return RuleHit(Span(reading.last[0].offset, reading.last[0].length, "entry"))


@rule("E03", "before", _ABSENT, _WRITTEN)
@why("The last write had guest_format 0, with which a guest withdraws its note. QEMU needs 1.")
def switched_off(reading: QemuReading) -> RuleHit | None:
    if reading.last is None or (reading.last[0].offset, reading.last[0].length) != (0, LENGTH):
        return None
    return None if reading.last[1].present or reading.entry.guest_format else RuleHit(entry_span("guest_format"))


def _wrong_size(reading: QemuReading) -> RuleHit:
    return RuleHit(entry_span("size"), f"guest note size is invalid: {reading.entry.size}")


@rule("E05", "before", "guest note size is invalid: N", _DUMP_INIT)
@why("`size` is less than the 12 bytes of a note header. QEMU checks it before the format.")
def size_below_a_header(reading: QemuReading) -> RuleHit | None:
    return _wrong_size(reading) if reading.entry.size < NOTE_HEADER else None


@rule("E06", "before", "guest note size is invalid: N", _DUMP_INIT)
@why("`size` is more than 1 MiB (exactly 1 MiB passes). QEMU checks it before the format.")
def size_above_1_mib(reading: QemuReading) -> RuleHit | None:
    return _wrong_size(reading) if reading.entry.size > SIZE_LIMIT else None


@rule("E04", "before", "guest note format is unsupported: N", _DUMP_INIT)
@why("guest_format is not 1 (ELF), the only format that QEMU appends. QEMU ignores host_format.")
def format_is_not_elf(reading: QemuReading) -> RuleHit | None:
    kind = reading.entry.guest_format
    return (
        RuleHit(entry_span("guest_format"), f"guest note format is unsupported: {kind}") if kind != FORMAT_ELF else None
    )


@rule("E08", "before", "", _DUMP_INIT, observed=False)
@why("QEMU reads the note from guest memory, but the memory that the entry points at is not in the open files.")
def region_is_not_known(reading: QemuReading) -> RuleHit | None:
    if reading.pointed is not None:
        return None
    return RuleHit(entry_span("paddr"), f"not known: the memory at {reading.entry.paddr:#x} is not in the open files")


@rule("E11", "note", "Invalid guest note header", _DUMP_INIT)
@why("""The header of 12 bytes, the name and the descriptor, both padded to 4, are more than the entry's `size`, or
    name or descriptor is over 1 MiB.""")
def note_is_larger_than_the_entry_says(reading: QemuReading) -> RuleHit | None:
    return RuleHit(reading.span(0, NOTE_HEADER)) if reading.region is not None and not reading.header_fits else None


@rule("N07", "note", "", _DUMP_INIT, refuses=False)
@why("namesz and descsz are 0, as outside RAM: QEMU silently appends twelve bytes that are not a note.")
def twelve_zero_bytes(reading: QemuReading) -> RuleHit | None:
    return RuleHit(reading.span(0, NOTE_HEADER)) if reading.length == NOTE_HEADER and reading.header_fits else None


@rule("N04", "note", "", "QEMU 7.2.22, dump/dump.c note_name_equal", refuses=False)
@why("The name is not VMCOREINFO and a NUL, with namesz 11: QEMU appends the note, but ignores its phys_base.")
def name_is_another(reading: QemuReading) -> RuleHit | None:
    if not reading.header_fits or reading.length == NOTE_HEADER or reading.named:
        return None
    return RuleHit(reading.span(NOTE_HEADER, len(NAME)))


@rule("N03", "note", "", _PHYS, refuses=False)
@why("QEMU writes a NUL after the text before it reads it, which overwrites the first byte of padding.")
def padding_becomes_zero(reading: QemuReading) -> RuleHit | None:
    if not reading.named or reading.desc is None or reading.length == reading.desc[1] or reading.region is None:
        return None
    end = reading.desc[1]
    return RuleHit(reading.span(end, 1)) if reading.region[end : end + 1].strip(b"\0") else None


@rule("T16", "after", "Failed to read NUMBER(phys_base)=", _PHYS, refuses=False)
@why("""The first line with the key is not entirely a hexadecimal number (a blank or a CR after it is enough): QEMU
    keeps its guess.""")
def phys_base_is_no_number(reading: QemuReading) -> RuleHit | None:
    if reading.phys_line is None or reading.phys_number is not None or reading.phys_key is None:
        return None
    return RuleHit(_of_value(reading), f"Failed to read {reading.phys_key.decode()}=")


@rule("T16", "after", "", _PHYS, refuses=False)
@why("""Linux writes phys_base in decimal, QEMU reads the digits as hexadecimal: a tool that trusts phys_base in a
    kdump header is misled.""")
def phys_base_read_in_base_16(reading: QemuReading) -> RuleHit | None:
    if reading.guest.machine != "x86_64" or reading.phys_line is None or reading.phys_number is None:
        return None
    digits = reading.phys_line[1].removeprefix(b"-")
    if not digits or not _DECIMAL.issuperset(digits) or len(digits.lstrip(b"0")) < 2:
        return None
    return RuleHit(_of_value(reading))


def _of_value(reading: QemuReading) -> Span | None:
    if reading.phys_line is None or reading.desc is None:
        return None
    at, value = reading.phys_line
    return reading.span(reading.desc[0] + at, len(value))


def warnings(reading: QemuReading) -> tuple[str, ...]:
    """Return what QEMU prints for a dump, each line without its `warning: `. The region must be known."""
    printed: list[str] = []
    for item in rule.all:
        hit = item.check(reading)
        if hit is None:
            continue
        words = item.words if hit.words is None else hit.words
        if item.refuses:
            return (words,)
        if words:
            printed.append(words)
    return tuple(printed)


def _phys_value(raw: bytes) -> Value:
    number = phys_number(raw)
    if number is None:
        return Value(visible(raw), None, "base 16", "not hexadecimal to the end of the line: QEMU keeps its guess")
    return shown_hex(number, "base 16")


def _lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return the first line of each key that QEMU knows; case and indentation matter."""
    found = ((key, value_at(text, key)) for key in _PHYS_KEYS)
    return {key: place[1] for key, place in found if place is not None}


def _accepted(reading: QemuReading) -> str:
    note = reading.appended
    if note is None or reading.desc is None:
        return ""
    if reading.length == NOTE_HEADER:
        return "12 zero bytes are appended silently" if not any(note) else "a note of 12 bytes is appended"
    windows = reading.named and note[reading.desc[0] :].startswith(WINDOWS_HEADERS)
    failed = "".join(f"; {words}" for words in warnings(reading))
    return f"the {'Windows ' if windows else ''}note is appended, {len(note)} bytes{failed}"


def _without_entry(_view: View) -> QemuReading:
    """Read a file without an entry, as if the guest had never written the entry."""
    return QemuReading(EntryHistory("writes"), None, DumpTarget(None, 64, "little"))


@lru_cache(maxsize=16)
def reader(version: Version = "7.2", machine: str | None = None) -> Reader[QemuReading]:
    """Return QEMU of a version as a reader: it reads a key that depends on the machine; None: all these keys."""
    used = _PHYS_KEYS if machine is None else filter(None, [machine_facts(machine).qemu.phys_key])
    keys: dict[bytes, Form] = dict.fromkeys(used, _phys_value)
    return Reader(
        "qemu",
        {"7.2": "7.2.22", "10.0": "10.0.2"}[version],
        "dump-guest-memory FILE",
        _without_entry,
        tuple(rule.all),
        _accepted,
        _lines,
        keys,
        known=("7.2.22", "10.0.13"),
    )


READER: Final = reader()


def judge_entry(
    history: EntryHistory, pointed: RegionBytes | None, guest: DumpTarget, version: Version = "7.2"
) -> Verdict:
    """Judge an entry and the memory that it points at (None: not known): QEMU accepts if it appends a note."""
    return decide(reader(version, guest.machine), QemuReading(history, pointed, guest, version))


def verdict(document: Document, version: Version = "7.2") -> Verdict:
    """Judge the open entry over the memory of the open dump; unknown without an entry."""
    guest = guest_of(document)
    if document.state.entry is not None:
        return judge_entry(document.state.entry, pointed_at(document), guest, version)
    says = visible("not checked: no entry is open, and QEMU reads an entry and the memory that it points at")
    return Verdict(reader(version, guest.machine), None, says, None, None, None, None, ())
