"""QEMU as a reader: what `dump-guest-memory` makes of an entry and of the memory that it points at.

The rules are those of dump/dump.c and hw/misc/vmcoreinfo.c, as observed with 7.2.22, 10.0.13
and 11.1.3 in thousands of cases each. The headers of a dump do not matter here; QEMU writes them later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import WINDOWS_HEADERS
from vmci_tui.formats.fw_cfg_entry import EntryHistory
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.file_view import View
from vmci_tui.readers.qemu.entry_reading import VERSIONS, DumpTarget, QemuReading, RegionBytes, is_phys_number, value_at
from vmci_tui.readers.qemu.from_document import guest_of, pointed_at
from vmci_tui.readers.rule import Form, Reader, Verdict, VersionVerdict, decide, differing
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.c_numbers import ParsedNumber, number_form
from vmci_tui.readers.version import Version, numbers_of

_DUMP_INIT: Final = "dump/dump.c dump_init"
_WRITTEN: Final = "hw/misc/vmcoreinfo.c fw_cfg_vmci_write"
_PHYS: Final = "dump/dump.c vmcoreinfo_update_phys_base"
_PHYS_KEYS: Final = tuple(row.qemu.phys_key for row in MACHINES.values() if row.qemu.phys_key is not None)
_ABSENT: Final = "guest note is not present"
_SHOWS_VALUE: Final[Version] = (11, 1)
"""The first version known to print the value that is not a number; 10.0 does not."""
_NOT_HEXADECIMAL: Final = (
    "The first line with the key is not entirely a hexadecimal number (a blank or a CR after it is enough): QEMU keeps "
    "its guess."
)
row: Final[RuleRows[QemuReading]] = RuleRows("QEMU 7.2.22, ", fault=QemuReading.fault_of)
# fmt: off
RULES: Final = (
    row("E02", "before", "never-written", _WRITTEN, _ABSENT,
        "The guest has not written the entry since the last reset: no driver announced a note."),
    row("E09", "before", "only-failed-writes", "hw/nvram/fw_cfg.c fw_cfg_dma_transfer", _ABSENT,
        "Each write ended past byte 16 or came from outside memory, so QEMU accepted none. It needs 16 bytes at "
        "offset 0."),
    row("E01", "before", "not-a-full-write", _WRITTEN, _ABSENT,
        "The last write was not all 16 bytes at offset 0: QEMU stores it, but treats the note as absent."),
    row("E03", "before", "switched-off", _WRITTEN, _ABSENT,
        "The last write had guest_format 0, with which a guest withdraws its note. QEMU needs 1."),
    row("E05", "before", "size-below-a-header", _DUMP_INIT, "guest note size is invalid: N",
        "`size` is less than the 12 bytes of a note header. QEMU checks it before the format."),
    row("E06", "before", "size-above-1-mib", _DUMP_INIT, "guest note size is invalid: N",
        "`size` is more than 1 MiB (exactly 1 MiB passes). QEMU checks it before the format."),
    row("E04", "before", "format-is-not-elf", _DUMP_INIT, "guest note format is unsupported: N",
        "guest_format is not 1 (ELF), the only format that QEMU appends. QEMU ignores host_format."),
    row("E08", "before", "region-is-not-known", _DUMP_INIT, "",
        "QEMU reads the note from guest memory, but the memory that the entry points at is not in the open files.",
        observed=False),
    row("E11", "note", "note-is-larger-than-the-entry-says", _DUMP_INIT, "Invalid guest note header",
        "The header of 12 bytes, the name and the descriptor, both padded to 4, are more than the entry's `size`, or "
        "name or descriptor is over 1 MiB."),
    row("N07", "note", "twelve-zero-bytes", _DUMP_INIT, "",
        "namesz and descsz are 0, as outside RAM: QEMU silently appends twelve bytes that are not a note.",
        refuses=False),
    row("N04", "note", "name-is-another", "dump/dump.c note_name_equal", "",
        "The name is not VMCOREINFO and a NUL, with namesz 11: QEMU appends the note, but ignores its phys_base.",
        refuses=False),
    row("N03", "note", "padding-becomes-zero", _PHYS, "",
        "QEMU writes a NUL after the text before it reads it, which overwrites the first byte of padding.",
        refuses=False),
    row("T16", "after", "phys-base-is-no-number", _PHYS, "Failed to read NUMBER(phys_base)=",
        _NOT_HEXADECIMAL, refuses=False, until=_SHOWS_VALUE),
    row("T16", "after", "phys-base-cannot-be-parsed", _PHYS, "failed to parse NUMBER(phys_base)= in VMCOREINFO: 'X'",
        _NOT_HEXADECIMAL, refuses=False, since=_SHOWS_VALUE),
    row("T16", "after", "phys-base-read-in-base-16", _PHYS, "",
        "Linux writes phys_base in decimal, QEMU reads the digits as hexadecimal: a tool that trusts phys_base in a "
        "kdump header is misled.", refuses=False),
)
# fmt: on


def warnings(reading: QemuReading) -> tuple[Safe, ...]:
    """Return what QEMU prints for a dump, each line without its `warning: `. The region must be known."""
    return tuple(map(visible, _printed(reading)))


def _printed(reading: QemuReading) -> tuple[str, ...]:
    printed: list[str] = []
    for item in RULES:
        hit = item.check(reading) if item.holds_in(reading.version) else None
        if hit is None:
            continue
        words = item.words if hit.words is None else hit.words
        if item.refuses:
            return (words,)
        if words:
            printed.append(words)
    return tuple(printed)


def _no_number(raw: bytes, number: ParsedNumber) -> str:
    return "" if is_phys_number(number) else "not hexadecimal to the end of the line: QEMU keeps its guess"


def _lines(text: bytes) -> Mapping[bytes, bytes]:
    """Return the first line of each key that QEMU knows; case and indentation matter."""
    found = ((key, value_at(text, key)) for key in _PHYS_KEYS)
    return {key: place[1] for key, place in found if place is not None}


def _accepted(q: QemuReading) -> str:
    note, appended = q.guest_note, q.appended
    if note is None or appended is None:
        return ""
    if note.is_bare:
        return "a note of 12 bytes is appended" if any(appended) else "12 zero bytes are appended silently"
    windows = note.named and appended.startswith(WINDOWS_HEADERS, note.start)
    failed = "".join(f"; {words}" for words in _printed(q))
    return f"the {'Windows ' if windows else ''}note is appended, {len(appended)} bytes{failed}"


def _without_entry(_view: View) -> QemuReading:
    """Read a file without an entry, as if the guest had never written the entry."""
    return QemuReading(EntryHistory("writes"), None, DumpTarget(None, 64, "little"))


@lru_cache(maxsize=16)
def reader(version: str = "7.2.22", machine: str | None = None) -> Reader[QemuReading]:
    """Return QEMU of a version as a reader: it reads a key that depends on the machine; None: all these keys."""
    used = _PHYS_KEYS if machine is None else filter(None, [machine_facts(machine).qemu.phys_key])
    form = number_form(16, _no_number, drops=lambda number: not is_phys_number(number))
    keys: dict[bytes, Form] = dict.fromkeys(used, form)
    return Reader(
        "qemu",
        version,
        "dump-guest-memory FILE",
        _without_entry,
        lambda _: RULES,
        _accepted,
        _lines,
        keys,
        known=("7.2.22", "10.0.13", "11.1.3"),
    )


READER: Final = reader()


def judge_entry(
    history: EntryHistory, pointed: RegionBytes | None, guest: DumpTarget, version: str = "7.2.22"
) -> Verdict:
    """Judge an entry and the memory that it points at (None: not known): QEMU accepts if it appends a note."""
    return decide(reader(version, guest.machine), QemuReading(history, pointed, guest, version))


def verdict(document: Document, version: str = "7.2.22") -> Verdict:
    """Judge the open entry over the memory of the open dump; unknown without an entry."""
    guest, entry = guest_of(document), document.state.entry
    if entry is not None:
        pointed = pointed_at(document)
        # The order of the note's header is not a rule, but what the version reads.
        judged = {known: judge_entry(entry, pointed, guest, known) for known in VERSIONS if guest.order == "big"}
        each = (VersionVerdict(numbers_of(known), verdict.accepts) for known, verdict in judged.items())
        return replace(judge_entry(entry, pointed, guest, version), by_version=differing(each))
    says = visible("no entry is open: --blob BLOB opens one, as E does in the app")
    return Verdict(reader(version, guest.machine), None, says, None, None, None, None, (), asked=False)
