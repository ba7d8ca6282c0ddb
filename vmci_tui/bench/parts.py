"""The parts of a crafted dump and of its entry: a frozen value that each defect changes in its own place."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from vmci_tui.bench.kdump_parts import KdumpForm
from vmci_tui.formats.elf_note import NAME, ByteOrder
from vmci_tui.formats.fw_cfg_entry import RESET, Entry, EntryHistory, Write, linux_size


class Load(NamedTuple):
    """One range of guest memory: a PT_LOAD."""

    paddr: int
    data: bytes
    memsz: int | None = None
    """Where more is claimed than the file holds."""
    filesz: int | None = None
    vaddr: int = 0
    at: int | None = None
    """p_offset, where it is not the place of the data."""


@dataclass(frozen=True)
class Parts:
    """What a dump and its entry are made of; all of it fits together until a defect changes something."""

    machine: str
    number: int
    """e_machine."""
    bits: int
    order: ByteOrder
    text: bytes
    cpus: tuple[bytes, ...]
    """The notes of the CPU, before the note."""
    loads: tuple[Load, ...]
    """Guest memory besides the region: `uts` and `tables` are among them."""
    uts: int
    """paddr of the page that holds the kernel's name and release."""
    tables: int
    """paddr of the page tables."""
    home: int
    """paddr at which the guest keeps its note."""

    entry: Entry | None
    """None: the guest has no vmcoreinfo device, or nothing tells of its entry."""
    size: int | None = None
    """The entry's size where it is not what Linux says."""
    writes: tuple[Write, ...] | None = None
    """How the guest wrote the entry, where it was not one write of 16 bytes."""
    blob: bytes | None = None
    """The entry's file, where it is not the 16 bytes."""
    region: bytes | None = None
    """What lies where the entry points; None: the note."""

    name: bytes = NAME
    kind: int = 0
    note_order: ByteOrder | None = None
    padding: bytes = b"\0"
    """The byte that stands where nothing refers to."""
    descsz: int | None = None
    """What the note's header claims, where that is not so."""
    absent: bool = False
    """The dump has no VMCOREINFO note; the guest's memory has it all the same."""
    before: bytes = b""
    """Bytes between the CPU's notes and the note."""
    after: bytes = b""
    trimmed: int = 0
    """So many bytes are missing at the end of the notes."""

    head: tuple[tuple[str, int], ...] = ()
    """Fields of the ELF header that are not as they should be."""
    ident: tuple[tuple[str, int], ...] = ()
    """Fields of e_ident of one byte that are not as they should be."""
    gap: int = 0
    """Bytes between the ELF header and the program headers."""
    sections: bool = False
    """Section headers, as QEMU 7.2 writes them, but behind the program headers."""
    counted: bool = False
    """PN_XNUM: the number of program headers stands in section header 0."""
    linear: int | None = None
    """p_vaddr is p_paddr and this, where a load has none of its own; None: 0, as QEMU writes it."""
    loads_first: bool = False
    notes_after_memory: bool = False
    two_areas: bool = False
    p_align: int = 0
    notes_at: int = 0
    """The file offset at which the notes begin, where that is not right behind the program headers."""
    filler: bytes = b""
    """The last bytes before `notes_at`."""
    cut: int = 0
    """So many bytes are missing at the end of the file."""

    kdump: KdumpForm | None = None
    """None: an ELF dump. What is said of program headers, or of the file's end, is so of that alone."""

    def with_text(self, text: bytes) -> Parts:
        return replace(self, text=text)

    def with_kdump(self, **changed: Any) -> Parts:
        """As a kdump-compressed file, or with something else changed in it."""
        return replace(self, kdump=(self.kdump or KdumpForm())._replace(**changed))

    def with_fields(self, **fields: Any) -> Parts:
        """With other fields of the entry."""
        return self if self.entry is None else replace(self, entry=self.entry._replace(**fields))

    def without_entry(self) -> Parts:
        """What is said of the dump alone: QEMU would not have appended such a note, or nothing tells of an entry."""
        return replace(self, entry=None)

    def with_load(self, paddr: int, load: Load | None) -> Parts:
        """Another range of memory in the place of the one at `paddr`, or none."""
        kept = tuple(item for item in self.loads if item.paddr != paddr)
        return replace(self, loads=(*kept, load) if load else kept)

    @property
    def container(self) -> str:
        """The name of the container, as a dump has it."""
        if self.kdump is None:
            return "elf"
        return "flattened" if self.kdump.flattened else "kdump"

    def memory(self, paddr: int) -> bytes:
        return next(item.data for item in self.loads if item.paddr == paddr)

    @property
    def note(self) -> bytes:
        """The note as it lies, its header and padding."""
        mark = "<" if (self.note_order or self.order) == "little" else ">"
        descsz = len(self.text) if self.descsz is None else self.descsz
        out = struct.pack(mark + "III", len(self.name), descsz, self.kind) + self.name
        out += self.padding * (-len(out) % 4) + self.text
        return out + self.padding * (-len(out) % 4)

    @property
    def announced(self) -> int:
        """The size that the guest announces: a page and 36 bytes, or what the note takes."""
        return max(linux_size(4096), len(self.note)) if self.size is None else self.size

    @property
    def history(self) -> EntryHistory | None:
        """The entry as the guest wrote it."""
        if self.entry is None:
            return None
        if self.blob is not None:
            return EntryHistory.of_blob(self.blob)
        if self.writes is not None:
            return EntryHistory("writes", self.writes)
        return EntryHistory.of_blob(self.packed)

    @property
    def packed(self) -> bytes:
        """The entry's 16 bytes; the size is known when the note is."""
        return RESET if self.entry is None else self.entry._replace(size=self.announced).pack()
