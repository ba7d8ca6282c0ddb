"""How libkdumpfile opens a kdump-compressed file up to the text that it gives to drgn, step by step."""

from __future__ import annotations

import re
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, align_up, note_header
from vmci_tui.formats.elf_records import MAGIC
from vmci_tui.formats.kdump_records import DISKDUMP, HEADER_SIZE, UTSNAME_FIELDS, KdumpFormat
from vmci_tui.formats.kdump_records import SIGNATURE as KDUMP
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.arch import arch_of_uname
from vmci_tui.readers.libkdumpfile.context import OSTYPE, DotInFront, OpeningDump
from vmci_tui.readers.libkdumpfile.diskdump import INVALID, OWN_RULES, OpenedDiskdump, open_kdump, other_form
from vmci_tui.readers.libkdumpfile.diskdump_pages import KdumpMemory
from vmci_tui.readers.libkdumpfile.elf_pages import LoadSegments
from vmci_tui.readers.libkdumpfile.elfdump import FD
from vmci_tui.readers.libkdumpfile.file_cache import Killed, ReadFailed, Stopped
from vmci_tui.readers.libkdumpfile.flatmap import FileChunk, FlatFile, ReadableFile, open_file
from vmci_tui.readers.libkdumpfile.flattened_elf import FlatWindows, core_of
from vmci_tui.readers.libkdumpfile.open_elf import describe, open_guest
from vmci_tui.readers.rule import ProbeResult
from vmci_tui.readers.shared.elf_notes import WalkedNote

_HEADER: Final = KdumpFormat(64, "little").header
"""The names of utsname are at the same place in every form."""
_LINUX: Final = b"Linux\0"
_FILE: Final = "file #0: "
_NOTE_LIMIT: Final = 1 << 17
_POINTED_LIMIT: Final = 1 << 20
_SOMETHING: Final = re.compile(rb"[^\0]")


def run_of(view: View) -> OpeningKdump:
    """Open a file as libkdumpfile does. The result is shared by two readers."""
    run = view.shared.get("kdump run")
    if not isinstance(run, OpeningKdump):
        run = view.shared["kdump run"] = OpeningKdump(view)
    return run


class OpeningKdump(OpeningDump):
    """A kdump-compressed file, plain or flattened, or a flattened ELF dump."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.file: ReadableFile | None = None
        self.opened: OpenedDiskdump | None = None
        self.head = b""
        """The first bytes of the plain file."""
        self.places: list[WalkedNote] = []
        """The notes, with offsets in the plain file."""
        self.area: tuple[int, bytes] = (0, b"")
        self._elf: tuple[LoadSegments, FlatWindows] | None = None
        self._death = "killed-by-records"
        self._death_span: Span | None = None
        try:
            self._open()
            self._death, self._death_span = "killed-by-pages", None
            self._describe()
        except Killed as killed:
            self.stopped = Stopped(self._death, f"killed by {killed}", self._death_span)
        except DotInFront as dotted:
            self.stopped = Stopped("dot-in-front", "killed by SIGSEGV", dotted.span)
        except Stopped as stopped:
            self.stopped = stopped
        except ReadFailed as failed:
            self.stopped = Stopped("memory-unreadable", f"{OSTYPE}{str(failed) or '(null)'}")

    @property
    def uts(self) -> tuple[bytes, ...]:
        """The six strings of utsname in the header, each with all its bytes."""
        return tuple(_HEADER.part(name, self.head) for name in UTSNAME_FIELDS)

    @property
    def uts_is_sane(self) -> bool:
        """Whether utsname is complete (util.c uts_looks_sane)."""
        fields = self.uts[:5]
        return self.uts[0].startswith(_LINUX) and not any(f[-1:] != b"\0" for f in fields) and all(
            f[:1] != b"\0" for f in fields[2:]
        )  # fmt: skip

    @property
    def went_through(self) -> bool:
        """Whether it got through headers and notes."""
        return self.opened is not None or self._elf is not None

    def span_in_file(self, offset: int, length: int) -> Span | None:
        """Return the span in the file itself of bytes of the plain file; None if they are not in one piece."""
        at = None if self.file is None else self.file.place(offset)
        return None if at is None else Span(at, length)

    def in_file(self, span: Span | None) -> Span | None:
        return None if span is None else self.span_in_file(span.offset, span.length)

    def pointed_text(self) -> tuple[int, bytes] | None:
        """The offset and bytes that offset_vmcoreinfo and size_vmcoreinfo lead to; None without any."""
        sub = None if self.opened is None else self.opened.sub
        if sub is None or self.file is None or not 0 < sub.size_vmcoreinfo <= _POINTED_LIMIT:
            return None
        try:
            return sub.offset_vmcoreinfo, self.file.pread(sub.offset_vmcoreinfo, sub.size_vmcoreinfo)
        except (ReadFailed, Killed):
            return None

    @property
    def lacks_text(self) -> bool:
        """Whether it walked all notes and stored no text."""
        return self.went_through and self.stopped is None and self.text is None

    def notes_by_the_other_form(self) -> Span | None:
        """The place of the notes by a 32-bit sub-header in the other form; None if there are none."""
        if self.opened is None or self.file is None:
            return None
        try:
            sub = other_form(self.file, self.opened)
            if sub is None or not 0 < sub.size_note <= _POINTED_LIMIT:
                return None
            found = NAME in self.file.pread(sub.offset_note, sub.size_note)
        except (ReadFailed, Killed):
            return None
        return Span(sub.offset_note, sub.size_note) if found else None

    def _open(self) -> None:
        try:
            self.file = open_file(self.windows)
        except Stopped as stopped:
            before = _FILE if stopped.rule == "flattened-head" else FD + _FILE
            raise Stopped(stopped.rule, before + stopped.words, stopped.span) from None
        self.head = self.file.pread(0, HEADER_SIZE)
        if self.head.startswith(MAGIC) and isinstance(self.file, FlatFile):
            self._open_elf(self.file)
            return
        if not self.head.startswith((KDUMP, DISKDUMP)):
            if self.file.flattened and not self.file.records:
                raise Stopped("no-records", "killed by SIGSEGV")
            raise Stopped("unknown-format", f"{_FILE}Unknown file format", self.in_file(_HEADER.span("signature")))
        try:
            self.opened = opened = open_kdump(self.file, self.head, self._page_size, self._take_pointed)
        except Stopped as stopped:
            own = stopped.rule in OWN_RULES
            raise Stopped(stopped.rule, stopped.words, self.in_file(stopped.span) if own else stopped.span) from None
        self.order = opened.header.form.order
        if self.uts_is_sane:
            self.release = self.uts[2].split(b"\0", 1)[0]
            self.arch = arch_of_uname(self.uts[4].split(b"\0", 1)[0])
        self._death = "killed-by-notes"
        self._notes(opened)

    def _open_elf(self, file: FlatFile) -> None:
        """Open an ELF dump in records; libkdumpfile reads it like any other."""
        self._death = "killed-by-headers"
        try:
            core, windows = core_of(file)
            self._elf = open_guest(self, core, windows), windows
        except Stopped as stopped:
            raise Stopped(stopped.rule, stopped.words, self.in_file(stopped.span)) from None

    def _page_size(self, size: int | None) -> int:
        if size is not None:
            self.page_size, self.cache = size, True
        return self.page_size or 0

    def _take_pointed(self, chunk: FileChunk, offset: int, size: int) -> None:
        """Take the text of a file of version 3, which has no notes."""
        self._death_span = self.span_in_file(offset, size)
        chunk.touch(size)
        self.note = WalkedNote(offset, b"", 0, offset, chunk.data[:size], offset + size)
        try:
            self.take(self.note.desc, FD + _FILE + _FILE)
        except Stopped as stopped:
            if stopped.rule == "page-size":
                raise Stopped("page-size", INVALID, stopped.span) from None
            raise

    def _notes(self, opened: OpenedDiskdump) -> None:
        """Process the notes at offset_note, from version 4 on: first the texts, then the machine's notes."""
        sub = opened.sub
        if sub is None or opened.header.version < 4 or not sub.size_note:
            return
        offset, size = sub.offset_note, sub.size_note
        self._death_span = self.span_in_file(offset, size)
        assert self.file is not None
        try:
            chunk = self.file.chunk(offset, size)
        except ReadFailed as failed:
            words = f"{FD}{_FILE}Cannot read {size} note bytes at {offset}"
            raise Stopped("note-pointer", words + (f": {failed}" if str(failed) else ""), self._death_span) from None
        self.area = offset, chunk.data
        self.places = self._walk(chunk, offset, size)
        for note in self.places:
            if note.name in (NAME, NAME[:-1]):
                chunk.touch(note.at - offset + len(note.desc))
                self.note = note
                self.take(note.desc, f"{FD}{_FILE}Cannot process noarch notes: ")
        if self.arch is not None:
            for note in self.places:
                self.check_cpu(note, f"{FD}{_FILE}Cannot process arch notes: ")

    def _walk(self, chunk: FileChunk, offset: int, size: int) -> list[WalkedNote]:
        """Return all notes, padded to 4; the last one may lack its padding (do_notes). Raises Killed."""
        words = note_header(self.order)
        found: list[WalkedNote] = []
        at, data = 0, chunk.data
        while at + HEADER <= size:
            if len(found) == _NOTE_LIMIT:
                raise Stopped("too-many-notes", "", self._death_span)
            chunk.touch(at + HEADER)
            if at + HEADER > len(data):
                break
            namesz, descsz, kind = words.unpack_from(data, at)
            if not namesz and not descsz:
                # Twelve zeros are a note without a name: skip a row of them in one step.
                next_ = _SOMETHING.search(data, at + 8)
                end = size if next_ is None else next_.start()
                at += max((end - at) // HEADER, 1) * HEADER
                if next_ is None:
                    chunk.touch(at)
                continue
            desc = at + HEADER + align_up(namesz, 4)
            if desc + descsz > size:
                break
            name, end = data[at + HEADER : at + HEADER + namesz], desc + align_up(descsz, 4)
            found.append(WalkedNote(offset + at, name, kind, offset + desc, data[desc : desc + descsz], offset + end))
            at = end
        return found

    def _describe(self) -> None:
        """Set the type of the system to Linux."""
        if self._elf is not None:
            self._death = "killed-by-memory"
            describe(self, *self._elf)
            return
        assert self.file is not None and self.opened is not None
        if self.arch == "s390x":
            self.adopt(self._memory(self.file, self.opened))
        if not self.uts_is_sane and self.value(b"SYMBOL(system_utsname)") is not None:
            raise Stopped("no-machine-for-memory", f"{OSTYPE}Cannot get page I/O address: No way to translate")

    def _memory(self, file: ReadableFile, opened: OpenedDiskdump) -> KdumpMemory:
        self.memory = memory = KdumpMemory(file, opened, self.page_size or 0)
        self.kernel(memory)
        return memory

    def reads(self) -> ProbeResult:
        """Probe memory; except on s390x, opening a dump needs no page, so this is the first access."""
        if self.memory is None and self.arch is not None and self.file is not None and self.opened is not None:
            self._memory(self.file, self.opened)
        return super().reads()
