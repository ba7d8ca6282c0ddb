"""Defects of the text (T): lines that no kernel writes, or that a reader misreads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from vmci_tui.bench.defect import AARCH64, LITTLE, X86_64, Defect
from vmci_tui.bench.guests import cpus
from vmci_tui.bench.parts import Load, Parts

PHYS_BASE: Final = 16 << 20
"""Bytes by which KASLR moves a kernel up."""
_RELEASE: Final = re.compile(rb"OSRELEASE=([^\n]*)\n")
_LONG: Final = b"".join(b"FILLER(%02d)=%s\n" % (number, b"x" * 60) for number in range(20))
Apply = Callable[[Parts], Parts]


def _add(line: bytes) -> Apply:
    return lambda parts: parts.with_text(parts.text + line + b"\n")


def _value(key: bytes, value: bytes) -> Apply:
    """Change the value of a key; add the key if the text lacks it."""

    def apply(parts: Parts) -> Parts:
        text, found = re.subn(rb"(?m)^" + re.escape(key) + rb"=.*$", lambda _: key + b"=" + value, parts.text)
        return parts.with_text(text if found else parts.text + key + b"=" + value + b"\n")

    return apply


def _without(key: bytes) -> Apply:
    return lambda parts: parts.with_text(re.sub(rb"(?m)^" + re.escape(key) + rb"=.*\n", b"", parts.text))


def _edited(change: Callable[[bytes], bytes]) -> Apply:
    return lambda parts: parts.with_text(change(parts.text))


def release(value: bytes) -> Apply:
    """Change the release in the text and in memory, so that only the release itself is at fault."""

    def apply(parts: Parts) -> Parts:
        found = _RELEASE.search(parts.text)
        if found is None:
            return parts
        memory = next(load for load in parts.loads if load.paddr == parts.uts)
        data = memory.data.replace(found[1].ljust(65, b"\0"), value.ljust(65, b"\0"))
        changed = parts.with_text(parts.text.replace(found[0], b"OSRELEASE=" + value + b"\n", 1))
        return changed.with_load(parts.uts, memory._replace(data=data))

    return apply


def _release_last(text: bytes) -> bytes:
    first, _, rest = text.partition(b"\n")
    return rest + first + b"\n"


def _indent(text: bytes) -> bytes:
    return re.sub(rb"(?m)^(?=.)", b"  ", text)


def _octal(parts: Parts) -> Parts:
    found = re.search(rb"(?m)^SIZE\(page\)=([0-9]+)$", parts.text)
    return _value(b"SIZE(page)", b"0%o" % int(found[1] if found else 64))(parts)


def moved_memory(parts: Parts) -> tuple[Load, ...]:
    """Return the kernel's pages moved up by 16 MiB; its page tables lead there too."""
    loads = []
    for load in parts.loads:
        data = bytearray(load.data)
        if load.paddr == parts.tables:
            for at in range(0, len(data), 8):
                entry = int.from_bytes(data[at : at + 8], "little")
                data[at : at + 8] = (entry + PHYS_BASE if entry else 0).to_bytes(8, "little")
        loads.append(load._replace(paddr=load.paddr + PHYS_BASE, data=bytes(data)))
    return tuple(loads)


def moved(parts: Parts) -> Parts:
    """Move the kernel up by 16 MiB, in memory and in the text."""
    loads = moved_memory(parts)
    home, tables = parts.home + PHYS_BASE, parts.tables + PHYS_BASE
    own = cpus(parts.machine, parts.order, tables)
    higher = replace(parts, loads=loads, cpus=own, uts=parts.uts + PHYS_BASE, tables=tables, home=home)
    higher = higher.with_fields(paddr=home)
    return _value(b"NUMBER(phys_base)", b"%d" % PHYS_BASE)(higher)


TEXT_DEFECTS: Final = (
    Defect("phys-base", "moves the kernel up by 16 MiB: NUMBER(phys_base)=16777216", moved, X86_64),
    Defect("release-rc", "sets the release to 6.1-rc1, in the text and in memory",
           release(b"6.1-rc1"), ("x86_64", "aarch64", "s390x")),
    Defect("garbage-build-id", "sets the release to 6.1.115, in the text and in memory", release(b"6.1.115")),
    Defect("release-6.12", "sets the release to 6.12.9, in the text and in memory", release(b"6.12.9")),
    Defect("va-bits-52", "sets NUMBER(VA_BITS)=52, with pages of 4 KiB", _value(b"NUMBER(VA_BITS)", b"52"), AARCH64),
    Defect("escape", "adds a line with a terminal's escape sequence", _add(b"TITLE=\x1b[31mred")),
    Defect("nul", "adds a line with a NUL in it", _add(b"TITLE=a\0b")),
    Defect("long-line", "adds a line of 90 bytes", _add(b"TITLE=" + b"x" * 83)),
    Defect("two-values", "adds a second line SIZE(page)=56", _add(b"SIZE(page)=56")),
    Defect("no-number", "says SIZE(page)=64x", _value(b"SIZE(page)", b"64x")),
    Defect("blank", "adds a blank after PAGESIZE=4096", _value(b"PAGESIZE", b"4096 ")),
    Defect("no-equals-sign", "adds a line without '='", _add(b"this is not a line of a kernel")),
    Defect("release-last", "moves OSRELEASE from the first line to the last", _edited(_release_last)),
    Defect("no-release", "removes OSRELEASE", _without(b"OSRELEASE")),
    Defect("long-text", "adds 1,480 bytes of lines", _edited(lambda text: text + _LONG)),
    Defect("page-size-4095", "says PAGESIZE=4095", _value(b"PAGESIZE", b"4095")),
    Defect("octal", "writes SIZE(page) with a leading 0", _octal),
    Defect("no-page-size", "removes PAGESIZE", _without(b"PAGESIZE")),
    Defect("kernel-offset", "says KERNELOFFSET=1000000", _value(b"KERNELOFFSET", b"1000000"), X86_64),
    Defect("section-bits-99", "says NUMBER(SECTION_SIZE_BITS)=99", _value(b"NUMBER(SECTION_SIZE_BITS)", b"99")),
    Defect("page-size-4-gib", "says PAGESIZE=4294967296", _value(b"PAGESIZE", b"4294967296")),
    Defect("crashtime-0", "adds CRASHTIME=0", _add(b"CRASHTIME=0"), LITTLE),
    Defect("symbol-0", "says SYMBOL(mem_section)=0", _value(b"SYMBOL(mem_section)", b"0"), LITTLE),
    Defect("made-of-vmlinux", "adds a line that only `makedumpfile -g` writes",
           _add(b"SRCFILE(pud_t)=arch/x86/include/asm/pgtable_types.h")),
    Defect("crlf", "ends every line in CR LF", _edited(lambda text: text.replace(b"\n", b"\r\n"))),
    Defect("no-newline", "removes the last newline", _edited(lambda text: text.removesuffix(b"\n"))),
    Defect("indented", "puts two blanks before each line", _edited(_indent)),
    Defect("empty", "removes the whole text", _edited(lambda text: b"")),
)  # fmt: skip
"""In the order in which they are applied."""
