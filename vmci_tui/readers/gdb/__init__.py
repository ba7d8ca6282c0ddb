"""gdb: `gdb -batch -c FILE` accepts where it opens the file as a core: it then shows registers and memory.

It takes the CPUs for threads, and does not look for VMCOREINFO: a walk over the notes that ends
early is the only fault of a note that matters. Source: gdb 13.1, bfd/elfcore.h and bfd/elf.c,
gdb/corelow.c; run: 10.1, 13.1, 16.3, 18.1, builds for x86-64.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, align_up, note_header
from vmci_tui.formats.elf_records import EI_CLASS, EI_DATA, ET_CORE, IDENT, MAGIC, PN_XNUM
from vmci_tui.readers.rule import Reader
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.elf_notes import (
    NoteArea,
    WalkedNote,
    broken_note,
    byte_swapped,
    other_container,
    padded_to_4,
    shifted,
)
from vmci_tui.readers.shared.elf_program import ElfProgram, Place, elf_field

_VERSION: Final = "13.1"
_REFUSED: Final = '"FILE" is not a core dump: file format not recognized'
_SYSTEMS: Final = {2: "NetBSD", 6: "Solaris", 9: "FreeBSD", 13: "OpenVMS"}
"""Values of EI_OSABI for systems that it knows, but was not built for."""
_LITTLE: Final = ((64, 62), (32, 62), (32, 3))
"""Classes and machines that it knows as little-endian."""
_CPU: Final = 1
"""NT_PRSTATUS, the type of a CPU's note."""
_OWN: Final = {(64, 62): {296: 24, 336: 32}, (32, 62): {296: 24}, (32, 3): {144: 24}}
"""By class and machine: lengths of a CPU's note, and where in it the number of the thread is."""
_NATIVE: Final = {144: 24, 336: 32}
"""The same for every other machine: the structures of the x86-64 host, read as such."""
_OTHERS: Final = (b"FreeBSD", b"NetBSD-CORE", b"OpenBSD", b"QNX", b"SPU/", b"GNU")
"""Names of notes that it reads in ways of their own."""


class Gdb(ElfProgram):
    """The file as gdb reads it."""

    padding_counts = False

    @property
    def shown(self) -> tuple[WalkedNote, ...]:
        """None: it does not look for VMCOREINFO."""
        return ()

    @property
    def damaged(self) -> Span | None:
        """The byte of e_ident that has no valid value."""
        return next((Span(at, 1) for at in (EI_CLASS, EI_DATA) if self.view.head[at] not in (1, 2)), None)

    @property
    def system(self) -> int:
        """EI_OSABI."""
        return IDENT.part("EI_OSABI", self.view.head)[0]

    @property
    def no_core(self) -> bool:
        """Whether e_type is not ET_CORE."""
        return self.is_elf and self.damaged is None and self.header.type != ET_CORE

    @property
    def opened(self) -> bool:
        return self.is_elf and self.damaged is None and self.header.type == ET_CORE and self.header.phoff > 0

    @property
    def has_table(self) -> bool:
        return self.header.phentsize == self.form.segment.size and super().has_table

    @property
    def section_missing(self) -> bool:
        """Whether the number of program headers should be in section 0, which is not in the file."""
        return self.opened and self.header.phnum == PN_XNUM and self.header.shoff > 0 and self.first_section is None

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for place in super().places if place.length)

    def complaint(self, place: Place) -> str:
        return "" if self.has(place.offset, place.length) and max(place.align, 4) in (4, 8) else _REFUSED

    def broken(self, area: NoteArea) -> str:
        return "" if area.broken is None or self._ends_in_name(area, area.broken) else _REFUSED

    def _ends_in_name(self, area: NoteArea, at: int) -> bool:
        """Whether the note at this offset has no descriptor: then the padding of its name may be missing."""
        rest = len(area.data) - at
        if rest < HEADER:
            return False
        name, desc, _ = note_header(self.order).unpack_from(area.data, at)
        return not desc and HEADER + name <= rest < align_up(HEADER + name, area.align)

    @cached_property
    def wrong(self) -> tuple[NoteArea, ...]:
        """The areas whose walk ends early."""
        return tuple(area for area in self.areas if self.broken(area))

    @property
    def missed(self) -> bool:
        return bool(self.wrong)

    @property
    def misaligned(self) -> Span | None:
        bad = (place for place in self.places if max(place.align, 4) not in (4, 8))
        return next((Span(min(each.offset, self.view.size), 0) for each in bad), None)

    @property
    def other_note(self) -> Span | None:
        """The first note of another system that it may not take, or of GNU: properties, or an empty build ID."""
        others = (note for note in self.notes if note.name.startswith(_OTHERS))
        return next(
            (n.span for n in others if not n.name.startswith(b"GNU") or n.type == 5 or (n.type == 3 and not n.desc)),
            None,
        )

    @cached_property
    def threads(self) -> tuple[tuple[int, Span], ...]:
        """The CPUs, which it takes for threads: number and note. 0 means the number of the process.

        Source: bfd/elf.c elfcore_grok_prstatus and elfcore_make_pid.
        """
        out, process = [], 0
        own = _OWN.get((self.bits, self.header.machine), {})
        for note in self.notes:
            size = len(note.desc)
            if note.type != _CPU or note.name.startswith(_OTHERS) or not (at := own.get(size) or _NATIVE.get(size)):
                continue
            number = int.from_bytes(note.desc[at : at + 4], self.order if size in own else "little")
            if size not in own:
                process = process or number
            out.append((number or process, note.span))
        return tuple(out)

    @property
    def twice(self) -> Span | None:
        """The first CPU note with the number of the first one."""
        return next((span for number, span in self.threads[1:] if number == self.threads[0][0]), None)


row: Final[RuleRows[Gdb]] = RuleRows(f"gdb {_VERSION}, ", elf_field)
# fmt: off
_RULES: Final = (
    row("C17", "before", "another-container", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "gdb opens ELF files only; this is a kdump-compressed or flattened dump.",
        where=lambda r: other_container(r.view.head)),
    row("C13", "before", "magic", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        r"The first four bytes are not \x7fELF.",
        holds=lambda r: r.magic != MAGIC, where=lambda _: IDENT.span("magic")),
    row("C02", "before", "too-short", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "The file ends inside the ELF header, which has 64 bytes (52 in a 32-bit file).",
        holds=lambda r: r.magic == MAGIC and not r.is_elf, where=lambda r: Span(0, r.view.size)),
    row("C13", "before", "ident", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "EI_CLASS and EI_DATA must be 1 or 2.",
        where=lambda r: r.damaged if r.is_elf else None),
    row("C13", "before", "byte-order", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "EI_DATA names the wrong byte order (e_version reads as 0x1000000), so e_type does not read as ET_CORE.",
        holds=lambda r: r.no_core and r.header.version == 0x01000000, where="EI_DATA"),
    row("C13", "before", "order-of-machine", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "The file is big-endian, but e_machine is x86-64 or i386, which are little-endian.",
        holds=lambda r: r.opened and r.order == "big" and (r.bits, r.header.machine) in _LITTLE, where="EI_DATA",
        until=(13, 1)),
    row("C04", "before", "type", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "e_type must be ET_CORE.",
        holds=lambda r: r.no_core, where="e_type"),
    row("C06", "before", "no-headers", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "e_phoff must not be 0.",
        holds=lambda r: r.is_elf and not r.header.phoff, where="e_phoff"),
    row("C05", "before", "entry-size", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "e_phentsize must be the length of a program header.",
        holds=lambda r: r.opened and r.header.phentsize != r.form.segment.size, where="e_phentsize"),
    row("C16", "before", "no-section", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "e_phnum is 0xffff, but section 0, which has the true number, is not in the file.",
        holds=lambda r: r.section_missing, where="e_shoff"),
    row("C16", "before", "table-cut", "bfd/elfcore.h elf_core_file_p", _REFUSED,
        "The file is not large enough for e_phnum program headers.",
        holds=lambda r: r.opened and r.phnum > 0 and not r.has(r.phoff, r.phnum * r.form.segment.size),
        where="e_phnum"),
    row("C02", "note", "notes-cut", "bfd/elf.c elf_read_notes", _REFUSED,
        "A PT_NOTE reaches past the end of the file.",
        where=lambda r: r.cut_off),
    row("C10", "note", "alignment", "bfd/elf.c elf_parse_notes", _REFUSED,
        "p_align of a PT_NOTE must be 0 to 4, or 8.",
        where=lambda r: r.misaligned),
    row("C10", "note", "padded-to-4", "bfd/elf.c elf_parse_notes", _REFUSED,
        "p_align is 8, so gdb looks for each note at a multiple of 8; the kernel pads notes to 4.",
        where=lambda r: r.fault(padded_to_4)),
    row("N08", "note", "byte-swapped", "bfd/elf.c elf_parse_notes", _REFUSED,
        "The byte order of a note's header is not that of the file.",
        where=lambda r: r.fault(byte_swapped)),
    row("N15", "note", "shifted", "bfd/elf.c elf_parse_notes", _REFUSED,
        "Zero bytes before a note are not a multiple of a note header, so it is looked for at a wrong place.",
        where=lambda r: r.fault(shifted)),
    row("N02", "note", "broken", "bfd/elf.c elf_parse_notes", _REFUSED,
        "A note claims more bytes than there are.",
        where=lambda r: r.fault(broken_note)),
    row("N02", "note", "too-many-notes", "bfd/elf.c elf_parse_notes", "",
        "There are more notes than vmci follows; gdb would continue.",
        holds=lambda r: r.too_many_notes, observed=False),
    row("N16", "note", "other-system", "bfd/elf.c elf_parse_notes", "",
        "A note has a name of FreeBSD, NetBSD, OpenBSD, QNX, SPU or GNU; gdb reads it as theirs, and may give up.",
        where=lambda r: r.other_note, observed=False),
    row("C13", "before", "system", "gdb/corelow.c core_target_open", '"FILE": Core file format not supported',
        "EI_OSABI names a system that gdb was not built for: NetBSD, Solaris, FreeBSD or OpenVMS.",
        holds=lambda r: r.opened and r.system in _SYSTEMS, where="EI_OSABI"),
    row("N16", "note", "thread-twice", "gdb/corelow.c add_to_thread_list", "The current thread has terminated",
        "Another CPU has the number of the first one: gdb ends the first thread, which it is just showing.",
        where=lambda r: r.twice, until=(16, 3)),
    row("N16", "note", "thread-again", "gdb/corelow.c add_to_thread_list", "killed by SIGABRT",
        "Another CPU has the number of the first one, and it is not 0: gdb finds an error of its own and ends.",
        where=lambda r: r.twice if r.threads and r.threads[0][0] else None, since=(16, 3)),
)
# fmt: on


def _accepted(r: Gdb) -> str:
    """Return its line about the last thread, or what it shows if there is none."""
    return f"[New LWP {r.threads[-1][0]}]" if r.threads else "#0  <unavailable> in ?? ()"


READER: Final = Reader(
    "gdb",
    _VERSION,
    "gdb -batch -c FILE",
    Gdb,
    rules_of=lambda _: _RULES,
    accepted=_accepted,
    lines=lambda _: {},  # it does not read the text
    keys={},
    known=("10.1", _VERSION, "16.3", "18.1"),
)
