"""An entry, and the guest memory that it points at, as QEMU's `dump-guest-memory` reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, align_up, note_header
from vmci_tui.formats.fw_cfg_entry import (
    FORMAT_ELF,
    FORMAT_NONE,
    LENGTH,
    NOTE_HEADER,
    SIZE_LIMIT,
    WHOLE_ENTRY,
    Entry,
    EntryHistory,
    Write,
    WriteOutcome,
    entry_span,
)
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.readers.rule import Fault
from vmci_tui.readers.rule_rows import NamedFaults
from vmci_tui.readers.shared.c_numbers import ParsedNumber, strtoull
from vmci_tui.readers.shared.text_lines import c_string
from vmci_tui.readers.version import Version, numbers_of

VERSIONS: Final = ("7.2", "10.0", "11.1")
"""The versions that were observed, oldest first; the first is the default."""
_SWAPS: Final[Version] = (10, 0)
"""The first version known to swap the header of a note for a big-endian guest; 7.2 does not."""
_SEVERAL_DIGITS: Final = re.compile(rb"-?0*[1-9][0-9]+")
"""A decimal number that is another one in base 16."""


class DumpTarget(NamedTuple):
    """The dump that QEMU writes; its machine and width are not always the guest's own."""

    machine: str | None
    """The name of e_machine by `machine_name`; None: not known, so phys_base is not read."""
    bits: int
    order: ByteOrder
    ram_base: int = 0
    """The lowest address of RAM, which QEMU uses as phys_base on arm and aarch64."""


class RegionBytes(NamedTuple):
    """The guest memory that the entry points at."""

    data: bytes
    """Its first bytes; zeros follow, as they do outside RAM."""
    offset: int | None = None
    """Their offset in the file, if they are in one piece."""


class GuestNote(NamedTuple):
    """A note whose header fits into the entry's size; offsets are in the region."""

    raw: bytes
    """The header, the name and the descriptor, both with their padding."""
    start: int
    """The offset of the descriptor."""
    end: int
    """The offset after the descriptor, without its padding."""
    named: bool
    """Whether QEMU takes it as vmcoreinfo: namesz 11, and the name with its NUL."""

    @property
    def is_bare(self) -> bool:
        """Whether it is a header only: namesz and descsz are 0."""
        return len(self.raw) == NOTE_HEADER

    @property
    def padding(self) -> bytes:
        return self.raw[self.end :]


class QemuReading(NamedFaults):
    """An entry as QEMU reads it, with the memory that it points at (None: not known)."""

    note: Span | None = None
    """None: the note is in guest memory, not in the file."""

    def __init__(
        self,
        history: EntryHistory,
        pointed: RegionBytes | None,
        guest: DumpTarget,
        version: str = VERSIONS[0],
    ) -> None:
        self.history = history
        self.pointed = pointed
        self.guest = guest
        self.version = numbers_of(version)

    @cached_property
    def entry(self) -> Entry:
        return Entry.parse(self.history.raw)

    @cached_property
    def last(self) -> tuple[Write, WriteOutcome] | None:
        """The last write that QEMU stored."""
        pairs = zip(reversed(self.history.writes), reversed(self.history.outcomes), strict=True)
        return next((pair for pair in pairs if pair[1].result in ("present", "not present")), None)

    @cached_property
    def region(self) -> bytes | None:
        """The bytes that QEMU reads, without zeros at the end; None if it does not read the region."""
        if self.pointed is None or not self.history.present or self.entry.guest_format != FORMAT_ELF:
            return None
        if not NOTE_HEADER <= self.entry.size <= SIZE_LIMIT:
            return None
        return self.pointed.data[: self.entry.size]

    @cached_property
    def guest_note(self) -> GuestNote | None:
        """The note in the region; None if QEMU refuses its header."""
        if self.region is None:
            return None
        little = self.guest.order == "little" or self.version < _SWAPS
        header = note_header("little" if little else "big")
        namesz, descsz, _ = header.unpack(self.region[:HEADER].ljust(HEADER, b"\0"))
        start = NOTE_HEADER + align_up(namesz)
        length = start + align_up(descsz)
        if max(namesz, descsz) > SIZE_LIMIT or length > self.entry.size:
            return None
        if not little and self.guest.bits == 64 and length > NOTE_HEADER:
            return None  # QEMU reads the two words as 64-bit ones, which are too large then
        raw = self.region[:length].ljust(length, b"\0")
        return GuestNote(raw, start, start + descsz, namesz == len(NAME) and self.region.startswith(NAME, NOTE_HEADER))

    @cached_property
    def appended(self) -> bytes | None:
        """The exact bytes that QEMU appends to the dump."""
        note = self.guest_note
        if note is None or not (note.named and note.padding):
            return None if note is None else note.raw
        # Before it looks for phys_base QEMU ends the text with a NUL, and leaves it there.
        return note.raw[: note.end] + b"\0" + note.padding[1:]

    @cached_property
    def text(self) -> bytes | None:
        """The text in which QEMU looks for its key, up to the first NUL."""
        note = self.guest_note
        return c_string(note.raw[note.start : note.end]) if note is not None and note.named else None

    @cached_property
    def phys_key(self) -> bytes | None:
        return machine_facts(self.guest.machine).qemu.phys_key

    @cached_property
    def phys_line(self) -> tuple[int, bytes] | None:
        """The offset of the value of the first line with the key, in the text, and the value."""
        return None if self.text is None or self.phys_key is None else value_at(self.text, self.phys_key)

    @cached_property
    def phys_number(self) -> int | None:
        """The number in that line; None if QEMU cannot parse it."""
        number = strtoull(b"" if self.phys_line is None else self.phys_line[1], 16)
        return number.value if is_phys_number(number) else None

    @property
    def phys_base(self) -> int:
        """The phys_base that QEMU writes into the header of a kdump of this machine."""
        if self.phys_number is not None:
            return self.phys_number
        return self.guest.ram_base if machine_facts(self.guest.machine).qemu.ram_base else 0

    @cached_property
    def osrelease(self) -> bytes | None:
        """The release in the appended note; QEMU itself ignores it."""
        found = None if self.text is None else value_at(self.text, b"OSRELEASE")
        return None if found is None else found[1]

    def span(self, start: int, length: int) -> Span | None:
        """Return the span in the file of a part of the region; None if the region is not in one piece."""
        if self.pointed is None or self.pointed.offset is None:
            return None
        return Span(self.pointed.offset + start, length)

    def faults(self) -> Iterator[Fault]:
        yield from self._entry_faults()
        yield from self._note_faults()

    def _entry_faults(self) -> Iterator[Fault]:
        """Yield why QEMU does not look at the note."""
        entry = self.entry
        if self.history.never_written:
            yield Fault("never-written", "", WHOLE_ENTRY)
        elif self.last is None:
            yield Fault("only-failed-writes", "", WHOLE_ENTRY)
        else:
            write, outcome = self.last
            if (write.offset, write.length) != (0, LENGTH):
                yield Fault("not-a-full-write", "", Span(write.offset, write.length, "entry"))
            elif self.history.has_vmcoreinfo is False and entry.guest_format != FORMAT_NONE:
                # A debugger's view of QEMU: all bytes are there, but QEMU says that the last write was not valid.
                yield Fault("not-a-full-write", "", WHOLE_ENTRY)
            elif not outcome.present and entry.guest_format == FORMAT_NONE:
                yield Fault("switched-off", "", entry_span("guest_format"))
        if not NOTE_HEADER <= entry.size <= SIZE_LIMIT:
            rule = "size-below-a-header" if entry.size < NOTE_HEADER else "size-above-1-mib"
            yield Fault(rule, f"guest note size is invalid: {entry.size}", entry_span("size"))
        if entry.guest_format != FORMAT_ELF:
            words = f"guest note format is unsupported: {entry.guest_format}"
            yield Fault("format-is-not-elf", words, entry_span("guest_format"))
        if self.pointed is None:
            words = f"the memory at {entry.paddr:#x} is not in the open files"
            yield Fault("region-is-not-known", words, entry_span("paddr"))

    def _note_faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the note."""
        note = self.guest_note
        if note is None:
            if self.region is not None:
                yield Fault("note-is-larger-than-the-entry-says", "", self.span(0, NOTE_HEADER))
            return
        if note.is_bare:
            yield Fault("twelve-zero-bytes", "", self.span(0, NOTE_HEADER))
        elif not note.named:
            yield Fault("name-is-another", "", self.span(NOTE_HEADER, len(NAME)))
        elif note.padding[:1].strip(b"\0"):
            yield Fault("padding-becomes-zero", "", self.span(note.end, 1))
        if self.phys_line is None or self.phys_key is None:
            return
        at, value = self.phys_line
        span, key = self.span(note.start + at, len(value)), self.phys_key.decode()
        if self.phys_number is None:
            yield Fault("phys-base-is-no-number", f"Failed to read {key}=", span)
            words = f"failed to parse {key}= in VMCOREINFO: '{os.fsdecode(value)}'"
            yield Fault("phys-base-cannot-be-parsed", words, span)
        elif self.guest.machine == "x86_64" and _SEVERAL_DIGITS.fullmatch(value):
            yield Fault("phys-base-read-in-base-16", "", span)


def is_phys_number(number: ParsedNumber) -> bool:
    """Whether `qemu_strtou64(value, NULL, 16)` takes a number: nothing may follow the digits."""
    return number.digits and number.fits and not number.rest


def value_at(text: bytes, key: bytes) -> tuple[int, bytes] | None:
    """Return the offset of the value in the first line that begins with `key=`, and the value; None without one."""
    mark = b"\n" + key + b"="
    at = (b"\n" + text).find(mark) + len(mark) - 1
    return (at, text[at:].partition(b"\n")[0]) if at >= len(mark) - 1 else None
