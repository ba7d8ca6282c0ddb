"""Model the fw_cfg entry `etc/vmcoreinfo`, and the effect of each write of the guest.

`struct FWCfgVMCoreInfo` (include/standard-headers/linux/qemu_fw_cfg.h): u16 host_format,
u16 guest_format, u32 size, u64 paddr, all little-endian for every guest. The
effects follow hw/misc/vmcoreinfo.c and hw/nvram/fw_cfg.c, as observed with QEMU 7.2.22
and 10.0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from vmci_tui.common.errors import EditError
from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import without_unit
from vmci_tui.common.span import Span

LENGTH: Final = 16
RESET: Final = b"\x01" + bytes(15)
"""The entry before the guest's first write: host_format 1 (ELF), all other fields 0."""

FORMAT_NONE: Final = 0
FORMAT_ELF: Final = 1
NOTE_HEADER: Final = 12
SIZE_LIMIT: Final = 1 << 20
"""Bytes; QEMU refuses more (dump.c, MAX_GUEST_NOTE_SIZE); the specification says "less than"."""

GDB_COMMAND: Final = "p/x *((VMCoreInfoState *) vmcoreinfo_realize::vmcoreinfo_state)"
"""To run in gdb on a running QEMU (`gdb -p PID`) or its core: it also shows an entry that QEMU does not support
(docs/specs/vmcoreinfo.rst). It needs QEMU's debug symbols."""

Origin = Literal["blob", "derived", "writes", "stream", "vm"]


class Entry(NamedTuple):
    """The four fields of the entry."""

    host_format: int
    guest_format: int
    size: int
    paddr: int

    @classmethod
    def parse(cls, data: bytes) -> Entry:
        """Read 16 bytes; shorter data is padded with zeros, as in QEMU."""
        return cls(*_LAYOUT.unpack(data[:LENGTH].ljust(LENGTH, b"\0")))

    def pack(self) -> bytes:
        return _LAYOUT.pack(*self)


_LAYOUT: Final = NamedStruct.of("little", Entry._fields, "HHIQ")
FIELDS: Final = _LAYOUT.fields
WHOLE_ENTRY: Final = Span(0, LENGTH, "entry")


def entry_span(field: str) -> Span:
    """Return the bytes of a field of the entry. Raises KeyError."""
    return _LAYOUT.span(field)._replace(of="entry")


class Write(NamedTuple):
    """One write of the guest; `data` is None where its source was not memory (a DMA error)."""

    offset: int
    length: int
    data: bytes | None


Result = Literal["present", "not present", "DMA error", "ignored"]


class WriteOutcome(NamedTuple):
    """The entry after a write, whether the note is present now, and why."""

    raw: bytes
    present: bool
    result: Result
    why: str


def apply(raw: bytes, present: bool, write: Write) -> WriteOutcome:
    """Return what QEMU does with one write to an entry that holds `raw`."""
    if write.length == 0:
        return WriteOutcome(raw, present, "ignored", "a write of no bytes changes nothing")
    if write.offset + write.length > LENGTH:
        return WriteOutcome(raw, present, "DMA error", f"it ends past byte {LENGTH}; nothing was copied")
    if write.data is None:
        cleared = raw[: write.offset] + bytes(write.length) + raw[write.offset + write.length :]
        return WriteOutcome(cleared, present, "DMA error", "its source is not guest memory; zeros were stored")
    stored = raw[: write.offset] + write.data + raw[write.offset + write.length :]
    if write.offset != 0 or write.length != LENGTH:
        why = f"offset {write.offset}, length {write.length}: only a full write of 16 bytes at offset 0 counts"
        return WriteOutcome(stored, False, "not present", why)
    if Entry.parse(stored).guest_format == FORMAT_NONE:
        return WriteOutcome(stored, False, "not present", "guest_format 0 switches the note off")
    return WriteOutcome(stored, True, "present", "one full write of 16 bytes, and guest_format is not 0")


@dataclass(frozen=True)
class EntryHistory:
    """The writes since reset, and the entry that QEMU holds after them."""

    origin: Origin
    writes: tuple[Write, ...] = ()
    has_vmcoreinfo: bool | None = None
    """QEMU's own has_vmcoreinfo (whether the note is present), if a debugger read it."""

    @classmethod
    def of_blob(cls, data: bytes, origin: Origin = "blob") -> EntryHistory:
        """Return the history of a blob: one write at offset 0; none if the bytes are the reset state."""
        if data == RESET:
            return cls(origin)
        return cls(origin, (Write(0, len(data), data),))

    @cached_property
    def outcomes(self) -> tuple[WriteOutcome, ...]:
        """The outcome of each write, in order."""
        raw, present, out = RESET, False, []
        for write in self.writes:
            outcome = apply(raw, present, write)
            raw, present = outcome.raw, outcome.present
            out.append(outcome)
        if out and self.has_vmcoreinfo is not None and self.has_vmcoreinfo != present:
            why = f"QEMU itself says so: has_vmcoreinfo is {str(self.has_vmcoreinfo).lower()}"
            out[-1] = WriteOutcome(raw, self.has_vmcoreinfo, "present" if self.has_vmcoreinfo else "not present", why)
        return tuple(out)

    @property
    def raw(self) -> bytes:
        return self.outcomes[-1].raw if self.outcomes else RESET

    @property
    def present(self) -> bool:
        return bool(self.outcomes) and self.outcomes[-1].present

    @property
    def never_written(self) -> bool:
        """Whether nothing was ever stored. An empty blob is a damaged file, not a guest that never wrote."""
        return all(o.result == "ignored" for o in self.outcomes) and not (self.origin == "blob" and self.writes)

    @property
    def needs_list(self) -> bool:
        """Whether a blob of the 16 bytes would not give the same writes again."""
        return self.origin == "writes" and self.writes != EntryHistory.of_blob(self.raw).writes

    @property
    def entry(self) -> Entry:
        """The fields; of a blob that is too long, those in its first 16 bytes."""
        if self.origin == "blob" and len(self.writes) == 1 and self.writes[0].data is not None:
            return Entry.parse(self.writes[0].data)
        return Entry.parse(self.raw)

    def with_field(self, name: str, value: int) -> EntryHistory:
        """Return the same entry with one field changed, as one full write. Raises EditError."""
        field = next((field for field in FIELDS if field.name == name), None)
        if field is None:
            raise EditError(f"an entry has no field {visible(name)}", "it has " + ", ".join(f.name for f in FIELDS))
        if not 0 <= value < 1 << (8 * field.length):
            top = (1 << (8 * field.length)) - 1
            raise EditError(f"{name} is {field.length} bytes wide: {value:#x} does not fit", f"0 to {top:#x}")
        data = self.entry._replace(**{name: value}).pack()
        kept = self.writes[:-1] if self.origin != "writes" else self.writes
        return EntryHistory(self.origin, (*kept, Write(0, LENGTH, data)))

    def with_writes(self, writes: tuple[Write, ...]) -> EntryHistory:
        return EntryHistory("writes", writes)


def linux_size(page_size: int) -> int:
    """Return the `size` that Linux announces: VMCOREINFO_NOTE_SIZE (include/linux/vmcore_info.h)."""
    return 2 * NOTE_HEADER + NOTE_HEADER + page_size


def parse_number(text: str) -> int:
    """Return a number as users type it: decimal, hexadecimal with 0x, or with a unit (1MiB). Raises EditError."""
    body, unit = without_unit(text.strip().replace("_", ""))
    try:
        return unit * (int(body, 16) if body.lower().startswith("0x") else int(body, 10))
    except ValueError:
        raise EditError(
            f"{text!a} is not a number", "write it in decimal, in hex with 0x, or with a unit: 4KiB, 1MiB"
        ) from None
