"""The parts of a crafted dump and its entry: a frozen value; each defect changes its own part."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from vmci_tui.formats.elf_note import NAME, ByteOrder
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory, Write, linux_size


class KdumpForm(NamedTuple):
    """A kdump file as QEMU would write it, but plain and with all six names; each defect changes something."""

    version: int = 6
    block_size: int = 4096
    names: bool = True
    """Whether utsname has more than the machine."""
    notes_after_memory: bool = False
    """The notes are after memory, not in the blocks of the sub-header."""
    head: tuple[tuple[str, int], ...] = ()
    """Damaged fields of the header."""
    sub: tuple[tuple[str, int], ...] = ()
    """Damaged fields of the sub-header."""
    broken: int | None = None
    """paddr of the page whose descriptor leads past the end of the file."""
    flattened: bool = False
    end: bool = True
    """Whether a flattened file has its end mark."""


class Load(NamedTuple):
    """One range of guest memory: a PT_LOAD."""

    paddr: int
    data: bytes
    memsz: int | None = None
    """p_memsz, if it is not p_filesz."""
    filesz: int | None = None
    vaddr: int = 0
    at: int | None = None
    """p_offset, if it is not the place of the data."""


@dataclass(frozen=True)
class Parts:
    """What a dump and its entry are made from; it is consistent until a defect changes something."""

    machine: str
    number: int
    """e_machine."""
    bits: int
    order: ByteOrder
    text: bytes
    cpus: tuple[bytes, ...]
    """The notes of the CPU, before the note."""
    loads: tuple[Load, ...]
    """Guest memory except the region; `uts` and `tables` are in it."""
    uts: int
    """paddr of the page with the kernel's name and release."""
    tables: int
    """paddr of the page tables."""
    home: int
    """paddr at which the guest keeps its note."""

    entry: Entry | None
    """None: the guest has no vmcoreinfo device, or its entry is not known."""
    size: int | None = None
    """The entry's size, if it is not Linux's."""
    writes: tuple[Write, ...] | None = None
    """How the guest wrote the entry, if not with one write of 16 bytes."""
    blob: bytes | None = None
    """The entry's file, if it is not the 16 bytes."""
    region: bytes | None = None
    """What is at the entry's address; None: the note."""

    name: bytes = NAME
    kind: int = 0
    note_order: ByteOrder | None = None
    padding: bytes = b"\0"
    """The byte that fills padding."""
    descsz: int | None = None
    """What the note's header claims, if that is wrong."""
    absent: bool = False
    """The dump has no VMCOREINFO note; the guest's memory still has it."""
    before: bytes = b""
    """Bytes between the CPU's notes and the note."""
    after: bytes = b""
    trimmed: int = 0
    """How many bytes are missing at the end of the notes."""

    head: tuple[tuple[str, int], ...] = ()
    """Damaged fields of the ELF header."""
    ident: tuple[tuple[str, int], ...] = ()
    """Damaged fields of e_ident, one byte each."""
    gap: int = 0
    """Bytes between the ELF header and the program headers."""
    sections: bool = False
    """Section headers, as QEMU 7.2 writes them, but after the program headers."""
    counted: bool = False
    """PN_XNUM: the number of program headers is in section header 0."""
    linear: int | None = None
    """p_vaddr is p_paddr plus this, for loads without one of their own; None: 0, as QEMU writes it."""
    loads_first: bool = False
    notes_after_memory: bool = False
    two_areas: bool = False
    p_align: int = 0
    notes_at: int = 0
    """The file offset of the notes, if they are not directly after the program headers."""
    filler: bytes = b""
    """The last bytes before `notes_at`."""
    cut: int = 0
    """How many bytes are missing at the end of the file."""

    kdump: KdumpForm | None = None
    """None: an ELF dump. Parts about program headers or the file's end apply only to ELF dumps."""

    def with_text(self, text: bytes) -> Parts:
        return replace(self, text=text)

    def with_kdump(self, **changed: Any) -> Parts:
        """Return these parts as a kdump-compressed file, or with changes to it."""
        return replace(self, kdump=(self.kdump or KdumpForm())._replace(**changed))

    def with_fields(self, **fields: Any) -> Parts:
        """Return these parts with other fields of the entry."""
        return self if self.entry is None else replace(self, entry=self.entry._replace(**fields))

    def without_entry(self) -> Parts:
        """Return these parts without the entry: QEMU would not have appended such a note, or the entry is not known."""
        return replace(self, entry=None)

    def with_load(self, paddr: int, load: Load | None) -> Parts:
        """Return these parts with another range of memory instead of the one at `paddr`, or with none."""
        kept = tuple(item for item in self.loads if item.paddr != paddr)
        return replace(self, loads=(*kept, load) if load else kept)

    @property
    def container(self) -> str:
        """Return the container's name, like a dump's."""
        if self.kdump is None:
            return "elf"
        return "flattened" if self.kdump.flattened else "kdump"

    def memory(self, paddr: int) -> bytes:
        return next(item.data for item in self.loads if item.paddr == paddr)

    @property
    def note(self) -> bytes:
        """Return the note with its header and padding."""
        mark = "<" if (self.note_order or self.order) == "little" else ">"
        descsz = len(self.text) if self.descsz is None else self.descsz
        out = struct.pack(mark + "III", len(self.name), descsz, self.kind) + self.name
        out += self.padding * (-len(out) % 4) + self.text
        return out + self.padding * (-len(out) % 4)

    @property
    def announced(self) -> int:
        """Return the size in the entry: a page and 36 bytes, or what the note takes."""
        return max(linux_size(4096), len(self.note)) if self.size is None else self.size

    @property
    def history(self) -> EntryHistory | None:
        """Return the entry as the guest wrote it."""
        if self.entry is None:
            return None
        if self.blob is not None:
            return EntryHistory.of_blob(self.blob)
        if self.writes is not None:
            return EntryHistory("writes", self.writes)
        return EntryHistory.of_blob(self.packed)

    @property
    def packed(self) -> bytes:
        """Return the entry's 16 bytes."""
        return RESET if self.entry is None else self.entry._replace(size=self.announced).pack()
