"""Describe the notes of a dump by name and type."""

from __future__ import annotations

from typing import Final

from vmci_tui.common.safe_text import visible
from vmci_tui.formats.elf_note import Note

XEN: Final = b"VMCOREINFO_XEN\0"
"""The name of the hypervisor's own text in a dump of a Xen dom0; Linux's note is beside it."""
_DEVICE_DUMP: Final = 0x700
_DEVICE_NAME: Final = 44
"""Bytes of the name at the start of a driver's dump (struct vmcoredd_header, from dump_name on)."""
_WORDS: Final = {
    (b"CORE", 1): "registers of a CPU (NT_PRSTATUS)",
    (b"CORE", 2): "floating-point registers of a CPU (NT_FPREGSET)",
    (b"CORE", 3): "the kernel as a process (NT_PRPSINFO)",
    (b"CORE", 4): "the running task (NT_TASKSTRUCT): a copy of /proc/kcore",
    (b"QEMU", 0): "all registers of a CPU, as QEMU keeps them",
    (b"VMCOREINFO", 0): "the kernel's text",
    (b"VMCOREINFO_XEN", 0): "the Xen hypervisor's own text, beside the kernel's: a dump of dom0",
    (b"Xen", 0x1000001): "the Xen hypervisor (XEN_ELFNOTE_CRASH_INFO)",
    (b"Xen", 0x1000002): "registers of the Xen hypervisor (XEN_ELFNOTE_CRASH_REGS)",
    (b"ERASEINFO", 0): "what makedumpfile erased",
}


def note_words(note: Note) -> str:
    """Return a description of a note; empty for an unknown note."""
    words = _WORDS.get((note.name.rstrip(b"\0"), note.type), "")
    return words or (f"a driver's own dump of its device, {named}" if (named := device_dump(note)) else "")


def is_cpu(note: Note) -> bool:
    """Return whether a note has the registers of a CPU (NT_PRSTATUS); a dump has one for each."""
    return note.type == 1 and note.name.rstrip(b"\0") == b"CORE"


def device_dump(note: Note) -> str:
    """Return the name of the note's type, and of the device that its driver dumped there; empty for any other note."""
    if (note.name.rstrip(b"\0"), note.type) != (b"LINUX", _DEVICE_DUMP):
        return ""
    return f"NT_VMCOREDD {visible(note.desc[:_DEVICE_NAME].partition(bytes(1))[0])}"
