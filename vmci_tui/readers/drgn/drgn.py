"""drgn: `prog.set_core_dump(FILE)`, then `prog["VMCOREINFO"]`; ELF by its own reader, kdump by its libkdumpfile."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, align_up, note_header
from vmci_tui.formats.elf_records import ET_CORE, IDENT, MAGIC
from vmci_tui.readers.drgn.memory import DrgnMemory
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libdrgn.text import KEYS, DrgnText, lines
from vmci_tui.readers.libdrgn.text_rules import TEXT_RULES
from vmci_tui.readers.libelf.core_file import CoreFile, CoreNote, CoreNoteArea, walk
from vmci_tui.readers.libkdumpfile.context import OpeningDump
from vmci_tui.readers.libkdumpfile.file_cache import Stopped
from vmci_tui.readers.libkdumpfile.guest_rules import ELF_MEMORY_RULES, ELF_RULES, GUEST_RULES
from vmci_tui.readers.libkdumpfile.kdump_rules import KDUMP_MACHINE_RULES, KDUMP_MEMORY_RULES, KDUMP_RULES
from vmci_tui.readers.libkdumpfile.open_kdump import OpeningKdump, run_of
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult, Reader, RuleHit, Rules, why
from vmci_tui.readers.utsname_probe import probe

NOT_A_CORE: Final = "not an ELF core file"
NO_QEMU_NOTE: Final = "could not find 'VMCOREINFO'"
UNRECOGNIZED: Final = (
    "unrecognized QEMU memory dump; for Linux guests, run QEMU with '-device vmcoreinfo', compile the kernel with "
    "CONFIG_FW_CFG_SYSFS and CONFIG_KEXEC, and load the qemu_fw_cfg kernel module before dumping the guest memory "
    "(requires Linux >= 4.17 and QEMU >= 2.11)"
)
_PROGRAM: Final = "drgn 0.3.0, libdrgn/program.c drgn_program_set_core_dump_fd_internal"


class DrgnReading:
    """A file as drgn reads it, up to the end of the text."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.core = CoreFile(view)

    @cached_property
    def kdump(self) -> OpeningKdump | None:
        """The result of libkdumpfile, which opens kdump formats for drgn; None for all other files."""
        return run_of(self.view)

    @property
    def stopped(self) -> Stopped | None:
        """Where libkdumpfile stopped."""
        return None if self.kdump is None else self.kdump.stopped

    @cached_property
    def is_elf(self) -> bool:
        return self.core.is_elf and self.core.sections_claimed < 1 << 32

    @cached_property
    def is_core(self) -> bool:
        return self.is_elf and self.core.header.type == ET_CORE

    @cached_property
    def opened(self) -> bool:
        """Whether all notes could be read."""
        return self.is_core and self.core.count is not None and self.core.bad_segment is None

    @cached_property
    def areas(self) -> tuple[CoreNoteArea, ...]:
        return self.core.areas if self.opened else ()

    @cached_property
    def place(self) -> CoreNote | None:
        """The last note with the exact name, of any type."""
        notes = (note for area in self.areas for note in area.notes if note.namesz == len(NAME) and note.name == NAME)
        return next(iter([*notes][-1:]), None)

    @property
    def note(self) -> Span | None:
        if self.kdump is not None:
            note = self.kdump.note
            return None if note is None else self.kdump.span_in_file(note.offset, note.unpadded.length)
        return self.place and self.place.span

    @cached_property
    def text(self) -> bytes | None:
        if self.kdump is not None:
            return self.kdump.text
        return None if self.place is None else self.view.read(self.place.desc, self.place.descsz)

    @cached_property
    def parsed(self) -> DrgnText | None:
        if self.kdump is not None:
            return parsed_of(self.kdump)
        return None if self.text is None else DrgnText(self.text)

    @property
    def osrelease(self) -> bytes | None:
        """The release that drgn stores; None if it refuses the text, or the machine is not known."""
        if self.kdump is not None and self.kdump.arch is None:
            return None
        return None if self.parsed is None or self.parsed.refused else self.parsed.osrelease

    @cached_property
    def no_note(self) -> str | None:
        """drgn's message if it found no note; None if it did, or did not get that far."""
        if not self.opened or self.place is not None:
            return None
        qemu = any(note.namesz == 5 and note.name == b"QEMU\0" for area in self.areas for note in area.notes)
        return UNRECOGNIZED if qemu else NO_QEMU_NOTE

    def in_text(self, offset: int, length: int) -> Span | None:
        """Return the span in the file of bytes of the text."""
        if self.kdump is not None:
            return self.kdump.span_of(offset, length)
        return None if self.place is None else Span(self.place.desc + offset, length)


def parsed_of(run: OpeningDump | None) -> DrgnText | None:
    """Return the text that drgn gets from libkdumpfile, a C string with its NUL; None if there is none."""
    if run is None or run.stopped or run.text is None:
        return None
    return DrgnText(run.text.split(b"\0", 1)[0] + b"\0")


def shown_length(parsed: DrgnText | None) -> int:
    """Return the length of such a string."""
    return 0 if parsed is None else len(parsed.raw) - 1


rule: Rules[DrgnReading] = Rules()


rule.all.extend((*KDUMP_RULES, *ELF_RULES))


@rule("C13", "before", NOT_A_CORE, "elfutils 0.196, libelf/elf_begin.c determine_kind")
@why("The file must start with the magic of ELF, class 1 or 2, data 1 or 2 and version 1, and have a whole header.")
def _not_elf(r: DrgnReading) -> RuleHit | None:
    return (
        None if r.core.is_elf or not r.view.head.startswith(MAGIC) else RuleHit(Span(0, min(IDENT.size, r.view.size)))
    )


@rule("C17", "before", NOT_A_CORE, "elfutils 0.196, libelf/elf_begin.c determine_kind")
@why("The file is neither ELF nor kdump.")
def _unknown_file(r: DrgnReading) -> RuleHit | None:
    known = r.view.head.startswith(MAGIC) or r.kdump is not None
    return None if known else RuleHit(Span(0, min(IDENT.size, r.view.size)))


@rule("C07", "before", "libelf error: invalid ELF file data", "elfutils 0.196, libelf/elf_begin.c get_shnum")
@why("With e_shnum 0, e_shoff leads to the number of section headers, which must fit in 32 bits.")
def _too_many_sections(r: DrgnReading) -> RuleHit | None:
    return RuleHit(r.core.form.span("e_shoff")) if r.core.is_elf and not r.is_elf else None


@rule("C04", "before", NOT_A_CORE, _PROGRAM)
@why("The type of the file must be ET_CORE (4); drgn takes anything else as a program or a library.")
def _not_core(r: DrgnReading) -> RuleHit | None:
    return RuleHit(r.core.form.span("e_type")) if r.is_elf and not r.is_core else None


@rule("C06", "before", "libelf error: invalid data", "elfutils 0.196, libelf/elf_getphdrnum.c")
@why("The program headers must begin inside the file, but e_phoff points past its end.")
def _headers_behind_the_file(r: DrgnReading) -> RuleHit | None:
    return RuleHit(r.core.form.span("e_phoff")) if r.is_core and r.core.header.phoff >= r.view.size else None


@rule("C16", "before", "libelf error: invalid data", "elfutils 0.196, libelf/elf32_getphdr.c")
@why("The file must have room for the number of program headers in e_phnum, or in section 0 instead.")
def _too_few_headers(r: DrgnReading) -> RuleHit | None:
    few = r.is_core and r.core.count is None and r.core.header.phoff < r.view.size
    return RuleHit(r.core.form.span("e_phnum")) if few else None


@rule("C02", "before", "libelf error: invalid operation", "elfutils 0.196, libelf/elf_getdata_rawchunk.c")
@why("Every PT_NOTE must be whole in the file: p_filesz bytes from p_offset on.")
def _notes_behind_the_file(r: DrgnReading) -> RuleHit | None:
    bad = r.core.bad_segment if r.is_core and r.core.count is not None else None
    return None if bad is None else RuleHit(Span(bad.offset, bad.filesz))


_NOTES: Final = f"{_PROGRAM}; elfutils 0.196, libelf/gelf_getnote.c"


def _note_missed(r: DrgnReading, places: list[CoreNote]) -> RuleHit | None:
    return RuleHit(places[0].span, r.no_note) if r.no_note and places else None


@rule("N04", "note", "", _PROGRAM)
@why("The name of the note must be the eleven bytes VMCOREINFO and a NUL; here it is longer, shorter or has no NUL.")
def _name_not_exact(r: DrgnReading) -> RuleHit | None:
    return _note_missed(r, [n for a in r.areas for n in a.notes if n.name.startswith(NAME[:-1]) and n.name != NAME])


@rule("C10", "note", "", _NOTES)
@why("p_align 8 says that notes are padded to 8 bytes, but they are padded to 4: drgn misses the note with the text.")
def _padded_to_eight(r: DrgnReading) -> RuleHit | None:
    by_eight = [a for a in r.areas if a.segment.align == 8]
    return _note_missed(r, [n for a in by_eight for n in _walked(r, a, 4) if n.name == NAME])


@rule("N08", "note", "", _NOTES)
@why("drgn reads the three words of a note's header in the byte order of the ELF header; this note has the other one.")
def _other_byte_order(r: DrgnReading) -> RuleHit | None:
    return _note_missed(r, _buried(r, swapped=True))


@rule("N12", "note", "", _NOTES)
@why("The padding of the last note must also be inside PT_NOTE; without it drgn ignores the note.")
def _no_padding_at_the_end(r: DrgnReading) -> RuleHit | None:
    return _note_missed(
        r, [n for a in r.areas for n in _walked(r, a, 8 if a.segment.align == 8 else 4) if n.name == NAME]
    )


@rule("N15", "note", "", _NOTES)
@why("The note is there, but the sizes of the bytes before it lead past its start.")
def _lost_among_others(r: DrgnReading) -> RuleHit | None:
    return _note_missed(r, _buried(r, swapped=False))


@rule("N02", "note", "", _NOTES)
@why("A note whose sizes lead out of PT_NOTE ends the notes: drgn ignores it and all that follow.")
def _broken(r: DrgnReading) -> RuleHit | None:
    broken = [(a, a.broken) for a in r.areas if a.broken is not None]
    if not r.no_note or not broken:
        return None
    area, at = broken[0]
    return RuleHit(Span(at, area.segment.offset + len(area.data) - at), r.no_note)


@rule("N01", "note", "", _PROGRAM)
@why("There is no note named VMCOREINFO in any PT_NOTE; if there are QEMU's notes, drgn says how to get one.")
def _no_note(r: DrgnReading) -> RuleHit | None:
    return RuleHit(None, r.no_note) if r.no_note else None


def _walked(r: DrgnReading, area: CoreNoteArea, align: int) -> list[CoreNote]:
    """Return the notes of an area walked with another alignment; the last one may lack its padding."""
    moved, at = walk(area.data, r.core.order, align, tail=False)[0], area.segment.offset
    return [n._replace(offset=n.offset + at, desc=n.desc + at) for n in moved if n.namesz == len(NAME)]


def _buried(r: DrgnReading, swapped: bool) -> list[CoreNote]:
    """Return whole headers with the name VMCOREINFO anywhere in the note areas.

    `swapped`: those whose byte order is not the file's.
    """
    found, header = [], note_header("big" if (r.core.order == "little") == swapped else "little")
    for area in r.areas:
        at = area.data.find(NAME, HEADER)
        if at >= 0 and header.unpack_from(area.data, at - HEADER)[0] == len(NAME):
            start = area.segment.offset + at - HEADER
            found.append(CoreNote(start, len(NAME), NAME, 0, start + HEADER + align_up(len(NAME)), 0))
    return found


rule.all.extend((*GUEST_RULES, *KDUMP_MEMORY_RULES, *ELF_MEMORY_RULES, *TEXT_RULES, *KDUMP_MACHINE_RULES))


@rule("T03", "after", "", "drgn 0.3.0, Object.string_()")
@why("drgn reads the text beyond a NUL, but prints it only up to the NUL: the printed part has no OSRELEASE.")
def _ends_before_the_release(r: DrgnReading) -> RuleHit | None:
    text = b"" if r.kdump is not None else r.text or b""
    end = text.find(b"\0")
    if end < 0 or b"OSRELEASE=" not in text or b"OSRELEASE=" in text[:end]:
        return None
    return RuleHit(r.in_text(end, 1), text[:end].decode("latin-1"))


def _accepted(r: DrgnReading) -> str:
    length = len(r.text or b"") if r.kdump is None else shown_length(r.parsed)
    return f"prog['VMCOREINFO'] has {length} bytes of text"


def reads(r: DrgnReading) -> ProbeResult:
    """Probe memory: by p_vaddr and page tables in an ELF dump, by libkdumpfile in a kdump."""
    if r.kdump is not None:
        return r.kdump.reads()
    if r.parsed is None:
        return NOT_KNOWN
    return probe(r.parsed.raw, DrgnMemory(r.view, r.core, r.parsed).read)


READER: Final = Reader(
    name="drgn",
    version="0.3.0",
    command="drgn -c FILE -e \"print(prog['VMCOREINFO'].string_().decode())\"",
    read=DrgnReading,
    rules=tuple(rule.all),
    accepted=_accepted,
    lines=lines,
    keys=KEYS,
    reads=reads,
    known=("0.0.20", "0.0.21", "0.0.22", "0.0.25", "0.0.28", "0.0.30", "0.0.31", "0.0.33", "0.1.0", "0.2.0", "0.3.0"),
)
