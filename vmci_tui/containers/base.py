"""Define what every container provides: notes, memory, and the layout of a changed file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from vmci_tui.common.errors import SaveError
from vmci_tui.formats.elf_note import ByteOrder, Note
from vmci_tui.layers.file import Source
from vmci_tui.layers.image import Image, NewBytes
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
    """Name, offset and length of its fields."""
    record: int = 0
    """Length of each record of a table; 0 if it is not a table."""
    skipped: int = 0
    """Bytes of the part that come before this region, in another record of a flattened file."""
    order: ByteOrder | None = None
    """The byte order of its numbers; None for the dump's own. Only records of a flattened file have one."""

    @property
    def end(self) -> int:
        return self.offset + self.length


def disjoint(regions: list[Region], size: int) -> tuple[Region, ...]:
    """Return the regions in file order, within the file; the later of two that overlap is cut."""
    out: list[Region] = []
    for region in sorted(regions):
        start, stop = max(region.offset, out[-1].end if out else 0), min(region.end, size)
        if start < stop:
            skipped = region.skipped + start - region.offset
            out.append(region._replace(offset=start, length=stop - start, skipped=skipped))
    return tuple(out)


class HeaderFields(NamedTuple):
    """The fields of a kdump file's header that may be edited."""

    utsname: tuple[bytes, ...]
    """The values in the order of UTSNAME, each without its NUL."""
    phys_base: int
    """The kernel's physical base, as stored: unsigned, of `bits` bits."""
    bits: int


class VirtualRange(NamedTuple):
    """The virtual addresses of a range of memory, for its program headers."""

    start: int
    end: int
    """The paddr after the last byte."""
    shift: int | None
    """p_vaddr minus p_paddr; None for p_vaddr 0, which means unknown."""


class LayoutChoice(NamedTuple):
    """Choices for the layout of a dump's headers; a container ignores those that it does not have."""

    ordered: bool = False
    """Put the headers in the order that readers need, even if nothing else is edited."""
    merged: bool = False
    """Make program headers of disjoint memory: one header for each byte."""
    plain: bool = False
    """Make a plain file of a flattened one; not possible in place."""


UNCHANGED: Final = LayoutChoice()
"""No choice beyond the requested notes."""


class LayoutRequest(NamedTuple):
    """What a file is to hold, and where its headers and notes may grow."""

    notes: tuple[Note, ...]
    choice: LayoutChoice = UNCHANGED
    header: HeaderFields | None = None
    """The fields of the header; None for unchanged."""
    mapped: tuple[VirtualRange, ...] = ()
    """New virtual addresses for program headers; those of other memory stay."""
    in_place: bool = False
    """Memory stays at its offset, except the bytes that the headers grow into. In a copy all memory moves."""


@dataclass(frozen=True)
class Layout:
    """The layout of a file, as it is or as it would be saved."""

    image: Image
    notes: tuple[Note, ...]
    """The notes as in this file; saved ones are padded to 4 bytes."""
    note_offsets: tuple[int, ...]
    """The offset of each note of the state, in the state's order."""
    memory_of: Callable[[], Memory] = field(compare=False, repr=False)
    """Makes `memory` on demand: for a million headers that takes a second, and few callers need it."""
    regions: tuple[Region, ...]
    """Sorted by offset, disjoint; bytes in none of them are a gap."""
    reasons: tuple[str, ...] = ()
    """Why the headers differ from those on disk, beyond what was edited."""
    appends: bool = False
    """Whether notes make the file grow; else it is memory that moved, or the file does not grow."""
    base: Source | None = None
    """The source of the image; None for the open file. A plain file made of a flattened one has another."""

    @cached_property
    def memory(self) -> Memory:
        """Guest memory with its offsets in this image."""
        return self.memory_of()


class CopiedRange(NamedTuple):
    """Bytes that must be equal in the old and the new file: both offsets, and the length."""

    old: int
    new: int
    length: int


class KeptBytes(NamedTuple):
    """The bytes of an old file that a saved one must hold."""

    old: Source
    """The source of the old offsets."""
    new: Source
    pairs: tuple[CopiedRange, ...]
    in_file: bool = True
    """Whether the offsets are those of the files, not of the plain file in a flattened one."""


Stored = Literal["plain", "records", "compressed"]
"""How a file holds guest memory: byte for byte, in the records of a flattened file, or in compressed pages."""


class Dump(Protocol):
    """An opened dump; everything but guest memory has been read."""

    @property
    def source(self) -> Source: ...
    @property
    def container(self) -> str:
        """The name of the container; `flattened` for any flattened file."""
        ...

    @property
    def kind(self) -> str:
        """The kind of its headers, `elf` or `kdump`: it decides how they are checked and shown."""
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
        """Messages about anything odd in the file, or ambiguous."""
        ...

    @property
    def missing(self) -> str:
        """A message that the file lacks memory that its headers describe; empty if it lacks none."""
        ...

    @property
    def names_text(self) -> bool:
        """Whether a header names the vmcoreinfo text, with or without a note."""
        ...

    @property
    def extras(self) -> tuple[tuple[str, bytes], ...]:
        """What the file holds besides headers, notes and memory: a description and the bytes of each."""
        ...

    @property
    def guest_source(self) -> Source:
        """The source of guest memory: the file, or the decoder of its pages."""
        ...

    @property
    def guest_memory(self) -> Memory:
        """The memory that the file holds, with offsets in `guest_source`."""
        ...

    @property
    def current_layout(self) -> Layout: ...

    @property
    def header_fields(self) -> HeaderFields | None:
        """The fields of the header that may be edited; None if the container has none."""
        ...

    def layout(self, request: LayoutRequest) -> Layout:
        """Lay the file out in the order that readers need. Raises SaveError if no file can hold the request."""
        ...

    def kept(self, request: LayoutRequest, new: Dump) -> Iterable[KeptBytes]:
        """Return the bytes of this dump that `new`, saved for `request`, must hold.

        Raises SaveError if the headers of `new` already describe other memory.
        """
        ...


def copied_bytes(old: Dump, new: Dump, layout: Layout) -> KeptBytes:
    """Return the bytes that must be the same in both files.

    They include bitmaps, page descriptors and pages; the program headers of a flattened ELF dump are new bytes.
    Raises SaveError if the new file is of another container, or its new bytes are not those of the layout.
    """
    flattened = old.flat is not None and layout.base is None
    if new.kind != old.kind or (new.flat is not None) != flattened:
        raise SaveError("the saved file is of another kind", "nothing was saved")
    pairs = []
    for offset, extent in layout.image.placed():
        if not isinstance(extent, NewBytes):
            pairs.append(CopiedRange(extent.offset, offset, extent.length))
        elif new.source.read(offset, extent.length) != extent.data:
            raise SaveError(f"the saved file differs at {offset:#x}", "nothing was saved")
    return KeptBytes(layout.base or old.source, new.source, tuple(pairs))
