"""What every container gives: the notes, the memory, and how a changed file would lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.layers.file import Source
from vmci_tui.layers.image import Image
from vmci_tui.layers.memory_map import Memory

if TYPE_CHECKING:
    from vmci_tui.layers.flattened import FlattenedSource


class Region(NamedTuple):
    """A named part of the file, for the hex view and for messages."""

    offset: int
    length: int
    kind: str
    """One of: header, segments, sections, note, memory, gap, other."""
    label: str
    fields: tuple[tuple[str, int, int], ...] = ()
    """Name, offset and length of the fields in it; an ELF header's are told by its kind."""
    record: int = 0
    """Length of one of the records that it consists of; 0 where it is no table."""
    skipped: int = 0
    """How many bytes of the part lie elsewhere, before this one: in another record of a flattened file."""

    @property
    def end(self) -> int:
        return self.offset + self.length


class HeaderFields(NamedTuple):
    """What of a kdump file's header may be edited."""

    utsname: tuple[bytes, ...]
    """By the names of UTSNAME, each without its NUL."""
    phys_base: int
    """Where the kernel lies, as it stands there: unsigned, of `bits` bits."""
    bits: int


class VirtualRange(NamedTuple):
    """The virtual addresses of a range of memory, as program headers should say them."""

    start: int
    end: int
    """paddr behind the last byte."""
    shift: int | None
    """p_vaddr is p_paddr and this; None: p_vaddr 0, which says nothing."""


class LayoutChoice(NamedTuple):
    """What is asked of a dump's head where that is more than other notes; a container ignores what it has not."""

    ordered: bool = False
    """The order that readers need, as every save gives it, even where nothing else is edited."""
    merged: bool = False
    """Program headers of disjoint memory: each byte is named by one of them only."""
    plain: bool = False
    """The records of a flattened file in their places. A file cannot become plain in place."""


UNCHANGED: Final = LayoutChoice()
"""Nothing more than the notes that are asked for."""


class LayoutRequest(NamedTuple):
    """What a file is to hold, and where its new head may grow."""

    notes: tuple[Note, ...]
    head: LayoutChoice = UNCHANGED
    header: HeaderFields | None = None
    """The fields of the header; None: as they are."""
    mapped: tuple[VirtualRange, ...] = ()
    """The virtual addresses that program headers get; of memory in none of them they stay."""
    in_place: bool = False
    """Memory stays where it is, but for the bytes that the head grows into. In a copy it moves behind the head."""


@dataclass(frozen=True)
class Layout:
    """How a file lies, as it is or as it would be saved."""

    image: Image
    notes: tuple[Note, ...]
    """The notes as they lie here; what is saved is padded to 4 bytes."""
    note_offsets: tuple[int, ...]
    """Where each note of the state begins, in the order of the state."""
    memory_of: Callable[[], Memory] = field(compare=False, repr=False)
    """Works `memory` out: of a million headers that takes a second, and most who lay a file out do not ask."""
    regions: tuple[Region, ...]
    """Sorted by offset, disjoint; what is in none of them is a gap."""
    reasons: tuple[str, ...] = ()
    """Why the head differs from the one on disk, beyond what was edited."""
    record: int = 0
    """Length of one program header, for naming the fields."""
    bits: int = 64
    appends: bool = False
    """What the file grows by are notes; else it is memory that made room for them, or there is none."""
    base: Source | None = None
    """What the image refers to; None: the file that is open. A plain file made of a flattened one has another."""

    @cached_property
    def memory(self) -> Memory:
        """Guest memory with the offsets that hold in this image."""
        return self.memory_of()


class CopiedRange(NamedTuple):
    """Bytes of the old file that must be in the new one: their offsets, and how many."""

    old: int
    new: int
    length: int


class KeptBytes(NamedTuple):
    """What a saved file must hold as the old one did."""

    old: Source
    """Where the offsets of the old file count."""
    new: Source
    pairs: tuple[CopiedRange, ...]
    in_file: bool = True
    """Whether they are offsets of both files, not of what the records of a flattened one stand for."""


Stored = Literal["plain", "records", "compressed"]
"""How a file holds guest memory: byte for byte, in the records of a flattened file, or in compressed pages."""


class Dump(Protocol):
    """An opened dump; everything is read but guest memory."""

    @property
    def source(self) -> Source: ...
    @property
    def container(self) -> str:
        """The name of the container; `flattened` where the file is a list of records, whatever they stand for."""
        ...

    @property
    def kind(self) -> str:
        """Whose headers it has, `elf` or `kdump`: by it the floors above choose what they check and show of them."""
        ...

    @property
    def flat(self) -> FlattenedSource | None:
        """The records of a flattened file; None where it is plain."""
        ...

    @property
    def stored(self) -> Stored: ...
    @property
    def machine(self) -> str | None: ...
    @property
    def bits(self) -> int: ...
    @property
    def order(self) -> ByteOrder: ...
    @property
    def notes(self) -> tuple[Note, ...]: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def doubts(self) -> tuple[str, ...]:
        """What is odd about the file, or may be read in another way, in words."""
        ...

    @property
    def missing(self) -> str:
        """That the file has not all the memory that its headers tell of, in words; empty where it has."""
        ...

    @property
    def names_text(self) -> bool:
        """Whether a header names the vmcoreinfo text, be there a note of it or not."""
        ...

    @property
    def extras(self) -> tuple[tuple[str, bytes], ...]:
        """What the file holds beside headers, notes and memory: each in a few words, and its bytes."""
        ...

    @property
    def guest_source(self) -> Source:
        """Where guest memory is read: the file, or what decompresses its pages."""
        ...

    @property
    def guest_memory(self) -> Memory:
        """The memory that the file holds, with the offsets that count in `guest_source`."""
        ...

    @property
    def current_layout(self) -> Layout: ...

    @property
    def header_fields(self) -> HeaderFields | None:
        """The fields of the header that may be edited; None where the container has none."""
        ...

    def layout(self, request: LayoutRequest) -> Layout:
        """Lay the file out in the order that readers need. Raises SaveError where no file can hold what is asked."""
        ...

    def kept(self, request: LayoutRequest, new: Dump) -> Iterable[KeptBytes]:
        """What `new`, which was saved as `request` asks, must hold as this dump does.

        Raises SaveError where its headers already say that it does not.
        """
        ...
