"""Write parts as a dump; ELF headers are in the order that readers need, unless a part says otherwise."""

from __future__ import annotations

from vmci_tui.bench.parts import Load, Parts
from vmci_tui.bench.write_kdump import kdump_bytes
from vmci_tui.formats.elf_records import (
    IDENT,
    MAGIC,
    PN_XNUM,
    PT_LOAD,
    PT_NOTE,
    ElfFormat,
    ElfHeader,
    Section,
    Segment,
    format_of,
)
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT, linux_size


def dump_bytes(parts: Parts) -> bytes:
    """Return the whole file."""
    loads = sorted((*parts.loads, *_region(parts)), key=lambda load: load.paddr)
    return _elf(parts, loads) if parts.kdump is None else kdump_bytes(parts, parts.kdump, loads)


def _elf(parts: Parts, loads: list[Load]) -> bytes:
    form = format_of(parts.bits, parts.order)
    areas = _areas(parts)
    count = len(areas) + len(loads)
    sections = 2 if parts.sections or parts.counted else 0
    table = form.header_size + parts.gap
    section_table = table + count * form.segment.size
    head = max(section_table + sections * form.section.size, parts.notes_at)
    begin = head + (0 if parts.notes_after_memory else sum(map(len, areas)))
    mapped, at = [], begin
    for load in loads:
        place = at if load.at is None else load.at
        filesz = len(load.data) if load.filesz is None else load.filesz
        mapped.append(
            Segment(
                PT_LOAD,
                0,
                place,
                _vaddr(parts, load) % form.top,
                load.paddr,
                filesz,
                load.memsz or filesz,
                parts.p_align,
            )
        )
        at += len(load.data)
    own, where = [], at if parts.notes_after_memory else head
    for area in areas:
        own.append(Segment(PT_NOTE, 0, where, 0, 0, len(area), len(area), parts.p_align))
        where += len(area)
    segments = [*mapped, *own] if parts.loads_first else [*own, *mapped]
    out = bytearray(_header(parts, form, count, table, section_table if sections else 0))
    out += bytes(parts.gap) + b"".join(map(form.pack_segment, segments)) + _sections(parts, form, count, sections)
    out += parts.filler.rjust(head - len(out), b"\0")
    notes, memory = b"".join(areas), b"".join(load.data for load in loads)
    out += memory + notes if parts.notes_after_memory else notes + memory
    return bytes(out[: len(out) - parts.cut])


def _vaddr(parts: Parts, load: Load) -> int:
    return load.paddr + parts.linear if parts.linear is not None and not load.vaddr else load.vaddr


def _areas(parts: Parts) -> list[bytes]:
    """Return the contents of the PT_NOTEs."""
    own = parts.before + (b"" if parts.absent else parts.note) + parts.after
    areas = [b"".join(parts.cpus), own] if parts.two_areas else [b"".join(parts.cpus) + own]
    areas[-1] = areas[-1][: len(areas[-1]) - parts.trimmed]
    return [area for area in areas if area]


def _region(parts: Parts) -> tuple[Load, ...]:
    """Return the memory in which the guest keeps its note, of the size that Linux allocates."""
    if not parts.loads:
        return ()
    region = parts.note if parts.region is None else parts.region
    region = region.ljust(linux_size(4096), b"\0")
    return (Load(parts.home, region, max(min(parts.announced, SIZE_LIMIT), len(region))),)


def _header(parts: Parts, form: ElfFormat, count: int, table: int, section_table: int) -> bytes:
    ident = bytearray(IDENT.pack(MAGIC, parts.bits // 32, 1 if parts.order == "little" else 2, 1, 0, 0, b""))
    for field, value in parts.ident:
        ident[IDENT.span(field).offset] = value
    header = ElfHeader(
        type=4, machine=parts.number, version=1, entry=0, phoff=table, shoff=section_table, flags=0,
        ehsize=form.header_size, phentsize=form.segment.size, phnum=PN_XNUM if parts.counted else count,
        shentsize=form.section.size if section_table else 0, shnum=2 if section_table else 0, shstrndx=0,
    )  # fmt: skip
    return bytes(ident) + form.header.pack(*header._replace(**dict(parts.head)))


def _sections(parts: Parts, form: ElfFormat, count: int, number: int) -> bytes:
    """Return two headers without names; the first has the number of program headers if `counted`."""
    empty = Section(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    first = empty._replace(info=count if parts.counted else 0)
    return b"".join(form.section.pack(*item) for item in (first, empty)[:number])
