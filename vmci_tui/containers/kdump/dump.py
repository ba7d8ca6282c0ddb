"""Open kdump-compressed dumps, plain and flattened, of `dump-guest-memory -z`, `virsh dump`, makedumpfile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from vmci_tui.common.errors import OpenError, SaveError
from vmci_tui.containers.base import Dump, HeaderFields, KeptBytes, Layout, LayoutRequest, Stored, copied_bytes
from vmci_tui.containers.kdump import regions
from vmci_tui.containers.kdump.contents import KdumpContents
from vmci_tui.containers.kdump.header import KdumpHeader, machine_of, read_header
from vmci_tui.containers.kdump.layout import arrange
from vmci_tui.formats.elf_note import NOTE_LIMIT, Note, placed_notes
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT
from vmci_tui.formats.header_text import HeaderText, is_text
from vmci_tui.layers.file import HEAD_LIMIT, Source
from vmci_tui.layers.flattened import FlattenedSource


@dataclass(frozen=True)
class KdumpDump(KdumpContents):
    """An opened kdump file."""

    kind: ClassVar = "kdump"
    stored: ClassVar[Stored] = "compressed"

    @cached_property
    def missing(self) -> str:
        """A message that pages of memory are not in the file; empty if all that its headers describe are."""
        size, table = self.plain.size, self.header.descriptors
        first, last = self.header.pfns
        if first >= last:
            return ""
        if table > size:
            return (
                f"the file is cut off: its bitmaps end at {table:#x}, it has {size} bytes: no page of memory is in it"
            )
        count = self.pages.count
        if not count.missing:
            return ""
        least = "" if count.all_seen else "at least "
        words = f"{least}{count.missing} of {count.pages} pages of memory are missing"
        if count.end > size:
            return f"the file is cut off: {words}; it ends at {size}"
        if self.flat is not None and self.flat.cut:
            return f"the file is cut off: {words}"
        return f"{words}: their descriptors are empty"

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Messages about anything odd in the file, or ambiguous."""
        flat = self.flat
        of_records = () if flat is None else (*flat.faults, flat.overlap)
        return tuple(filter(None, (*of_records, self.missing, *self.header.doubts, *self.guest_memory.doubts)))

    @property
    def container(self) -> str:
        return "kdump" if self.flat is None else "flattened"

    @property
    def machine(self) -> str | None:
        return machine_of(self.header.header, self.notes, self.order)

    @property
    def names_text(self) -> bool:
        return self.header.vmcoreinfo != (0, 0)

    @property
    def extras(self) -> tuple[tuple[str, bytes], ...]:
        offset, size = self.header.eraseinfo
        words = f"eraseinfo (what makedumpfile erased), {size} bytes"
        return ((words, self.plain.read(offset, min(size, HEAD_LIMIT))),) if size else ()

    @property
    def guest_source(self) -> Source:
        return self.pages

    @cached_property
    def current_layout(self) -> Layout:
        return regions.current_layout(self)

    @property
    def header_fields(self) -> HeaderFields:
        return HeaderFields(self.header.header.utsname, self.header.phys_base, self.bits)

    def layout(self, request: LayoutRequest) -> Layout:
        return arrange(self, request)

    def kept(self, request: LayoutRequest, new: Dump) -> Iterator[KeptBytes]:
        copied = copied_bytes(self, new, self.layout(request))
        if not isinstance(new, KdumpDump) or self.header.memory != new.header.memory:
            raise SaveError("the headers of the saved file describe other memory", "nothing was saved")
        yield copied


def open_kdump(source: Source, flat: FlattenedSource | None = None) -> KdumpDump:
    """Read the headers and notes of a kdump file; of a flattened one, through its records.

    Raises OpenError with one line that says what is wrong.
    """
    plain = source if flat is None else flat
    header = read_header(plain)
    notes, starts = _read_notes(plain, header)
    text = _read_header_text(plain, header, notes)
    if text is not None:
        notes, starts = (*notes, text), (*starts, header.sub.offset_vmcoreinfo)
    return KdumpDump(source, plain, header, notes, starts)


def _read_notes(plain: Source, header: KdumpHeader) -> tuple[tuple[Note, ...], tuple[int, ...]]:
    offset, size = header.notes
    if min(size, max(plain.size - offset, 0)) > HEAD_LIMIT:
        raise OpenError(f"the notes take {size} bytes; the limit is {HEAD_LIMIT}", "its headers are damaged")
    area = plain.read(offset, size)
    notes, starts = placed_notes(area, offset, size, header.form.order)
    if len(notes) > NOTE_LIMIT:
        raise OpenError(f"this kdump file has more than {NOTE_LIMIT} notes", "its headers are damaged")
    return notes, starts


def _read_header_text(plain: Source, header: KdumpHeader, notes: tuple[Note, ...]) -> HeaderText | None:
    """Return the text that the header names; None if a note has it, it overlaps headers or notes, or is not a text."""
    offset, size = header.vmcoreinfo
    area, area_size = header.notes
    first = header.block_size + header.form.sub_header_length(header.version)
    if not first <= offset <= offset + size <= plain.size or (offset < area + area_size and area < offset + size):
        return None
    if not 0 < size <= SIZE_LIMIT or not is_text(text := plain.read(offset, size)):
        return None
    in_note = any(note.is_vmcoreinfo and note.whole and note.desc == text for note in notes)
    return None if in_note else HeaderText(text, header.form.order)
