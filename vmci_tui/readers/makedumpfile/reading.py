"""A file as makedumpfile 1.7.2 (x86-64) reads it: the text, and what is wrong for it (makedumpfile.c initial).

What it prints while it looks for other containers (`read_device: Can't read a file`, for
files of less than 8 KiB) decides nothing and is not part of the words here. FILE is the
file's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_records import PT_NOTE
from vmci_tui.formats.flattened_records import SIGNATURE as FLATTENED
from vmci_tui.knowledge.makedumpfile_releases import need_of
from vmci_tui.readers.makedumpfile.deaths import release_overflows, text_smashes
from vmci_tui.readers.makedumpfile.elf import KERNEL_IMAGE, MakedumpfileElf
from vmci_tui.readers.makedumpfile.kdump_reading import MEMORY, MakedumpfileKdump
from vmci_tui.readers.makedumpfile.notes import CUT, missing_note
from vmci_tui.readers.makedumpfile.text import DEFAULT, KEYS, LINE_ROOM, LOG_KEYS, MakedumpfileText
from vmci_tui.readers.rule import Fault
from vmci_tui.readers.rule_rows import NamedFaults
from vmci_tui.readers.shared.c_numbers import strtol, strtoull
from vmci_tui.readers.version import Version, numbers_text

_EM_X86_64: Final = 62
_SECTION, _SECTION_SIZE = b"SYMBOL(mem_section)", b"SIZE(mem_section)"
_TABLES: Final = (b"SYMBOL(init_level4_pgt)", b"SYMBOL(init_top_pgt)")
_UTSNAMES: Final = (b"SYMBOL(init_uts_ns)", b"SYMBOL(system_utsname)")


def kind_of(rule: str, since: Version) -> str:
    """Return the kind of the faults of a rule in keys that are read since a version."""
    return " ".join((rule, numbers_text(since))).strip()


class MakedumpfileReading(MakedumpfileElf, NamedFaults):
    """A file as makedumpfile reads it, up to the text."""

    @cached_property
    def kdump(self) -> MakedumpfileKdump | None:
        return MakedumpfileKdump(self.view) if self.container == "kdump" else None

    @cached_property
    def place(self) -> tuple[int, int] | None:
        """Offset, which may be negative, and length of the text that it copies."""
        if self.kdump is not None:
            return self.kdump.text_place
        return None if self.found is None else (self.found.desc, self.found.descsz)

    @cached_property
    def copy_fault(self) -> str:
        """Its message if it cannot copy the text into its temporary file; else empty (copy_vmcoreinfo)."""
        if self.place is None:
            return ""
        offset, length = self.place
        if length >= (1 << 31 if self.kdump is None else MEMORY):
            return "copy_vmcoreinfo: Can't allocate buffer for vmcoreinfo. Cannot allocate memory"
        if offset < 0:
            return "copy_vmcoreinfo: Can't seek the dump memory(FILE). Invalid argument"
        return "" if self.has(offset, length) else f"copy_vmcoreinfo: Can't read the dump memory(FILE). {CUT}"

    @cached_property
    def note(self) -> Span | None:
        """The note; in a kdump-compressed file only its text."""
        if self.kdump is not None:
            return None if self.place is None else Span(*self.place)
        return None if self.found is None else self.found.span

    @cached_property
    def text(self) -> bytes | None:
        return None if self.place is None or self.copy_fault or self.xen_fault else self.view.read(*self.place)

    @cached_property
    def parsed(self) -> MakedumpfileText | None:
        return None if self.text is None else MakedumpfileText(self.text)

    @property
    def osrelease(self) -> bytes | None:
        return None if self.parsed is None else self.parsed.basic.release

    @property
    def first(self) -> Mapping[bytes, bytes]:
        """Each key with its first value; empty without a text."""
        return {} if self.parsed is None else self.parsed.first

    def line_span(self, line: bytes) -> Span | None:
        """Return the span of a line of the text in the file."""
        if self.place is None or self.text is None:
            return None
        at = 0 if self.text.startswith(line) else self.text.find(b"\n" + line) + 1
        return Span(self.place[0] + at, len(line))

    def faults(self) -> Iterator[Fault]:
        if self.container == "flattened":
            yield Fault("flattened", "", Span(0, len(FLATTENED)))
        elif self.container == "sadump":
            yield Fault("sadump" if self.sadump_is_sound else "sadump-signature", "", self.sadump_header)
        elif self.kdump is not None:
            yield from self.kdump.faults(self.copy_fault)
            if self.text is not None:
                yield from self.kdump.disagreements(self.text, self.first.get(b"NUMBER(phys_base)"))
        elif (fault := self.head_fault or self.walk.fault) is not None:
            yield fault
        else:
            yield from self._note_faults()
        if self.text is not None and self.place is not None and self.parsed is not None:
            yield from self._text_faults(self.text, self.place[0])
            for rule, words, line, since in self.parsed.complaints:
                yield Fault(kind_of(rule, since), words, self.note if line is None else self.line_span(line))
            if all(complaint.since > DEFAULT for complaint in self.parsed.complaints):
                yield from self._later_faults(self.parsed)

    def _note_faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the notes, if it can walk them."""
        xen, text, segment = self.walk.xen, self.walk.xen_text, self.note_segment
        if xen is not None and self.xen_fault:
            yield Fault("xen-note-broken", self.xen_fault, xen.span)
        if xen is not None and text is not None and text.descsz:
            yield Fault("xen-text", "", text.span)
        if self.found is None and segment is not None:
            others = (each for each in self.table[:64].of_type(PT_NOTE) if each != segment)
            rule, span = missing_note(self.view, self.walk, segment, others)
            yield Fault(rule, self.words_without_note, span)
        elif self.copy_fault:
            yield Fault("text-cut-off", self.copy_fault, self.note)

    def _text_faults(self, text: bytes, start: int) -> Iterator[Fault]:
        """Yield what in the text it reads differently, or dies of. `start`: the text's offset in the file."""
        release = b"OSRELEASE=" + (self.osrelease or b"")
        if text_smashes(text):
            yield Fault("text-on-the-stack", "", self.note)
        if release_overflows(self.osrelease or b""):
            yield Fault("release-overflows", "", self.line_span(release))
        if b"\0" in text:
            yield Fault("nul", "", Span(start + text.index(b"\0"), 1))
        longest = max(text.split(b"\n"), key=len)
        if len(longest) >= LINE_ROOM - 1:
            yield Fault("long-line", "", self.line_span(longest))
        pairs = () if self.parsed is None or len(self.parsed.pairs) == len(self.first) else self.parsed.pairs
        for key, value in pairs:
            if self.first[key] != value and key in KEYS:
                yield Fault("first-counts", "", self.line_span(key + b"=" + value))
                break

    def _later_faults(self, parsed: MakedumpfileText) -> Iterator[Fault]:
        """Yield what it fails of after it has printed the text."""
        keys, page_size = parsed.first, parsed.basic.page_size or 0
        section, size = strtoull(keys.get(_SECTION, b""), 16).value, strtol(keys.get(_SECTION_SIZE, b""), 10).value
        if keys.keys().isdisjoint(_TABLES):
            if self.kdump is None:
                native, machine = self.header.machine == _EM_X86_64, self.form.span("e_machine")
            else:
                native, machine = self.kdump.is_x86_64, self.kdump.field("utsname.machine")
            yield Fault("no-page-tables", "", self.note) if native else Fault("other-machine", "", machine)
        if keys.keys().isdisjoint(_UTSNAMES):
            yield Fault("no-utsname", "", self.note)
        if b"SYMBOL(prb)" in keys and any(map(parsed.missing, LOG_KEYS)):
            yield Fault("log-keys-missing", "", self.note)
        if 0xFFFF800000000000 <= section < KERNEL_IMAGE and section < (self.page_offset or 0):
            yield Fault("linear-map-after-the-last-header", "", self.form.span("e_phnum"))
        need = need_of(self.osrelease or b"")
        if need is not None:
            yield Fault(f"kernel-{need.since}", "", self.line_span(b"OSRELEASE=" + (self.osrelease or b"")))
        if 0 < page_size < size:
            yield Fault("pagesize-below-a-section", "", self.note)
