"""How libkdumpfile opens an ELF file up to the text that it gives to drgn, step by step."""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_note import NAME
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.elf_pages import ElfMemory, LoadSegments
from vmci_tui.readers.libkdumpfile.elfdump import open_elf
from vmci_tui.readers.libkdumpfile.file_cache import FD, OSTYPE, Stopped, Windows
from vmci_tui.readers.libkdumpfile.memory import DumpMemory, Missing, Untranslated
from vmci_tui.readers.libkdumpfile.opening import OpeningDump, arch_facts, arch_of_elf
from vmci_tui.readers.shared.elf_program import ElfFile
from vmci_tui.readers.version import Version

_LINUX: Final = b"Linux\0"
_UTS_SEARCHED: Final = 128
_UTS_STRING: Final = 65


class OpeningElf(OpeningDump):
    """An ELF dump that drgn passes on, because it found a VMCOREINFO note in it."""

    first_step = "killed-by-headers"

    def __init__(self, view: View, core: ElfFile, library: Version) -> None:
        self._core = core
        super().__init__(view, library)

    def _open(self) -> None:
        facts = arch_facts(arch_of_elf(self._core.header.machine, self._core.bits))
        self.page_size = facts.page_size if facts.of_drgn else None
        loads = open_guest(self, self._core, self.windows)
        self.step = "killed-by-memory", None
        describe(self, loads, self.windows)


def open_guest(guest: OpeningDump, core: ElfFile, windows: Windows) -> LoadSegments:
    """Read headers and notes through `windows`. Raises Stopped, Killed and ReadFailed."""
    guest.order = core.order
    guest.arch = arch_of_elf(core.header.machine, core.bits)
    opened = open_elf(core, windows)
    notes = [note for some in opened.notes for note in some]
    for note in notes:
        if note.name in (NAME, NAME[:-1]):
            guest.note = note
            guest.take(note.desc, FD)
    for note in notes:
        guest.check_cpu(note, FD)
    if guest.page_size is None and (usual := arch_facts(guest.arch).page_size):
        guest.page_size, guest.cache = usual, True
    return opened.loads


def describe(guest: OpeningDump, loads: LoadSegments, windows: Windows) -> None:
    """Set the type of the system to Linux, which reads the name of the system from memory."""
    guest.memory = memory = ElfMemory(loads, windows, guest.page_size or 0, guest.cache)
    if guest.arch is not None:
        guest.kernel(memory)
    if guest.arch == "s390x":
        guest.adopt(memory)
    try:
        at = _name_of_system(guest, memory)
    except (Missing, Untranslated):
        return
    if at is None:
        raise Stopped("no-system-name", f"{OSTYPE}UTS_SYSNAME not found")
    try:
        found = memory.read("virtual", at, 6 * _UTS_STRING)
    except (Missing, Untranslated) as failed:
        raise Stopped("no-system-name", f"{OSTYPE}{failed}") from None
    fields = [found[n : n + _UTS_STRING] for n in range(0, 5 * _UTS_STRING, _UTS_STRING)]
    empty = any(fields[n][:1] == b"\0" for n in (2, 3, 4))
    if any(text[-1] for text in fields) or empty or not fields[0].startswith(_LINUX):
        raise Stopped("wrong-system-name", f"{OSTYPE}Wrong utsname content")


def _name_of_system(guest: OpeningDump, memory: DumpMemory) -> int | None:
    """Return the address of struct new_utsname; None if `Linux` is not where it should be."""
    at = guest.values.get(b"SYMBOL(system_utsname)")
    if at is not None:
        return at
    start = guest.values.get(b"SYMBOL(init_uts_ns)")
    if start is None:
        raise Missing("Symbol value attribute not found")
    found = memory.read("virtual", start, _UTS_SEARCHED + len(_LINUX)).find(_LINUX)
    return None if found < 0 else start + found
