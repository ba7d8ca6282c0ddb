"""How libkdumpfile opens a kdump-compressed file up to the text that it gives to drgn, step by step."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, NOTE_LIMIT, ByteOrder
from vmci_tui.formats.elf_records import MAGIC
from vmci_tui.formats.kdump_records import DISKDUMP, HEADER_SIZE, UTSNAME_FIELDS, KdumpFormat
from vmci_tui.formats.kdump_records import SIGNATURE as KDUMP
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.diskdump import INVALID, Headers, PageMap, headers_of, page_map, text_or_erase_info
from vmci_tui.readers.libkdumpfile.diskdump_pages import KdumpMemory
from vmci_tui.readers.libkdumpfile.elf_pages import LoadSegments
from vmci_tui.readers.libkdumpfile.file_cache import FD, FILE, OSTYPE, Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import FileChunk, FlatFile, ReadableFile, open_file
from vmci_tui.readers.libkdumpfile.flattened_elf import FlatWindows, core_of
from vmci_tui.readers.libkdumpfile.open_elf import describe, open_guest
from vmci_tui.readers.libkdumpfile.opening import OpeningDump, machine_of_uname
from vmci_tui.readers.libkdumpfile.releases import Release
from vmci_tui.readers.rule import ProbeResult
from vmci_tui.readers.shared.elf_notes import WalkedNote, walk
from vmci_tui.readers.shared.text_lines import c_string

_HEADER: Final = KdumpFormat(64, "little").header
"""The names of utsname are at the same place in every form."""
_LINUX: Final = b"Linux\0"
_POINTED_LIMIT: Final = 1 << 20


def run_of(view: View, library: Release) -> OpeningKdump:
    """Open a file as a release of libkdumpfile does. The result is shared by two readers."""
    name = f"kdump run {library.number}"
    run = view.shared.get(name)
    if not isinstance(run, OpeningKdump):
        run = view.shared[name] = OpeningKdump(view, library)
    return run


class OpeningKdump(OpeningDump):
    """A kdump-compressed file, plain or flattened, or a flattened ELF dump."""

    first_step = "killed-by-records"

    def __init__(self, view: View, library: Release) -> None:
        self.file: ReadableFile | None = None
        self.head = b""
        """The first bytes of the plain file."""
        self.opened: Headers | None = None
        """The headers; None if not even the bitmap can be read."""
        self.places: tuple[WalkedNote, ...] = ()
        """The notes."""
        self.area: tuple[int, bytes] = (0, b"")
        """Offset and bytes of the notes."""
        self._pages: PageMap | None = None
        self._elf: tuple[LoadSegments, FlatWindows] | None = None
        super().__init__(view, library)

    @property
    def uts(self) -> tuple[bytes, ...]:
        """The six strings of utsname in the header, each with all its bytes."""
        return tuple(_HEADER.part(name, self.head) for name in UTSNAME_FIELDS)

    @property
    def uts_is_sane(self) -> bool:
        """Whether utsname is complete (util.c uts_looks_sane)."""
        fields = self.uts[:5]
        ended = all(field[-1:] == b"\0" for field in fields)
        return ended and fields[0].startswith(_LINUX) and all(field[:1] != b"\0" for field in fields[2:])

    @property
    def went_through(self) -> bool:
        """Whether it got through headers and notes."""
        return self.opened is not None or self._elf is not None

    @property
    def depends(self) -> bool:
        two_forms = self.opened is not None and self.opened.other is not None
        at_end = self._pages is not None and self._pages.at_end
        by_erase_info = self.stopped is not None and self.stopped.rule == "erase-info"
        flattened = self.file is not None and self.file.flattened
        return super().depends or flattened or two_forms or at_end or by_erase_info

    @property
    def lacks_text(self) -> bool:
        """Whether it walked all notes and stored no text."""
        return self.went_through and self.stopped is None and self.text is None

    def in_file(self, span: Span | None) -> Span | None:
        if self.file is None or span is None:
            return span
        at = self.file.place(span.offset)
        return None if at is None else Span(at, span.length)

    def _pread(self, offset: int, size: int) -> bytes | None:
        """Return the bytes that a pointer leads to; None if it does not use them, or they cannot be read."""
        if self.file is None or not 0 < size <= _POINTED_LIMIT:
            return None
        try:
            return self.file.pread(offset, size)
        except (ReadFailed, Killed):
            return None

    def pointed_text(self) -> tuple[int, bytes] | None:
        """The offset and bytes that offset_vmcoreinfo and size_vmcoreinfo lead to; None without any."""
        sub = self.opened and self.opened.sub
        text = sub and self._pread(sub.offset_vmcoreinfo, sub.size_vmcoreinfo)
        return (sub.offset_vmcoreinfo, text) if sub and text is not None else None

    def notes_by_the_other_form(self) -> Span | None:
        """The place of the notes by a 32-bit sub-header in the other form; None if there are none."""
        sub = self.opened and self.opened.other
        notes = sub and self._pread(sub.offset_note, sub.size_note)
        return Span(sub.offset_note, sub.size_note) if sub and NAME in (notes or b"") else None

    def _open(self) -> None:
        self.file = file = open_file(self.windows)
        self.head = file.pread(0, HEADER_SIZE)
        if isinstance(file, FlatFile) and self.head.startswith(MAGIC) and self.library.by_records:
            # libkdumpfile reads an ELF dump in records like any other.
            self.step = "killed-by-headers", None
            core, windows = core_of(file)
            self._elf = loads, _ = open_guest(self, core, windows), windows
            self.step = "killed-by-memory", None
            describe(self, loads, windows)
            return
        if not self.head.startswith((KDUMP, DISKDUMP)):
            if file.flattened and not file.records and self.library.by_records:
                raise Stopped("no-records", "killed by SIGSEGV")
            raise Stopped("unknown-format", f"{FILE}Unknown file format", _HEADER.span("signature"))
        self._open_headers(file)
        self.step = "killed-by-pages", None
        if self.arch == "s390x":
            self.adopt(self._kdump_memory(file))
        if not self.uts_is_sane and b"SYMBOL(system_utsname)" in self.values:
            raise Stopped("no-machine-for-memory", f"{OSTYPE}Cannot get page I/O address: No way to translate")

    def _open_headers(self, file: ReadableFile) -> None:
        """Read headers, bitmap and notes (diskdump_probe)."""
        opened = headers_of(file, self.head, self.library)
        self.page_size, self.cache = opened.header.block_size, True
        pointed = file if self.library.by_records else ReadableFile(self.windows)
        text = text_or_erase_info(pointed, opened, self.library)
        if text is not None:
            self._take_pointed(*text)
        self._pages, self.opened = page_map(file, opened, self.page_size, self.library), opened
        self.order = opened.form.order
        if self.uts_is_sane:
            self.release = c_string(self.uts[2])
            self.machine = machine_of_uname(c_string(self.uts[4]), self.library)
        self._notes(file, opened)

    def _take_pointed(self, offset: int, size: int, text: bytes) -> None:
        """Take the text of a file of version 3, which has no notes."""
        if self.library.by_records or not isinstance(self.file, FlatFile):
            self.note = WalkedNote(offset, b"", 0, offset, text, offset + size)
        try:
            self.take(text, FD + FILE)
        except Stopped as stopped:
            words = INVALID if stopped.rule == "page-size" else stopped.words
            raise Stopped(stopped.rule, words, stopped.span) from None

    def _notes(self, file: ReadableFile, opened: Headers) -> None:
        """Process the notes at offset_note, from version 4 on: first the texts, then the machine's notes."""
        sub = opened.sub
        if sub is None or opened.header.version < 4 or not sub.size_note:
            return
        offset, size = sub.offset_note, sub.size_note
        self.step = "killed-by-notes", Span(offset, size)
        try:
            chunk = file.chunk(offset, size)
        except ReadFailed as failed:
            words = failed.after(f"{FD}Cannot read {size} note bytes at {offset}")
            raise Stopped("note-pointer", words, Span(offset, size)) from None
        self.area = offset, chunk.data
        self.places = _walk(chunk, self.order, Span(offset, size))
        for note in self.places:
            if note.name in (NAME, NAME[:-1]):
                chunk.touch(note.at - offset + len(note.desc))
                self.note = note
                self.take(note.desc, f"{FD}Cannot process noarch notes: ")
        for note in self.places if self.arch is not None else ():
            self.check_cpu(note, f"{FD}Cannot process arch notes: ")

    def _kdump_memory(self, file: ReadableFile) -> KdumpMemory:
        assert self.opened is not None and self._pages is not None
        memory = KdumpMemory(file, self.opened.form, self._pages, self.page_size or 0)
        self.kernel(memory)
        return memory

    def reads(self) -> ProbeResult:
        """Probe memory; except on s390x, opening a dump needs no page, so this is the first access."""
        if self.memory is None and self.arch is not None and self.file is not None and self.opened is not None:
            self._kdump_memory(self.file)
        return super().reads()


def _walk(chunk: FileChunk, order: ByteOrder, span: Span) -> tuple[WalkedNote, ...]:
    """Return all notes, padded to 4; the last one may lack its padding (do_notes). Raises Stopped and Killed."""
    area = walk(span.offset, chunk.data, order, 4, padding=False)
    if len(area.notes) >= NOTE_LIMIT:
        raise Stopped("too-many-notes", "", span)
    last, length = area.notes[-1:], span.length
    if last and last[0].end - span.offset > length - HEADER:
        length = last[0].offset - span.offset + HEADER
    elif area.broken is not None:
        length = min(area.broken + HEADER, length)
    chunk.touch(length)  # up to the last header that it reads
    return area.notes
