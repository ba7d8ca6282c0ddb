"""An entry, and the guest memory that it points at, as QEMU's `dump-guest-memory` reads them."""

from __future__ import annotations

from functools import cached_property
from typing import Final, Literal, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, align_up, note_header
from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, NOTE_HEADER, SIZE_LIMIT, Entry, EntryHistory, Write, WriteOutcome
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.readers.shared.c_numbers import strtoull

Version = Literal["7.2", "10.0"]
VERSIONS: Final[tuple[Version, ...]] = ("7.2", "10.0")
"""The versions that were observed; they differ only for big-endian guests."""

_UNREADABLE: Final = 1 << 32


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


class QemuReading:
    """An entry as QEMU reads it, with the memory that it points at (None: not known)."""

    def __init__(
        self,
        history: EntryHistory,
        pointed: RegionBytes | None,
        guest: DumpTarget,
        version: Version = "7.2",
    ) -> None:
        self.history = history
        self.pointed = pointed
        self.guest = guest
        self.version = version
        self.note: Span | None = None
        """None: the note is in guest memory, not in the file."""

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
    def sizes(self) -> tuple[int, int] | None:
        """namesz and descsz as QEMU reads them; too large to pass if it reads them as 64-bit words."""
        if self.region is None:
            return None
        little = self.guest.order == "little" or self.version == "7.2"
        head = note_header("little" if little else "big").unpack(self.region[:HEADER].ljust(HEADER, b"\0"))
        namesz, descsz, _ = head
        if little or self.guest.bits == 32:
            return namesz, descsz
        return namesz and _UNREADABLE, descsz and _UNREADABLE

    @cached_property
    def length(self) -> int | None:
        """The length of the note with its padding, in bytes."""
        return None if self.sizes is None else NOTE_HEADER + align_up(self.sizes[0]) + align_up(self.sizes[1])

    @cached_property
    def header_fits(self) -> bool:
        return (
            self.length is not None
            and self.sizes is not None
            and max(self.sizes) <= SIZE_LIMIT
            and self.length <= self.entry.size
        )

    @cached_property
    def named(self) -> bool:
        """Whether QEMU takes the note as vmcoreinfo: namesz 11, and the name with its NUL."""
        if not self.header_fits or self.sizes is None or self.region is None:
            return False
        return self.sizes[0] == len(NAME) and self.region[NOTE_HEADER : NOTE_HEADER + len(NAME)] == NAME

    @cached_property
    def desc(self) -> tuple[int, int] | None:
        """The start and end of the descriptor in the region."""
        if self.sizes is None or not self.header_fits:
            return None
        start = NOTE_HEADER + align_up(self.sizes[0])
        return start, start + self.sizes[1]

    @cached_property
    def appended(self) -> bytes | None:
        """The exact bytes that QEMU appends to the dump."""
        if not self.header_fits or self.region is None or self.length is None or self.desc is None:
            return None
        note = self.region[: self.length].ljust(self.length, b"\0")
        end = self.desc[1]
        # Before it looks for phys_base QEMU ends the text with a NUL, and leaves it there.
        return note[:end] + b"\0" + note[end + 1 :] if self.named and end < self.length else note

    @cached_property
    def text(self) -> bytes | None:
        """The text in which QEMU looks for its key, up to the first NUL."""
        if not self.named or self.region is None or self.desc is None:
            return None
        return self.region[self.desc[0] : self.desc[1]].split(b"\0", 1)[0]

    @cached_property
    def phys_key(self) -> bytes | None:
        return machine_facts(self.guest.machine).qemu.phys_key

    @cached_property
    def phys_line(self) -> tuple[int, bytes] | None:
        """The offset of the value of the first line with the key, in the text, and the value."""
        if self.text is None or self.phys_key is None:
            return None
        return value_at(self.text, self.phys_key)

    @cached_property
    def phys_number(self) -> int | None:
        """The number in that line; None if QEMU cannot parse it."""
        return None if self.phys_line is None else phys_number(self.phys_line[1])

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


def phys_number(value: bytes) -> int | None:
    """Parse a whole value in base 16 like `qemu_strtou64(value, NULL, 16)`: nothing may follow the digits."""
    number = strtoull(value, 16)
    return number.value if number.digits and number.fits and not number.rest else None


def value_at(text: bytes, key: bytes) -> tuple[int, bytes] | None:
    """Return the offset of the value in the first line that begins with `key=`, and the value; None without one."""
    mark = key + b"="
    if text.startswith(mark):
        at = 0
    else:
        at = text.find(b"\n" + mark) + 1
        if not at:
            return None
    at += len(mark)
    end = text.find(b"\n", at)
    return at, text[at:] if end < 0 else text[at:end]
