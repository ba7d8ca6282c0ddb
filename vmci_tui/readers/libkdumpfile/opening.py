"""What libkdumpfile knows while it opens a dump: the text, its numbers, the machine, the page size.

It is the same for every container; `OpeningElf` and `OpeningKdump` add how each is opened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import ClassVar, Final
from weakref import ref

from vmci_tui.common.named_struct import NamedStruct
from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.machines.facts import Libkdumpfile
from vmci_tui.machines.table import MACHINES
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile import lowcore
from vmci_tui.readers.libkdumpfile.addrxlat.setup import KernelFacts, Translation
from vmci_tui.readers.libkdumpfile.file_cache import OSTYPE, Killed, ReadFailed, Stopped, Windows
from vmci_tui.readers.libkdumpfile.memory import Corrupt, DumpMemory, Missing, Untranslated
from vmci_tui.readers.libkdumpfile.releases import NEW_MACHINES, Release
from vmci_tui.readers.libkdumpfile.vmcoreinfo import BASES, CACHE_PAGES, number_of, used_lines, version_code
from vmci_tui.readers.rule import NOT_KNOWN, ProbeResult
from vmci_tui.readers.shared.elf_notes import WalkedNote
from vmci_tui.readers.shared.text_lines import TextLine
from vmci_tui.readers.utsname_probe import ReadFailure, probe

_PHYS_BASE: Final = b"NUMBER(phys_base)"


def machine_of_uname(machine: bytes, library: Release) -> Libkdumpfile:
    """Return the machine of a utsname (util.c machine_arch_name): any other name with arm in front is arm."""
    if machine.startswith(b"riscv") and not library.new_machines:
        return Libkdumpfile()
    known = (row.libkdumpfile for row in MACHINES.values())
    other = MACHINES["arm"].libkdumpfile if machine.startswith(b"arm") else Libkdumpfile()
    return next((row for row in known if machine in row.uname), other)


@cache
def _qemu_cpu_state(order: ByteOrder) -> NamedStruct:
    """Return struct QEMUCPUState of x86-64, up to the control registers."""
    return NamedStruct.of(order, ("version", "size", "cr3", "cr4"), ("I", "I", "408xQ", "Q"))


class OpeningDump(ABC):
    """The state while a dump is opened. Notes and spans of steps have the offsets of the plain dump."""

    first_step: ClassVar[str]
    """The rule that fires if a signal kills it in its first step."""

    def __init__(self, view: View, library: Release) -> None:
        self.view = view
        self.library = library
        """The release of libkdumpfile."""
        self.windows = Windows(view, library)
        self.note: WalkedNote | None = None
        """The note whose text it stores."""
        self.text: bytes | None = None
        self.from_memory = False
        """Whether the text is from memory and not from the note (s390x)."""
        self.values: dict[bytes, int] = {}
        """The numbers of the text: the keys of vmcoreinfo.BASES that it has."""
        self.order: ByteOrder = "little"
        self.machine = Libkdumpfile()
        """What it knows of the machine; nothing if it does not know it."""
        self.page_size: int | None = None
        self.cache = False
        """Whether it allocated room for pages."""
        self.release: bytes | None = None
        self.memory: DumpMemory | None = None
        """Pages of the guest; None until they can be read."""
        self.step: tuple[str, Span | None] = self.first_step, None
        """The rule that fires if a signal kills it now, and the bytes concerned."""
        self._pae = False
        self._qemu_cpus = 0
        self._control: tuple[int, int] | None = None
        stopped = self._stopped()
        self.stopped = stopped and Stopped(stopped.rule, stopped.words, self.in_file(stopped.span))

    def _stopped(self) -> Stopped | None:
        """Open the dump; return where it stops, if it does."""
        try:
            self._open()
        except Stopped as stopped:
            return stopped
        except Killed as killed:
            return Stopped(self.step[0], f"killed by {killed}", self.step[1])
        except ReadFailed as failed:
            return Stopped("memory-unreadable", f"{OSTYPE}{str(failed) or '(null)'}")
        return None

    @property
    def arch(self) -> str | None:
        """Its name of the machine; None if it does not know the machine."""
        return self.machine.name

    @property
    def depends(self) -> bool:
        """Whether other releases of libkdumpfile may read the file in another way."""
        return self.windows.crowded or self.arch in NEW_MACHINES or self._qemu_cpus > 0

    @property
    def _supported(self) -> Libkdumpfile:
        """The machine, if the release knows more than its name."""
        return self.machine if self.library.new_machines or self.arch not in NEW_MACHINES else Libkdumpfile()

    @abstractmethod
    def _open(self) -> None:
        """Open the dump up to the text, and set the type of the system. Raises Stopped, Killed and ReadFailed."""

    def in_file(self, span: Span | None) -> Span | None:
        """Return the span in the file itself of a span of the plain dump; None if it is not in the file."""
        return span

    def take(self, text: bytes, before: str) -> None:
        """Parse a text (vmcoreinfo_raw_post_hook). Raises Stopped; `before`: the words before its own."""
        self.text = text
        self.values = {key: number for key, number in self.values.items() if key == _PHYS_BASE}
        for line in used_lines(text):
            if not line.key:
                # The process dies in the search for the key's parent.
                raise Stopped("dot-in-front", "killed by SIGSEGV", self._place(line.offset, line.length))
            if line.key == b"PAGESIZE":
                self._set_page_size(line, before + "Cannot set VMCOREINFO: Cannot set VMCOREINFO 'PAGESIZE': ")
            elif line.key == b"OSRELEASE":
                self.release = line.value
            elif line.key == b"CONFIG_X86_PAE":
                self._pae = line.value == b"y"
            elif (number := number_of(line.value, BASES[line.key])) is not None:
                self.values[line.key] = number

    def _set_page_size(self, line: TextLine, before: str) -> None:
        size = number_of(line.value, 10)
        if size is None or size == self.page_size:
            return
        before += "Cannot set page size: "
        span = self._place(line.offset, line.length)
        if size & (size - 1):
            raise Stopped("page-size", f"{before}Invalid page size: {size}", span)
        try:
            self.windows.allocate(CACHE_PAGES * size % (1 << 64))
        except ReadFailed as failed:
            words = failed.after(f"{before}Cannot allocate cache ({CACHE_PAGES} * {size} bytes)")
            raise Stopped("page-size-too-big", words, span) from None
        self.page_size, self.cache = size, True

    def _place(self, offset: int, length: int) -> Span | None:
        return None if self.note is None or self.from_memory else Span(self.note.at + offset, length)

    def span_of(self, offset: int, length: int) -> Span | None:
        """Return the span in the file of bytes of the text."""
        return self.in_file(self._place(offset, length))

    @property
    def note_span(self) -> Span | None:
        """The note in the file."""
        return None if self.note is None else self.in_file(self.note.unpadded)

    def check_cpu(self, note: WalkedNote, before: str) -> None:
        """Check the length of a CPU's registers, and on x86-64 also QEMU's own note. Raises Stopped."""
        words, name, length = "", note.name.removesuffix(b"\0"), len(note.desc)
        if name == b"CORE" and note.type == 1 and length < self._supported.prstatus:
            raise Stopped("cpu-note", f"{before}Wrong PRSTATUS size: {length}", note.unpadded)
        if name != b"QEMU" or note.type != 0 or self.arch != "x86_64":
            return
        self._qemu_cpus += 1
        if not self.library.reads_qemu_cpus:
            return
        state = _qemu_cpu_state(self.order)
        version, size, cr3, cr4 = state.unpack(note.desc[: state.size].ljust(state.size, b"\0"))
        if length < 4 or (version == 1 and length < state.size):
            words = f"QEMUCPUState too short: {length} bytes"
        elif version == 1 and size > length:
            words = f"QEMUCPUState size {size} > note size {length}"
        if words:
            raise Stopped("qemu-cpu-note", f"{before}{words}", note.unpadded)
        if self._qemu_cpus == 1 and version == 1:
            self._control = cr3, cr4

    def kernel(self, memory: DumpMemory) -> None:
        """Make `memory` readable by virtual addresses of this kernel."""
        self.memory, memory.budget = memory, self.view.budget
        facts = KernelFacts(
            self._supported.name or "", self.order, memory, self.values, self.release, self._pae, self._control
        )
        self._translation, itself = Translation(facts), ref(self)

        def translate(address: int) -> int:
            """Translate without a reference to the opening file: a circle would keep tables of 56 MB for long."""
            opening = itself()
            assert opening is not None
            return opening._translate(address)

        memory.translate = translate

    def _translate(self, address: int) -> int:
        self._check_version(OSTYPE)
        return self._translation(address)

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
            before = OSTYPE
            found = lowcore.text_of(memory, self.order)
        except (Missing, Untranslated, Corrupt) as failed:
            raise Stopped("no-lowcore", f"{before}{failed}") from None
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
            return probe(self.view, self.text, self._read)
        except Stopped as stopped:  # without words: the Python package to decompress a page is missing
            return ProbeResult(False, stopped.words) if stopped.words else NOT_KNOWN

    def _read(self, address: int, length: int) -> bytes:
        assert self.memory is not None
        try:
            return self.memory.read("virtual", address, length)
        except (Missing, Untranslated, Corrupt, ReadFailed) as failed:
            raise ReadFailure(f"could not read memory from kdump: {failed}: {address:#x}") from None
        except Killed as killed:
            raise ReadFailure(f"killed by {killed}") from None
