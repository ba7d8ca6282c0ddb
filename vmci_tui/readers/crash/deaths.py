"""How crash 8.0.2 dies: what signals, stack guards and malloc make of numbers that it does not check.

This is a model of a running program, not of its source: it was found by experiments with Debian's x86-64 build and
its glibc. Where the outcome differs from run to run, the rules say that the verdict is unknown.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NOTE_LIMIT, align_up, note_header
from vmci_tui.readers.rule import Fault

SEGV: Final = "killed by SIGSEGV"
SMASHED: Final = "*** stack smashing detected ***: terminated"
NAME_BUFFER: Final = 1512
"""Bytes of a note's name that do no harm: BUFSIZE (1500) and the gap before the stack's guard."""
FAR_NAME: Final = 1 << 14
"""About the length at which a name leaves the stack: above it is the environment, usually some kilobytes."""
BEFORE_FILE: Final = (1 << 64) - (1 << 46)
"""From here on a p_offset acts as a negative number: it points before the buffer of the headers."""
_NEARLY_0: Final = (1 << 64) - (1 << 17)
"""From here on it points at about what crash has allocated: it reads nonsense there, without a signal."""
SECTION_ROOM: Final = 73
"""Bytes of section header 0 that do no harm: more overwrite malloc's numbers."""
NO_MEMORY: Final = 1 << 35
"""About where realloc fails, and crash prints another message; the exact size depends on the machine."""
MEMORY: Final = 7 << 28
"""The largest size that malloc and mmap still allocate for a part of a kdump file."""
OVERWRITTEN: Final = range(409, 425)
"""Block sizes for which malloc overwrites block_size itself when it shrinks the header's buffer."""
_ROOM: Final = 8194
"""Pointers from the array for one kind of notes to the next (NR_CPUS, and malloc's header)."""
_BEHIND_ROOMS: Final = 66
"""Pointers from the last of the three arrays to malloc's own number after them."""
_KILLING_COUNT: Final = 200
"""Further notes for which the program still prints why it dies."""
_NEAR: Final = 8 * (3 * _ROOM + _BEHIND_ROOMS)
"""Bytes after the notes that are always mapped."""
_HEAP_SPARE: Final = 150 << 10
"""The most that the heap may have left at its end."""
_OWN_MAPPING: Final = 128 << 10
"""From this size on malloc maps a block by itself; after it come at least 1 MiB and at most 8 MiB of other memory."""
_MAPPED: Final = 1 << 20, 8 << 20
_XEN_CR3: Final = 0x10000001
XEN_INFO: Final = (0x1000001, _XEN_CR3)
_PRSTATUS, _TASKSTRUCT = 1, 4


def killed_by_offset(offset: int) -> bool:
    """Whether p_offset of the notes leads to memory before the headers that is not mapped."""
    return BEFORE_FILE <= offset < _NEARLY_0


def killed_by_note(name: bytes, namesz: int, kind: int, descsz: int) -> str:
    """Return how an ELF note kills crash; empty if it does not. `name`: at least `NAME_BUFFER` + 1 bytes of it."""
    if namesz >= FAR_NAME or (kind in XEN_INFO and descsz < 8):
        return SEGV
    return SMASHED if name[NAME_BUFFER:].strip(b"\0") or namesz > NAME_BUFFER + 1 else ""


def behind_headers(head: bytes, first: int, table_end: int, end: int, count: int) -> bytes:
    """Return the bytes after the header area in memory: crash reads a note that ends there a byte too far.

    The buffer of `end` bytes is where the first 4,096 bytes of the file (`head`) were (diskdump.c read_dump_header),
    or after its own first place, of `first` bytes, if the program headers (up to `table_end`) needed less than that;
    after it comes the size of the next block of glibc's malloc, that of the `count` segments.
    """
    moved = _piece(table_end) <= _piece(first) - 32 and _piece(end) > _piece(table_end)
    start, room = end + (_piece(first) if moved else 0), _piece(end) - 8 - end
    return head[start:][:room].ljust(room, b"\0") + struct.pack("<Q", _piece(32 * (count - 1)) | 1)


def _piece(length: int) -> int:
    """Return the bytes that malloc uses for an allocation of `length` bytes."""
    return align_up(length + 8, 16)


def mapped_behind_bitmap(length: int, size_note: int, counted: int) -> tuple[int, int]:
    """Return how many bytes after a bitmap of `length` bytes are always mapped, and how many at most.

    `size_note`: the bytes of notes; `counted`: the bytes in which pages are counted.
    """
    if length + 16 >= _OWN_MAPPING:
        return _MAPPED
    near = align_up(size_note, 16) + _NEAR if size_note else 0
    return near, near + _HEAP_SPARE + counted // 64


class KdumpNotes(NamedTuple):
    """The results of the notes at offset_note."""

    desc: Span | None = None
    """The descriptor of the VMCOREINFO note, which crash does not look for."""
    dies: Fault | None = None
    may_die: Span | None = None
    """A note that makes crash read memory that may or may not be mapped."""
    too_many: bool = False
    """Whether there are more notes than vmci follows."""


def kdump_notes(area: bytes, start: int, size: int) -> KdumpNotes:
    """Walk the notes of a kdump file at offset `start`, in multiples of 4 bytes (process_elf64_notes)."""
    notes, at, count, registers, qemu, mfn = KdumpNotes(), 0, 0, 0, 0, 0
    while at + HEADER <= min(size, len(area)):
        if (count := count + 1) > NOTE_LIMIT:
            return notes._replace(too_many=True)
        namesz, descsz, kind = note_header("little").unpack_from(area, at)
        here, name = Span(start + at, HEADER), area[at + HEADER : at + HEADER + 11]
        killed = Fault("killed-by-notes", SEGV, here, "note")
        registers += kind == _PRSTATUS
        qemu += name.startswith(b"QEMU")
        touched = None
        if kind in XEN_INFO:
            # The length of the name is rounded up in 32 bits; the last word of the descriptor counts.
            data, words = at + HEADER + align_up(namesz) % (1 << 32), descsz // 8
            if not mfn and not words:
                return notes._replace(dies=killed)
            touched = data if mfn or (kind == _XEN_CR3 and words == 1) else data + 8 * (words - 1)
            if kind != _XEN_CR3 or words != 1:
                mfn = mfn or int.from_bytes(area[touched : touched + 8], "little")
        elif kind == _TASKSTRUCT and name.startswith(b"SNAP"):
            touched = at + HEADER + namesz
        if touched is not None and touched > size + _NEAR:
            if touched > size + _NEAR + _HEAP_SPARE:
                return notes._replace(dies=killed)
            notes = notes._replace(may_die=here)
        # There are three arrays in a row: for registers, for QEMU's notes, for the data that these point at.
        over = max(registers - 3 * _ROOM, qemu - _ROOM) - _BEHIND_ROOMS
        if over >= 0 and notes.dies is None:
            notes = notes._replace(dies=killed._replace(words="malloc(): corrupted top size"))
        if over > _KILLING_COUNT:
            return notes._replace(dies=killed)
        body = at + align_up(HEADER + namesz)
        if name == b"VMCOREINFO\0" and namesz == 11 and body + descsz <= size:
            notes = notes._replace(desc=Span(start + body, descsz))
        at = align_up(body + descsz)
    return notes
