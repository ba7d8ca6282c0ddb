"""QEMU as a reader: what `dump-guest-memory` makes of an entry and of the memory that it points at.

The rules are those of dump/dump.c and hw/misc/vmcoreinfo.c, as observed with 7.2.22, 10.0.13
and 11.1.3 in thousands of cases each. The headers of a dump do not matter here; QEMU writes them later.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.formats.elf_note import NAME, WINDOWS_HEADERS
from vmci_tui.formats.fw_cfg_entry import (
    FORMAT_ELF,
    FORMAT_NONE,
    NOTE_HEADER,
    SIZE_LIMIT,
    WHOLE_ENTRY,
    EntryHistory,
    entry_span,
)
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.file_view import View
from vmci_tui.readers.qemu.entry_reading import VERSIONS, DumpTarget, QemuReading, RegionBytes, is_phys_number, value_at
from vmci_tui.readers.qemu.from_document import guest_of, pointed_at
from vmci_tui.readers.rule import Form, Reader, RuleHit, Verdict, VersionVerdict, decide, differing
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.c_numbers import ParsedNumber, number_form
from vmci_tui.readers.version import Version, numbers_of

_DUMP_INIT: Final = "dump/dump.c dump_init"
_WRITTEN: Final = "hw/misc/vmcoreinfo.c fw_cfg_vmci_write"
_PHYS: Final = "dump/dump.c vmcoreinfo_update_phys_base"
_PHYS_KEYS: Final = tuple(row.qemu.phys_key for row in MACHINES.values() if row.qemu.phys_key is not None)
_ABSENT: Final = "guest note is not present"
_SHOWS_VALUE: Final[Version] = (11, 1)
"""The first version known to print the value that is no number; 10.0 does not."""
_NOT_HEXADECIMAL: Final = (
    "The first line with the key is not entirely a hexadecimal number (a blank or a CR after it is enough): QEMU keeps "
    "its guess."
)


def _not_full(q: QemuReading) -> Span | None:
    """Return the last write if it was not all 16 bytes, or the whole entry if only QEMU calls it invalid."""
    if q.last is None:
        return None
    if not q.last_is_full:
        return Span(q.last[0].offset, q.last[0].length, "entry")
    # A debugger's view of QEMU: all bytes are there, but QEMU says that the last write was not valid.
    return WHOLE_ENTRY if q.history.has_vmcoreinfo is False and q.entry.guest_format != FORMAT_NONE else None


def _switched_off(q: QemuReading) -> bool:
    return q.last is not None and q.last_is_full and not (q.last[1].present or q.entry.guest_format)


def _invalid_size(q: QemuReading) -> str:
    return f"guest note size is invalid: {q.entry.size}"


def _other_name(q: QemuReading) -> bool:
    return q.guest_note is not None and not q.guest_note.is_bare and not q.guest_note.named


def _overwritten(q: QemuReading) -> RuleHit | None:
    """Return the first byte of padding if QEMU overwrites it."""
    note = q.guest_note
    lost = note is not None and note.named and note.padding[:1].strip(b"\0")
    return RuleHit(q.span(note.end, 1)) if note is not None and lost else None


def _phys_value_span(q: QemuReading) -> Span | None:
    if q.phys_line is None or q.guest_note is None:
        return None
    at, value = q.phys_line
    return q.span(q.guest_note.start + at, len(value))


def _not_hexadecimal(q: QemuReading) -> bool:
    return q.phys_line is not None and q.phys_number is None


def _cannot_parse(q: QemuReading) -> str:
    value = b"" if q.phys_line is None else q.phys_line[1]
    return f"failed to parse {(q.phys_key or b'').decode()}= in VMCOREINFO: '{os.fsdecode(value)}'"


def _decimal_as_hex(q: QemuReading) -> bool:
    """Whether Linux wrote a decimal number of at least two digits, which QEMU reads in base 16."""
    if q.guest.machine != "x86_64" or q.phys_line is None or q.phys_number is None:
        return False
    return re.fullmatch(rb"-?0*[1-9][0-9]+", q.phys_line[1]) is not None


row: Final[RuleRows[QemuReading]] = RuleRows("QEMU 7.2.22, ", lambda _, field: entry_span(field))
# fmt: off
RULES: Final = (
    row("E02", "before", "never-written", _WRITTEN, _ABSENT,
        "The guest has not written the entry since the last reset: no driver announced a note.",
        holds=lambda q: q.history.never_written, where=lambda _: WHOLE_ENTRY),
    row("E09", "before", "only-failed-writes", "hw/nvram/fw_cfg.c fw_cfg_dma_transfer", _ABSENT,
        "Each write ended past byte 16 or came from outside memory, so QEMU accepted none. It needs 16 bytes at "
        "offset 0.",
        holds=lambda q: not q.history.never_written and q.last is None, where=lambda _: WHOLE_ENTRY),
    row("E01", "before", "not-a-full-write", _WRITTEN, _ABSENT,
        "The last write was not all 16 bytes at offset 0: QEMU stores it, but treats the note as absent.",
        where=_not_full),
    row("E03", "before", "switched-off", _WRITTEN, _ABSENT,
        "The last write had guest_format 0, with which a guest withdraws its note. QEMU needs 1.",
        holds=_switched_off, where="guest_format"),
    row("E05", "before", "size-below-a-header", _DUMP_INIT, "guest note size is invalid: N",
        "`size` is less than the 12 bytes of a note header. QEMU checks it before the format.",
        holds=lambda q: q.entry.size < NOTE_HEADER, where="size", says=_invalid_size),
    row("E06", "before", "size-above-1-mib", _DUMP_INIT, "guest note size is invalid: N",
        "`size` is more than 1 MiB (exactly 1 MiB passes). QEMU checks it before the format.",
        holds=lambda q: q.entry.size > SIZE_LIMIT, where="size", says=_invalid_size),
    row("E04", "before", "format-is-not-elf", _DUMP_INIT, "guest note format is unsupported: N",
        "guest_format is not 1 (ELF), the only format that QEMU appends. QEMU ignores host_format.",
        holds=lambda q: q.entry.guest_format != FORMAT_ELF, where="guest_format",
        says=lambda q: f"guest note format is unsupported: {q.entry.guest_format}"),
    row("E08", "before", "region-is-not-known", _DUMP_INIT, "",
        "QEMU reads the note from guest memory, but the memory that the entry points at is not in the open files.",
        holds=lambda q: q.pointed is None, where="paddr",
        says=lambda q: f"not known: the memory at {q.entry.paddr:#x} is not in the open files", observed=False),
    row("E11", "note", "note-is-larger-than-the-entry-says", _DUMP_INIT, "Invalid guest note header",
        "The header of 12 bytes, the name and the descriptor, both padded to 4, are more than the entry's `size`, or "
        "name or descriptor is over 1 MiB.",
        holds=lambda q: q.region is not None and q.guest_note is None, where=lambda q: q.span(0, NOTE_HEADER)),
    row("N07", "note", "twelve-zero-bytes", _DUMP_INIT, "",
        "namesz and descsz are 0, as outside RAM: QEMU silently appends twelve bytes that are not a note.",
        holds=lambda q: q.guest_note is not None and q.guest_note.is_bare, where=lambda q: q.span(0, NOTE_HEADER),
        refuses=False),
    row("N04", "note", "name-is-another", "dump/dump.c note_name_equal", "",
        "The name is not VMCOREINFO and a NUL, with namesz 11: QEMU appends the note, but ignores its phys_base.",
        holds=_other_name, where=lambda q: q.span(NOTE_HEADER, len(NAME)), refuses=False),
    row("N03", "note", "padding-becomes-zero", _PHYS, "",
        "QEMU writes a NUL after the text before it reads it, which overwrites the first byte of padding.",
        where=_overwritten, refuses=False),
    row("T16", "after", "phys-base-is-no-number", _PHYS, "Failed to read NUMBER(phys_base)=",
        _NOT_HEXADECIMAL, holds=_not_hexadecimal, where=_phys_value_span,
        says=lambda q: f"Failed to read {(q.phys_key or b'').decode()}=", refuses=False, until=_SHOWS_VALUE),
    row("T16", "after", "phys-base-cannot-be-parsed", _PHYS, "failed to parse NUMBER(phys_base)= in VMCOREINFO: 'X'",
        _NOT_HEXADECIMAL, holds=_not_hexadecimal, where=_phys_value_span, says=_cannot_parse, refuses=False,
        since=_SHOWS_VALUE),
    row("T16", "after", "phys-base-read-in-base-16", _PHYS, "",
        "Linux writes phys_base in decimal, QEMU reads the digits as hexadecimal: a tool that trusts phys_base in a "
        "kdump header is misled.",
        holds=_decimal_as_hex, where=_phys_value_span, refuses=False),
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
        RULES,
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
    says = visible("not checked: no entry is open, and QEMU reads an entry and the memory that it points at")
    return Verdict(reader(version, guest.machine), None, says, None, None, None, None, ())
