"""Defects of the container (C) and of guest memory (M)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from vmci_tui.bench.defect import LITTLE, X86_64, Defect
from vmci_tui.bench.defects.text import PHYS_BASE, moved_memory
from vmci_tui.bench.guests import cpus
from vmci_tui.bench.parts import Load, Parts
from vmci_tui.formats.elf_note import build
from vmci_tui.formats.note_kinds import XEN

_FREE: Final = 0x400000
"""Bytes after the page with the kernel's name at which other memory is put; the kernel's memory ends before."""
_BLOCK: Final = 4096
_VMALLOC: Final = 0xFFFFC90000000000
_LOW: Final = 0x2000
Apply = Callable[[Parts], Parts]


def _set(**changed: Any) -> Apply:
    return lambda parts: replace(parts, **changed)


def _head(name: str, value: int) -> Apply:
    return lambda parts: replace(parts, head=(*parts.head, (name, value)))


def _more(*loads: Load) -> Apply:
    """Add memory at a distance after the highest range."""

    def apply(parts: Parts) -> Parts:
        top = max((load.paddr for load in parts.loads), default=0) | parts.home
        at = (top & -_FREE) + 2 * _FREE
        return replace(parts, loads=(*parts.loads, *(load._replace(paddr=load.paddr + at) for load in loads)))

    return apply


def _at_0(parts: Parts) -> Parts:
    return replace(parts, loads=(Load(_LOW, b"", filesz=64, at=0), *parts.loads))


def _cut_off(parts: Parts) -> Parts:
    return replace(_more(Load(0, b"memory" * 100))(parts), cut=500)


def _short_cpu(parts: Parts) -> Parts:
    return replace(parts, cpus=(build(b"CORE\0", 1, bytes(100), parts.order).raw, *parts.cpus[1:]))


def _sadump(parts: Parts) -> Parts:
    """Add the signature, with one of the CPU's notes: with both the file would be too large."""
    return replace(parts, cpus=parts.cpus[:1], notes_at=_BLOCK + 8, filler=b"sadump\0\0")


def _paging(parts: Parts) -> Parts:
    """Make one of the 65,000 headers of paging=true: a page by its address in the vmalloc area."""
    load = next(item for item in parts.loads if item.paddr == parts.uts)
    return parts.with_load(parts.uts, load._replace(vaddr=_VMALLOC + parts.uts))


def _wrong_address(parts: Parts) -> Parts:
    tables = next(line for line in parts.text.split(b"\n") if line.startswith(b"SYMBOL(swapper_pg_dir)="))
    va = int(tables.partition(b"=")[2], 16)
    return _memory(parts, lambda load: load._replace(vaddr=va))


def _xen_note(parts: Parts) -> Parts:
    """Add a note that QEMU does not append."""
    return replace(parts, after=build(XEN, 0, b"PAGESIZE=4096\n", parts.order).raw).without_entry()


def _no_paddrs(parts: Parts) -> Parts:
    return replace(parts, loads=tuple(load._replace(paddr=0) for load in parts.loads), home=0).without_entry()


def _one_header(parts: Parts) -> Parts:
    return _head("phnum", 1)(parts).without_entry()


def _no_memory(parts: Parts) -> Parts:
    return replace(parts, loads=()).without_entry()


def _memory(parts: Parts, change: Callable[[Load], Load | None]) -> Parts:
    load = next((item for item in parts.loads if item.paddr == parts.uts), None)
    return parts if load is None else parts.with_load(parts.uts, change(load))


def _other_name(parts: Parts) -> Parts:
    return _memory(parts, lambda load: load._replace(data=load.data.replace(b"Linux", b"Minix")))


def _half_a_page(parts: Parts) -> Parts:
    return _memory(parts, lambda load: load._replace(data=load.data[:2800]))


def _two_kernels(parts: Parts) -> Parts:
    """Add the kernel after kexec, 16 MiB higher, with page tables of its own, which the CPU uses."""
    own = cpus(parts.machine, parts.order, parts.tables + PHYS_BASE)
    return replace(parts, loads=(*parts.loads, *moved_memory(parts)), cpus=own)


def _other_release(parts: Parts) -> Parts:
    return parts.with_text(b"OSRELEASE=5.10.0-9-other\n" + parts.text.partition(b"\n")[2])


ELF_AND_MEMORY_DEFECTS: Final = (
    Defect("no-addresses", "writes p_vaddr 0, as QEMU does", _set(linear=None), ("i386",)),
    Defect("wrong-address", "puts the kernel's name at the address of its page tables",
           _wrong_address, ("x86_64", "aarch64")),
    Defect("built-for-another", "uses a guest of another machine than x86-64",
           lambda parts: parts, ("i386", "aarch64", "s390x")),
    Defect("byte-order", "uses a big-endian guest, of s390x", lambda parts: parts, ("s390x",)),
    Defect("no-name", "writes Minix where the kernel has its name, Linux", _other_name, ("x86_64", "aarch64")),
    Defect("half-a-page", "keeps half of the page with the kernel's name", _half_a_page, X86_64),
    Defect("other-release", "sets the release in the text to 5.10.0-9-other", _other_release),
    Defect("two-kernels", "adds a second kernel, 16 MiB higher, which the CPU runs", _two_kernels, X86_64),
    Defect("no-tables", "leaves out the page tables", lambda parts: parts.with_load(parts.tables, None), LITTLE),
    Defect("overlap", "adds two overlapping ranges of memory with different bytes",
           _more(Load(0, b"a" * 64), Load(32, b"b" * 64))),
    Defect("twice", "adds a range of memory twice", _more(Load(0, b"a" * 64), Load(0, b"a" * 64))),
    Defect("xen-note", "puts a VMCOREINFO_XEN note after the kernel's", _xen_note),
    Defect("no-paddrs", "writes p_paddr 0 into all program headers", _no_paddrs, X86_64),
    Defect("memory-at-0", "adds a lowest range of memory, with p_offset 0", _at_0, LITTLE),
    Defect("short-prstatus", "gives the CPU a PRSTATUS of 100 bytes", _short_cpu),
    Defect("sadump", "writes the signature of sadump at byte 4096", _sadump),
    Defect("paging", "gives a PT_LOAD a vmalloc address, as paging=true does", _paging, X86_64),
    Defect("elf32", "makes the file ELF32", _set(bits=32), X86_64),
    Defect("two-pt-notes", "puts the note into a second PT_NOTE", _set(two_areas=True)),
    Defect("e-type", "sets e_type to 0xfe00", _head("type", 0xFE00)),
    Defect("e-phentsize", "sets e_phentsize to 0", _head("phentsize", 0)),
    Defect("gap", "puts 32 bytes between the ELF header and the program headers", _set(gap=32), ("x86_64", "aarch64")),
    Defect("sections", "adds two section headers, neither of them for notes", _set(sections=True)),
    Defect("loads-first", "puts the PT_LOADs before the PT_NOTE", _set(loads_first=True)),
    Defect("notes-behind", "puts the notes after memory", _set(notes_after_memory=True)),
    Defect("p-align", "sets p_align to 4096", _set(p_align=4096)),
    Defect("ei-version", "sets EI_VERSION to 0", _set(ident=(("EI_VERSION", 0),))),
    Defect("e-phnum", "sets e_phnum to 1", _one_header),
    Defect("cut-off", "adds a range of memory and cuts the file off inside it", _cut_off),
    Defect("no-memory", "leaves out all memory", _no_memory),
)  # fmt: skip
