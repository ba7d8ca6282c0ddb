"""Good guests, one a machine: a real kernel's text, and just enough memory to prove it.

The texts are from the samples. The x86-64 one is moved to the kernel's place without KASLR, so that phys_base is 0
and the dump has no findings. Memory is made: the page with the kernel's name, and one page of page tables, which
serves as all levels (each entry of an upper level leads to the page itself).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from vmci_tui.bench.parts import Load, Parts
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.samples import sample_path
from vmci_tui.formats.elf_note import ByteOrder, build, parse_raw
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.machines.lookup import machine_facts

_PAGE: Final = 4096
_UTS_FIELD: Final = 65
_LOWCORE_NOTE: Final = 0xE0C
_X86_64_MAP: Final = 0xFFFFFFFF80000000


def guest(machine: str) -> Parts:
    """Return the good dump of a machine and its entry. Raises UsageError, and OpenError if the samples are missing."""
    if machine not in _MAKERS:
        raise UsageError(f"no guest of {visible(machine)} can be made", f"choose from {', '.join(MACHINES)}")
    return _MAKERS[machine]()


def text_of(name: str) -> bytes:
    """Return the text of a sample, which is a note or a text alone."""
    path = sample_path(name)
    if path is None:
        raise OpenError(f"the sample {name} is missing", "install vmci-tui again")
    with open(path, "rb") as file:
        data = file.read()
    note = parse_raw(data)
    return data if note is None else note.desc


def _value(text: bytes, key: bytes) -> int:
    found = re.search(rb"(?m)^" + re.escape(key) + rb"=(?:0x)?([0-9a-f]+)$", text)
    assert found is not None
    return int(found[1], 16)


def _x86_64() -> Parts:
    text = text_of("amd64.note")
    moved = _value(text, b"KERNELOFFSET")

    def back(found: re.Match[bytes]) -> bytes:
        address = int(found[2], 16)
        return found[1] + b"%x" % (address - moved if address >= _X86_64_MAP else address)

    text = re.sub(rb"(?m)^(SYMBOL\([^)]*\)=)([0-9a-f]+)$", back, text)
    text = text.replace(b"KERNELOFFSET=%x\n" % moved, b"KERNELOFFSET=0\n")
    text = re.sub(rb"NUMBER\(phys_base\)=-?[0-9]+", b"NUMBER(phys_base)=0", text)
    return _parts("x86_64", "little", text, _X86_64_MAP, (39, 30, 21), 9, (0x63, 0xE3))


def _i386() -> Parts:
    """Make the guest; its headers have the addresses of the kernel's linear map, which QEMU leaves out."""
    parts = _parts("i386", "little", text_of("i386flash.note"), _I386_MAP, (30, 21), 9, (0x1, 0xE3))
    return replace(parts, linear=_I386_MAP)


def _aarch64() -> Parts:
    text = text_of("arm64.txt")
    shift = _value(text, b"NUMBER(kimage_voffset)")
    return _parts("aarch64", "little", text, shift, (39, 30, 21), 9, (0x3, 0x701))


def _s390x() -> Parts:
    """Make the guest; QEMU has no vmcoreinfo device for it, so there is no entry. The lowcore points at the note."""
    parts = _parts("s390x", "big", text_of("s390x.note"), 0, (), 0, (0, 0))
    lowcore = bytearray(_PAGE)
    lowcore[_LOWCORE_NOTE : _LOWCORE_NOTE + 8] = parts.home.to_bytes(8, "big")
    return parts.with_load(0, Load(0, bytes(lowcore))).without_entry()


_I386_MAP: Final = 0xC0000000
_MAKERS: Final[dict[str, Callable[[], Parts]]] = {
    "x86_64": _x86_64,
    "i386": _i386,
    "aarch64": _aarch64,
    "s390x": _s390x,
}
MACHINES: Final = tuple(_MAKERS)
_QEMU_CPU: Final = 440
_CR3: Final = 416
_PAE: Final = 0x20
"""The bit of CR4 that long mode needs."""


def _parts(
    name: str, order: ByteOrder, text: bytes, shift: int, levels: tuple[int, ...], width: int, flags: tuple[int, int]
) -> Parts:
    """Make parts; `levels`: the address bit of each page table level; `flags` of entries for a table, and for 2 MiB."""
    uts, root, start = (_value(text, b"SYMBOL(%b)" % key) for key in (b"init_uts_ns", b"swapper_pg_dir", b"_stext"))
    page = bytearray(_PAGE)
    for va in (start, uts) if levels else ():
        for level in levels:
            last = level == levels[-1]
            target = (va - shift) & ~0x1FFFFF if last else root - shift
            at = 8 * (va >> level & (1 << width) - 1)
            entry = target | flags[last]
            assert page[at : at + 8] in (bytes(8), entry.to_bytes(8, order))
            page[at : at + 8] = entry.to_bytes(8, order)
    at, facts = uts - shift, machine_facts(name)
    loads = [Load(at & -_PAGE, _uts(text, facts.uname or name.encode(), at % _PAGE))]
    if levels:
        loads.append(Load(root - shift, bytes(page)))
    home = (root - shift & -0x100000) + 0x1400000
    return Parts(
        machine=name, number=facts.e_machine, bits=facts.bits or 64, order=order, text=text,
        cpus=cpus(name, order, root - shift), loads=tuple(loads), uts=at & -_PAGE, tables=root - shift,
        home=home, entry=Entry(0, 1, 0, home),
    )  # fmt: skip


def _uts(text: bytes, machine: bytes, at: int) -> bytes:
    release = text.split(b"\n", 1)[0].partition(b"=")[2]
    fields = (b"Linux", b"guest", release, b"#1 SMP Debian", machine, b"(none)")
    raw = bytes(at) + b"".join(field.ljust(_UTS_FIELD, b"\0") for field in fields)
    return raw.ljust(_PAGE, b"\0")


def cpus(name: str, order: ByteOrder, tables: int) -> tuple[bytes, ...]:
    """Return the notes of one CPU like QEMU: its PRSTATUS, and on x86 QEMU's own note with CR3 and CR4."""
    out = [build(b"CORE\0", 1, bytes(machine_facts(name).prstatus), order).raw]
    if name in ("x86_64", "i386"):
        state = bytearray(_QEMU_CPU)
        for at, length, value in ((0, 4, 1), (4, 4, _QEMU_CPU), (_CR3, 8, tables), (_CR3 + 8, 8, _PAE)):
            state[at : at + length] = value.to_bytes(length, order)
        out.append(build(b"QEMU\0", 0, bytes(state), order).raw)
    return tuple(out)
