"""An ELF core as libdrgn opens it: every PT_NOTE must be whole, and the last note with the exact name counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, ByteOrder, align_up, note_header
from vmci_tui.formats.elf_records import ET_CORE, IDENT, MAGIC
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.formats.kdump_records import SIGNATURE as KDUMP
from vmci_tui.readers.libdrgn.text import DrgnText
from vmci_tui.readers.libelf import Libelf
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.elf_notes import NoteArea, WalkedNote, broken_note, walk
from vmci_tui.readers.shared.elf_program import Finder, Place, elf_field
from vmci_tui.readers.version import Version

_NOT_A_CORE: Final = "not an ELF core file"
_CUT: Final = "libelf error: invalid operation"
_NO_NOTE: Final = "could not find 'VMCOREINFO'"
_KEY_ERROR: Final = "'VMCOREINFO'"
"""The same before 0.0.33."""
_FLATTENED: Final = (
    "the given file is in the makedumpfile flattened format, which drgn does not support; use "
    "'makedumpfile -R newfile <oldfile' to reassemble the file into a format drgn can read"
)
_UNRECOGNIZED: Final = (
    "unrecognized QEMU memory dump; for Linux guests, run QEMU with '-device vmcoreinfo', compile the kernel with "
    "CONFIG_FW_CFG_SYSFS and CONFIG_KEXEC, and load the qemu_fw_cfg kernel module before dumping the guest memory "
    "(requires Linux >= 4.17 and QEMU >= 2.11)"
)


class LibdrgnCore(Libelf):
    """A file as libdrgn reads it, up to the end of the text."""

    last_wins = True

    @property
    def is_kdump(self) -> bool:
        """Whether libkdumpfile opens it for drgn (has_kdump_signature)."""
        return self.view.head.startswith((KDUMP, FLATTENED.ljust(16, b"\0")))

    @property
    def is_core(self) -> bool:
        return self.is_elf and not self.too_many_sections and self.header.type == ET_CORE

    @property
    def opened(self) -> bool:
        return self.is_core and not self.headers_behind and not self.headers_cut

    def complaint(self, place: Place) -> str:
        return "" if self.has(place.offset, place.length) else _CUT

    @cached_property
    def cut(self) -> Span | None:
        """The first PT_NOTE that is not whole in the file: then it reads no note at all."""
        return next((Span(place.offset, place.length) for place in self.places if self.complaint(place)), None)

    @cached_property
    def areas(self) -> tuple[NoteArea, ...]:
        return super().areas if self.cut is None else ()

    @cached_property
    def shown(self) -> tuple[WalkedNote, ...]:
        """The notes with the exact name, of any type."""
        return tuple(note for note in self.notes if note.name == NAME)

    @cached_property
    def no_note(self) -> bool:
        return self.opened and self.cut is None and not self.shown

    @property
    def message(self) -> str:
        """Its words if it found no note."""
        return _UNRECOGNIZED if any(note.name == b"QEMU\0" for note in self.notes) else _NO_NOTE

    def lost(self, finder: Finder) -> Span | None:
        """Return what a finder finds in the first area that has it, if there is no VMCOREINFO note."""
        found = (finder(area, self.order) for area in (self.areas if self.no_note else ()))
        return next((span for span in found if span is not None), None)

    @property
    def note(self) -> Span | None:
        return None if self.chosen is None else self.chosen.unpadded

    @cached_property
    def parsed(self) -> DrgnText | None:
        """The text as drgn parses it; None if it does not get that far."""
        return None if self.text is None else DrgnText(self.text)

    @property
    def osrelease(self) -> bytes | None:
        """The release in the text."""
        return None if self.parsed is None else self.parsed.osrelease

    def in_text(self, offset: int, length: int) -> Span | None:
        """Return the span in the file of bytes of the text."""
        return None if self.chosen is None else Span(self.chosen.at + offset, length)


def _named(area: NoteArea, order: ByteOrder, align: int) -> Span | None:
    """Return the first VMCOREINFO note of an area walked with `align`; the last note may lack its padding."""
    notes = walk(area.offset, area.data, order, align, padding=False).notes
    return next((note.unpadded for note in notes if note.name == NAME), None)


def _padded_to_4(area: NoteArea, order: ByteOrder) -> Span | None:
    return _named(area, order, 4) if area.align == 8 else None


def _unpadded(area: NoteArea, order: ByteOrder) -> Span | None:
    return _named(area, order, area.align)


def _other_name(area: NoteArea, order: ByteOrder) -> Span | None:
    return next((note.unpadded for note in area.notes if note.name.startswith(NAME[:-1]) and note.name != NAME), None)


def _buried(area: NoteArea, order: ByteOrder) -> Span | None:
    """Return a whole note header in this byte order before the first VMCOREINFO of an area."""
    at = area.data.find(NAME, HEADER) - HEADER
    if at < 0 or note_header(order).unpack_from(area.data, at)[0] != len(NAME):
        return None
    return Span(area.offset + at, HEADER + align_up(len(NAME)))


def _swapped(area: NoteArea, order: ByteOrder) -> Span | None:
    return _buried(area, "big" if order == "little" else "little")


def _said(r: LibdrgnCore) -> str:
    return r.message


def _said_before(r: LibdrgnCore) -> str:
    """Return the words of a Python KeyError instead of those of ObjectNotFoundError."""
    return _KEY_ERROR if r.message == _NO_NOTE else r.message


def _flattened(r: LibdrgnCore) -> Span | None:
    name = FLATTENED.rstrip(b"\0")
    return Span(0, len(name)) if r.view.head.startswith(name) else None


def _start(r: LibdrgnCore) -> Span:
    return Span(0, min(IDENT.size, r.view.size))


_PROGRAM: Final = "drgn 0.3.0, libdrgn/program.c drgn_program_set_core_dump_fd_internal"
_libelf: Final[RuleRows[LibdrgnCore]] = RuleRows("elfutils 0.196, libelf/", elf_field)
_drgn: Final[RuleRows[LibdrgnCore]] = RuleRows(_PROGRAM, elf_field)
_NOTES: Final = "; elfutils 0.196, libelf/gelf_getnote.c"
_Said = Callable[[LibdrgnCore], str]
_WORDS: Final[tuple[tuple[_Said, Version | None, Version | None], ...]] = (
    (_said, (0, 0, 33), None), (_said_before, None, (0, 0, 33)),
)  # fmt: skip
"""What it prints about a missing note: the words, their first version, and the first with others."""
# fmt: off
_MISSED: Final[tuple[tuple[str, str, str, str, Finder], ...]] = (
    ("N04", "name-not-exact", "",
     "The name of the note must be the eleven bytes VMCOREINFO and a NUL; here it is longer, shorter or has no NUL.",
     _other_name),
    ("C10", "padded-to-eight", _NOTES,
     "p_align 8 says that notes are padded to 8 bytes, but they are padded to 4: drgn misses the note with the text.",
     _padded_to_4),
    ("N08", "other-byte-order", _NOTES,
     "drgn reads the three words of a note's header in the byte order of the ELF header; this note has the other one.",
     _swapped),
    ("N12", "no-padding-at-the-end", _NOTES,
     "The padding of the last note must also be inside PT_NOTE; without it drgn ignores the note.",
     _unpadded),
    ("N15", "lost-among-others", _NOTES,
     "The note is there, but the sizes of the bytes before it lead past its start.",
     _buried),
    ("N02", "broken", _NOTES,
     "A note whose sizes reach past PT_NOTE ends the notes: drgn ignores it and all that follow.",
     broken_note),
)
"""Why it misses the note: cause and name of a rule, where it was read, the reason, and what finds the bytes."""
FLATTENED_RULES: Final = (
    _libelf("C17", "before", "flattened-unknown", "elf_begin.c determine_kind", _NOT_A_CORE,
        "drgn does not know makedumpfile's flattened format.",
        where=_flattened, until=(0, 0, 24)),
    _drgn("C17", "before", "flattened", "", _FLATTENED,
        "drgn does not read makedumpfile's flattened format.",
        where=_flattened, since=(0, 0, 24), until=(0, 0, 25)),
)
"""Before all others."""
CORE_RULES: Final = (
    _libelf("C13", "before", "not-elf", "elf_begin.c determine_kind", _NOT_A_CORE,
        "The file must start with the magic of ELF, class 1 or 2, data 1 or 2 and version 1, and have a whole header.",
        holds=lambda r: r.magic == MAGIC and not r.is_elf, where=_start),
    _libelf("C17", "before", "unknown-file", "elf_begin.c determine_kind", _NOT_A_CORE,
        "The file is neither ELF nor kdump.",
        holds=lambda r: r.magic != MAGIC and not r.is_kdump, where=_start),
    _libelf("C07", "before", "too-many-sections", "elf_begin.c get_shnum", "libelf error: invalid ELF file data",
        "With e_shnum 0, section header 0 has the number of section headers, which must fit in 32 bits.",
        holds=lambda r: r.is_elf and r.too_many_sections, where="e_shoff"),
    _drgn("C04", "before", "not-core", "", _NOT_A_CORE,
        "The type of the file must be ET_CORE (4); drgn treats anything else as a program or a library.",
        holds=lambda r: r.is_elf and not r.too_many_sections and not r.is_core, where="e_type"),
    _libelf("C06", "before", "headers-behind-the-file", "elf_getphdrnum.c", "libelf error: invalid data",
        "The program headers must begin inside the file, but e_phoff points past its end.",
        holds=lambda r: r.is_core and r.headers_behind, where="e_phoff"),
    _libelf("C16", "before", "too-few-headers", "elf32_getphdr.c", "libelf error: invalid data",
        "The file must have room for the number of program headers in e_phnum, or in section 0 instead.",
        holds=lambda r: r.is_core and r.headers_cut, where="e_phnum"),
    _libelf("C02", "before", "notes-behind-the-file", "elf_getdata_rawchunk.c", _CUT,
        "Every PT_NOTE must be whole in the file: p_filesz bytes from p_offset on.",
        where=lambda r: r.cut),
    *(_drgn(cause, "note", name, function, "", why,
            where=partial(LibdrgnCore.lost, finder=finder), says=says, since=since, until=until)
      for cause, name, function, why, finder in _MISSED for says, since, until in _WORDS),
    *(_drgn("N01", "note", "no-note", "", "",
            "There is no note named VMCOREINFO in any PT_NOTE; if there are QEMU's notes, drgn says how to get one.",
            holds=lambda r: r.no_note, says=says, since=since, until=until)
      for says, since, until in _WORDS),
)
# fmt: on
