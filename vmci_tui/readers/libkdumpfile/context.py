"""The state of libkdumpfile while it opens a dump: the text, its numbers, the machine, the page size.

It is the same for every container; `OpeningElf` and `OpeningKdump` add how each is opened.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile import lowcore
from vmci_tui.readers.libkdumpfile.addrxlat.setup import KernelFacts, Translation
from vmci_tui.readers.libkdumpfile.arch import arch_facts
from vmci_tui.readers.libkdumpfile.elf_pages import Corrupt, DumpMemory, Missing, Untranslated
from vmci_tui.readers.libkdumpfile.file_cache import Killed, ReadFailed, Stopped, Windows
from vmci_tui.readers.libkdumpfile.vmcoreinfo import BASES, CACHE_PAGES, number_of, used_lines, version_code
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult
from vmci_tui.readers.shared.elf_notes import WalkedNote
from vmci_tui.readers.shared.text_lines import TextLine
from vmci_tui.readers.utsname_probe import ReadFailure, probe

OSTYPE: Final = "kdump_set_string_attr(KDUMP_ATTR_OSTYPE): "
"""drgn's words before those of libkdumpfile when it sets the system's type."""


@cache
def _qemu_cpu_state(order: ByteOrder) -> NamedStruct:
    """Return struct QEMUCPUState of x86-64, up to the control registers."""
    return NamedStruct.of(order, ("version", "size", "cr3", "cr4"), ("I", "I", "408xQ", "Q"))


class DotInFront(Exception):
    """A key that begins with a dot: the process dies in the search for its parent."""

    def __init__(self, span: Span | None) -> None:
        super().__init__("dot in front")
        self.span = span


class OpeningDump:
    """The state while a dump is opened. `order`: the file's byte order; `arch`: libkdumpfile's name of the machine."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.windows = Windows(view)
        self.stopped: Stopped | None = None
        self.note: WalkedNote | None = None
        """The note whose text it stores."""
        self.text: bytes | None = None
        self.from_memory = False
        """Whether the text is from memory and not from the note (s390x)."""
        self.order: ByteOrder = "little"
        self.arch: str | None = None
        self.page_size: int | None = None
        self.cache = False
        """Whether it allocated room for pages."""
        self.release: bytes | None = None
        self._pae = False
        self._values: dict[bytes, int] = {}
        self._phys_base: int | None = None
        self._qemu_cpus = 0
        self._control: tuple[int, int] | None = None
        self.memory: DumpMemory | None = None
        """Pages of the guest; None until they can be read."""

    def take(self, text: bytes, before: str) -> None:
        """Parse a text (vmcoreinfo_raw_post_hook). Raises Stopped and DotInFront."""
        self.text, self._values = text, {}
        for line in used_lines(text):
            if not line.key:
                raise DotInFront(self.span_of(line.offset, line.length))
            if line.key == b"PAGESIZE":
                self._set_page_size(line, before + "Cannot set VMCOREINFO: Cannot set VMCOREINFO 'PAGESIZE': ")
            elif line.key == b"OSRELEASE":
                self.release = line.value
            elif line.key == b"CONFIG_X86_PAE":
                self._pae = line.value == b"y"
            else:
                self._set_number(line.key, line.value)

    def value(self, key: bytes) -> int | None:
        """Return the number of a key of vmcoreinfo.BASES; None if the text lacks it."""
        return self._values.get(key)

    def _set_number(self, key: bytes, value: bytes) -> None:
        number = number_of(value, BASES[key])
        if number is not None:
            self._values[key] = number
            if key == b"NUMBER(phys_base)":
                self._phys_base = number

    def _set_page_size(self, line: TextLine, before: str) -> None:
        size = number_of(line.value, 10)
        if size is None or size == self.page_size:
            return
        before += "Cannot set page size: "
        span = self.span_of(line.offset, line.length)
        if size & (size - 1):
            raise Stopped("page-size", f"{before}Invalid page size: {size}", span)
        try:
            self.windows.allocate(CACHE_PAGES * size % (1 << 64))
        except ReadFailed as failed:
            words = f"{before}Cannot allocate cache ({CACHE_PAGES} * {size} bytes): {failed}"
            raise Stopped("page-size-too-big", words, span) from None
        self.page_size, self.cache = size, True

    def in_file(self, span: Span | None) -> Span | None:
        """Return the bytes in the file itself; another place only in a flattened file."""
        return span

    def span_of(self, offset: int, length: int) -> Span | None:
        """Return the span in the file of bytes of the text."""
        if self.note is None or self.from_memory:
            return None
        return self.in_file(Span(self.note.at + offset, length))

    @property
    def note_span(self) -> Span | None:
        """The note in the file."""
        return None if self.note is None else self.in_file(self.note.unpadded)

    def check_cpu(self, note: WalkedNote, before: str) -> None:
        """Check the length of a CPU's registers, and on x86-64 also QEMU's own note. Raises Stopped."""
        name, length = note.name.removesuffix(b"\0"), len(note.desc)
        if name == b"CORE" and note.type == 1 and length < arch_facts(self.arch).prstatus:
            raise Stopped("cpu-note", f"{before}Wrong PRSTATUS size: {length}", note.unpadded)
        if name == b"QEMU" and note.type == 0 and self.arch == "x86_64":
            self._qemu_cpu(note, before)

    def _qemu_cpu(self, note: WalkedNote, before: str) -> None:
        """Check QEMU's CPU note; only version 1 of the struct is read."""
        words, state, length = "", _qemu_cpu_state(self.order), len(note.desc)
        version, size, cr3, cr4 = state.unpack(note.desc[: state.size].ljust(state.size, b"\0"))
        if length < 4 or (version == 1 and length < state.size):
            words = f"QEMUCPUState too short: {length} bytes"
        elif version == 1 and size > length:
            words = f"QEMUCPUState size {size} > note size {length}"
        if words:
            raise Stopped("qemu-cpu-note", f"{before}{words}", note.unpadded)
        if not self._qemu_cpus and version == 1:
            self._control = cr3, cr4
        self._qemu_cpus += 1

    def kernel(self, memory: DumpMemory) -> None:
        """Make `memory` readable by virtual addresses of this kernel."""
        values = dict(self._values)
        if self._phys_base is not None:
            values[b"NUMBER(phys_base)"] = self._phys_base
        kernel = KernelFacts(self.arch or "", self.order, memory, values, self.release, self._pae, self._control)
        translation = Translation(kernel)
        memory.budget = self.view.budget

        def translate(address: int) -> int:
            self._check_version(OSTYPE)
            return translation(address)

        self._translation, memory.translate = translation, translate

    def _check_version(self, before: str) -> None:
        if self.release is not None and version_code(self.release) is None:
            release = self.release.decode("latin-1")
            raise Stopped("release", f"{before}Cannot get linux.version_code: Invalid kernel version: {release}")

    def adopt(self, memory: DumpMemory) -> None:
        """Take the text from memory on s390x, by pointers at fixed addresses (s390x_post_ostype)."""
        before = f"{OSTYPE}Cannot read LC_OS_INFO pointer: "
        self._check_version(before)
        try:
            self._translation.make()
        except (Untranslated, Corrupt) as failed:
            raise Stopped("no-lowcore", f"{before}{failed}") from None
        try:
            found = lowcore.text_of(memory, self.order)
        except (Missing, Corrupt) as failed:
            raise Stopped("no-lowcore", f"{OSTYPE}{failed}") from None
        if found is not None:
            self.from_memory = True
            self.take(found, OSTYPE)
            memory.page_size = self.page_size or 0
            self.kernel(memory)

    def reads(self) -> ProbeResult:
        """Probe whether drgn reads kernel memory through it (kdump_read of KDUMP_KVADDR)."""
        if self.memory is None:
            return NOT_KNOWN
        try:
            return probe(self.text, self._read)
        except Stopped as stopped:
            return (
                ProbeResult(False, stopped.words) if stopped.words else NOT_KNOWN
            )  # without words: no decompressor here

    def _read(self, address: int, length: int) -> bytes:
        assert self.memory is not None
        try:
            return self.memory.read("virtual", address, length)
        except (Missing, Untranslated, Corrupt, ReadFailed) as failed:
            raise ReadFailure(f"could not read memory from kdump: {failed}: {address:#x}") from None
        except Killed as killed:
            raise ReadFailure(f"killed by {killed}") from None
