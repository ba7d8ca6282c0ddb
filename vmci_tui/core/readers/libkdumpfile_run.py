"""What libkdumpfile does from the file to the text that it gives to drgn, step by step, until it ends or is done."""

from __future__ import annotations

from typing import Final

from vmci_tui.core.note import NAME
from vmci_tui.core.readers import libkdumpfile_lowcore as lowcore
from vmci_tui.core.readers.drgn_elf import Core, Place
from vmci_tui.core.readers.libkdumpfile_elf import FD, KNOWN_TO_DRGN, PAGE_SHIFT, PRSTATUS, Opened, arch_of, open_elf
from vmci_tui.core.readers.libkdumpfile_file import Killed, ReadFailed, Stopped, Windows
from vmci_tui.core.readers.libkdumpfile_memory import Memory, Missing, Untranslated
from vmci_tui.core.readers.libkdumpfile_text import BASES, CACHE_PAGES, Line, number_of, used_lines, version_code
from vmci_tui.core.readers.libkdumpfile_xlat import Kernel, Translation
from vmci_tui.core.readers.view import View
from vmci_tui.core.span import Span

_OSTYPE: Final = "kdump_set_string_attr(KDUMP_ATTR_OSTYPE): "
_LINUX: Final = b"Linux\0"
_UTS_SEARCHED: Final = 128
_UTS_STRING: Final = 65
_QEMU_CPU: Final = 432
"""Bytes of struct QEMUCPUState on x86-64, up to the control registers."""


class Run:
    """A dump that drgn hands over: it found a VMCOREINFO note in it."""

    def __init__(self, view: View, core: Core) -> None:
        self.view, self.core = view, core
        self.windows = Windows(view)
        self.stopped: Stopped | None = None
        self.note: Place | None = None
        """The note whose text it keeps."""
        self.text: bytes | None = None
        self.from_memory = False
        """Whether the text is not the note's but that of memory (s390x)."""
        self._arch = arch_of(core.header.machine, core.bits)
        self._page_size = self._usual_page_size if self._arch in KNOWN_TO_DRGN else None
        self._cache = False
        self._release: bytes | None = None
        self._pae = False
        self._values: dict[bytes, int] = {}
        self._phys_base: int | None = None
        self._qemu_cpus = 0
        self._control: tuple[int, int] | None = None
        try:
            self._open()
            self._describe()
        except Killed as killed:
            self.stopped = Stopped(self._death, f"killed by {killed}", self._death_span)
        except Stopped as stopped:
            self.stopped = stopped
        except ReadFailed as failed:
            self.stopped = Stopped("memory-unreadable", f"{_OSTYPE}{str(failed) or '(null)'}")

    @property
    def _usual_page_size(self) -> int | None:
        return 1 << PAGE_SHIFT[self._arch] if self._arch in PAGE_SHIFT else None

    _death = "killed-by-headers"
    _death_span: Span | None = None

    def _open(self) -> None:
        opened = open_elf(self.core, self.windows)
        for notes in opened.notes:
            for note in notes:
                if note.name[: note.namesz] in (NAME, NAME[:-1]):
                    self.note = note
                    self._take(self.view.read(note.desc, note.descsz), FD + "file #0: ")
        self._check_cpus(opened)
        if self._page_size is None and self._arch not in KNOWN_TO_DRGN and self._usual_page_size:
            self._page_size, self._cache = self._usual_page_size, True
        self._death, self._death_span = "killed-by-memory", None
        self._loads = opened.loads

    def _check_cpus(self, opened: Opened) -> None:
        """A CPU's registers must be as long as the machine has them; QEMU's own note, too, on x86-64."""
        least = PRSTATUS.get(self._arch or "", 0)
        for note in (note for notes in opened.notes for note in notes):
            name = note.name[: note.namesz].removesuffix(b"\0")
            if name == b"CORE" and note.kind == 1 and note.descsz < least:
                raise Stopped("cpu-note", f"{FD}file #0: Wrong PRSTATUS size: {note.descsz}", note.span)
            if name == b"QEMU" and note.kind == 0 and self._arch == "x86_64":
                self._qemu_cpu(note)

    def _qemu_cpu(self, note: Place) -> None:
        """struct QEMUCPUState: version, size, registers; only version 1 is looked at."""
        words = ""
        raw = self.view.read(note.desc, min(note.descsz, _QEMU_CPU)).ljust(_QEMU_CPU, b"\0")
        version, size = (int.from_bytes(raw[at : at + 4], self.core.order) for at in (0, 4))
        if note.descsz < 4 or (version == 1 and note.descsz < _QEMU_CPU):
            words = f"QEMUCPUState too short: {note.descsz} bytes"
        elif version == 1 and size > note.descsz:
            words = f"QEMUCPUState size {size} > note size {note.descsz}"
        if words:
            raise Stopped("qemu-cpu-note", f"{FD}file #0: {words}", note.span)
        if not self._qemu_cpus and version == 1:
            cr3, cr4 = (int.from_bytes(raw[at : at + 8], self.core.order) for at in (416, 424))
            self._control = cr3, cr4
        self._qemu_cpus += 1

    def _take(self, text: bytes, before: str) -> None:
        """Go through a text (vmcoreinfo_raw_post_hook)."""
        self.text, self._values = text, {}
        for line in used_lines(text):
            if not line.key:
                self._death, self._death_span = "dot-in-front", self.span_of(line.offset, line.length)
                raise Killed("SIGSEGV")
            if line.key == b"PAGESIZE":
                self._set_page_size(line, before + "Cannot set VMCOREINFO: Cannot set VMCOREINFO 'PAGESIZE': ")
            elif line.key == b"OSRELEASE":
                self._release = line.value
            elif line.key == b"CONFIG_X86_PAE":
                self._pae = line.value == b"y"
            else:
                self._set_number(line.key, line.value)

    def _set_number(self, key: bytes, value: bytes) -> None:
        number = number_of(value, BASES[key])
        if number is not None:
            self._values[key] = number
            if key == b"NUMBER(phys_base)":
                self._phys_base = number

    def _set_page_size(self, line: Line, before: str) -> None:
        size = number_of(line.value, 10)
        if size is None or size == self._page_size:
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
        self._page_size, self._cache = size, True

    def span_of(self, offset: int, length: int) -> Span | None:
        """Where bytes of the text lie in the file."""
        return None if self.note is None or self.from_memory else Span(self.note.desc + offset, length)

    def _describe(self) -> None:
        """What setting the type of the system to Linux does: it looks for the name of the system in memory."""
        memory = Memory(self._loads, self.windows, self._page_size or 0, self._cache)
        if self._arch is not None:
            self._kernel(memory)
        if self._arch == "s390x":
            self._adopt(memory)
        try:
            at = self._name_of_system(memory)
        except (Missing, Untranslated):
            return
        if at is None:
            raise Stopped("no-system-name", f"{_OSTYPE}UTS_SYSNAME not found")
        try:
            found = memory.read("virtual", at, 6 * _UTS_STRING)
        except (Missing, Untranslated) as failed:
            raise Stopped("no-system-name", f"{_OSTYPE}{failed}") from None
        fields = [found[n : n + _UTS_STRING] for n in range(0, 5 * _UTS_STRING, _UTS_STRING)]
        empty = any(fields[n][:1] == b"\0" for n in (2, 3, 4))
        if any(text[-1] for text in fields) or empty or not fields[0].startswith(_LINUX):
            raise Stopped("wrong-system-name", f"{_OSTYPE}Wrong utsname content")

    def _kernel(self, memory: Memory) -> None:
        values = dict(self._values)
        if self._phys_base is not None:
            values[b"NUMBER(phys_base)"] = self._phys_base
        kernel = Kernel(self._arch or "", self.core.order, memory, values, self._release, self._pae, self._control)
        translation = Translation(kernel)

        def translate(address: int) -> int:
            self._check_version(_OSTYPE)
            return translation(address)

        self._translation, memory.translate = translation, translate

    def _check_version(self, before: str) -> None:
        if self._release is not None and version_code(self._release) is None:
            release = self._release.decode("latin-1")
            raise Stopped("release", f"{before}Cannot get linux.version_code: Invalid kernel version: {release}")

    def _adopt(self, memory: Memory) -> None:
        """On s390x the text comes from memory, by pointers at fixed addresses (s390x_post_ostype)."""
        self._check_version(f"{_OSTYPE}Cannot read LC_OS_INFO pointer: ")
        try:
            self._translation.make()
        except Untranslated as failed:
            raise Stopped("no-lowcore", f"{_OSTYPE}Cannot read LC_OS_INFO pointer: {failed}") from None
        try:
            found = lowcore.text_of(memory, self.core.order)
        except Missing as failed:
            raise Stopped("no-lowcore", f"{_OSTYPE}{failed}") from None
        except lowcore.Corrupt as corrupt:
            raise Stopped("no-lowcore", f"{_OSTYPE}{corrupt}") from None
        if found is not None:
            self.from_memory = True
            self._take(found, _OSTYPE)
            memory.page_size, self._death = self._page_size or 0, "killed-by-memory"
            self._kernel(memory)

    def _name_of_system(self, memory: Memory) -> int | None:
        """The address of struct new_utsname; None where no `Linux` is where it should be."""
        if b"SYMBOL(system_utsname)" in self._values:
            return self._values[b"SYMBOL(system_utsname)"]
        start = self._values.get(b"SYMBOL(init_uts_ns)")
        if start is None:
            raise Missing("Symbol value attribute not found")
        found = memory.read("virtual", start, _UTS_SEARCHED + len(_LINUX)).find(_LINUX)
        return None if found < 0 else start + found
