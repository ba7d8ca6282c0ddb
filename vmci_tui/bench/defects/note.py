"""Defects of the notes (N)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from vmci_tui.bench.defect import X86_64, Defect
from vmci_tui.bench.guests import guest, text_of
from vmci_tui.bench.parts import Parts
from vmci_tui.formats.elf_note import HEADER, NAME, build
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT

_XEN_INFO: Final = 0x1000001
_TOO_LARGE: Final = SIZE_LIMIT + 1
_SHORT: Final = (b"OSRELEASE", b"PAGESIZE")
Apply = Callable[[Parts], Parts]


def _set(**changed: Any) -> Apply:
    return lambda parts: replace(parts, **changed)


def _alone(**changed: Any) -> Apply:
    """Make a note that QEMU would not append: the dump was damaged later, and its entry does not exist."""
    return lambda parts: replace(parts, **changed).without_entry()


def _swapped(parts: Parts) -> Parts:
    return replace(parts, note_order="big" if parts.order == "little" else "little").without_entry()


def _second(parts: Parts) -> Parts:
    """Put a note of another kernel before the right one."""
    text = b"OSRELEASE=5.10.0-9-other\n" + parts.text.partition(b"\n")[2]
    return replace(
        parts, before=parts.before + build(NAME, 0, text[:600].rpartition(b"\n")[0] + b"\n", parts.order).raw
    )


def _other_class(parts: Parts) -> Parts:
    return parts.with_text(guest("x86_64" if parts.bits == 32 else "i386").text)


def _other_machine(parts: Parts) -> Parts:
    return parts.with_text(guest("x86_64" if parts.machine == "aarch64" else "aarch64").text)


def _windows(parts: Parts) -> Parts:
    """Make a Windows guest: its memory has nothing of Linux."""
    changed = parts.with_text(text_of("x86_64-windows.note"))
    return replace(
        changed, loads=changed.loads[:1] and (changed.loads[0]._replace(data=b"\0" * 64),), size=len(changed.note)
    )


def _short(parts: Parts) -> Parts:
    lines = (line for line in parts.text.splitlines(keepends=True) if line.startswith(_SHORT))
    return parts.with_text(b"".join(lines))


def _unpadded(parts: Parts) -> Parts:
    """End the notes with a text whose length is not a multiple of 4."""
    text = parts.text if len(parts.text) % 4 else parts.text + b"A=1\n\n"[:5]
    return replace(parts, text=text, trimmed=-len(text) % 4)


def _xen(parts: Parts) -> Parts:
    return replace(parts, before=parts.before + build(b"Xen\0", _XEN_INFO, b"", parts.order).raw)


def _nameless(parts: Parts) -> Parts:
    return replace(parts, before=parts.before + build(b"", 0, b"12345", parts.order).raw)


NOTE_DEFECTS: Final = (
    Defect("other-class", "uses the text of a kernel of the other width", _other_class),
    Defect("other-machine", "uses the text of another machine's kernel",
           _other_machine, ("x86_64", "aarch64", "s390x")),
    Defect("windows", "puts a Windows dump header in place of the text", _windows, X86_64),
    Defect("short-text", "leaves only OSRELEASE and PAGESIZE in the text", _short),
    Defect("padding", "fills the note's padding with !", _set(padding=b"!")),
    Defect("name-without-nul", "writes the name without its NUL, namesz 10", _alone(name=b"VMCOREINFO")),
    Defect("type-1", "gives the note type 1, NT_PRSTATUS", _set(kind=1)),
    Defect("swapped-header", "writes the note's header words in the other byte order", _swapped),
    Defect("two-notes", "puts a VMCOREINFO note of another kernel before the right one", _second),
    Defect("xen", "puts an empty note named Xen, type 0x1000001, before the note", _xen),
    Defect("nameless", "puts a note without a name, of 5 bytes, before the note", _nameless, X86_64),
    Defect("zeros", "puts 4 zero bytes before the note", _alone(before=bytes(4))),
    Defect("zero-note", "puts 12 zero bytes after the note", _set(after=bytes(HEADER))),
    Defect("no-padding", "ends the notes without the note's padding", _unpadded),
    Defect("oversized", "sets descsz to 1048577", _alone(descsz=_TOO_LARGE)),
    Defect("cut-note", "puts the first 7 bytes of a note after the note", _set(after=bytes((11, *bytes(6))))),
    Defect("descsz", "sets descsz to 65536", _alone(descsz=1 << 16)),
    Defect("no-note", "leaves out the note, as for a guest without -device vmcoreinfo", _alone(absent=True)),
)  # fmt: skip
