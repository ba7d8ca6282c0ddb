"""Damage the header area: ELF header, program headers, sections, layout."""

from __future__ import annotations

import random

from tests.dumps.elf_shape import Note, Section, Segment, Shape
from tests.dumps.records import PT_LOAD, PT_NOTE, SHT_NOTE
from tests.real.agreement.mutations import ODD_64, Mutations, near

head = Mutations()
_MACHINES = (0, 2, 3, 8, 20, 21, 22, 40, 50, 62, 183, 243, 247, 258, 0x9026, 0xFFFF)


@head(3)
def machine(rng: random.Random, shape: Shape) -> str:
    shape.header["machine"] = value = rng.choice(_MACHINES)
    return str(value)


@head(2)
def ident(rng: random.Random, shape: Shape) -> str:
    index = rng.choice((0, 1, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 15))
    shape.ident[index] = value = rng.choice((0, 1, 2, 3, 9, 127, 255))
    return f"{index}={value}"


@head(3)
def type_or_version(rng: random.Random, shape: Shape) -> str:
    name = rng.choice(("type", "version"))
    shape.header[name] = value = rng.choice((0, 1, 2, 3, 4, 5, 0xFE00, 0xFFFF))
    return f"{name}={value}"


@head(3)
def harmless_field(rng: random.Random, shape: Shape) -> str:
    name = rng.choice(("entry", "flags", "ehsize", "shentsize", "shstrndx"))
    shape.header[name] = value = rng.choice(ODD_64)
    return f"{name}={value}"


@head(2)
def e_phoff(rng: random.Random, shape: Shape) -> str:
    shape.header["phoff"] = value = near(rng, 64 if shape.bits == 64 else 52)
    return str(value)


@head(2)
def e_phentsize(rng: random.Random, shape: Shape) -> str:
    shape.header["phentsize"] = value = rng.choice((0, 1, 8, 31, 32, 33, 40, 55, 56, 57, 64, 112, 0xFFFF))
    return str(value)


@head(3)
def e_phnum(rng: random.Random, shape: Shape) -> str:
    count = len(shape.segments)
    shape.header["phnum"] = value = rng.choice((0, 1, 2, count - 1, count + 1, count + 5, 100, 2000, 0xFFFE, 0xFFFF))
    return str(value)


@head(2)
def section_fields(rng: random.Random, shape: Shape) -> str:
    out = []
    for name in rng.sample(("shoff", "shnum", "shentsize", "shstrndx"), rng.choice((1, 1, 2, 3))):
        value = rng.choice((0, 1, 2, 3, 40, 64, 65, 192, 4096, 0xFF00, 0xFFFF, 1 << 20, 1 << 40, (1 << 64) - 1))
        shape.header[name] = value
        out.append(f"{name}={value}")
    return " ".join(out)


@head(4)
def section_table(rng: random.Random, shape: Shape) -> str:
    """Add a table with or without SHT_NOTE, first as QEMU has it or last, of 1 to 4 headers."""
    shape.sections = [Section()]
    shape.sections_first = rng.random() < 0.5
    notes = rng.random() < 0.6
    if notes:
        area = rng.choice(shape.areas) if shape.areas else None
        shape.sections.append(Section(SHT_NOTE, align=rng.choice((0, 1, 4, 4, 8, 16)), name=1, over=area))
    if rng.random() < 0.6:
        shape.sections.append(Section(3, b"\0.shstrtab\0", name=1))
    if rng.random() < 0.2:
        shape.sections.append(Section(rng.choice((1, 8, 0x70000000)), b"data", 1))
    if rng.random() < 0.2:
        rng.choice(shape.sections).offset = rng.choice(ODD_64)
    if rng.random() < 0.1:
        rng.choice(shape.sections).size = rng.choice(ODD_64)
    if rng.random() < 0.2:
        shape.sections.pop(0)
    return f"{[s.kind for s in shape.sections]} align {[s.align for s in shape.sections]}"


@head(2)
def no_sections(rng: random.Random, shape: Shape) -> str | None:
    if not shape.sections:
        return None
    shape.sections, shape.sections_first = [], False
    return "dropped"


@head(2)
def xnum(rng: random.Random, shape: Shape) -> str:
    """Set PN_XNUM with a right or a wrong section 0; real tables of 65,600 headers are rare, because they are slow."""
    if rng.random() < 0.1:
        return _many(rng, shape, 65600)
    shape.header["phnum"] = 0xFFFF
    info = rng.choice((len(shape.segments), len(shape.segments), 0, 1, len(shape.segments) + 1))
    shape.sections = [Section(info=info)] if rng.random() < 0.8 else []
    if rng.random() < 0.3 and shape.sections:
        shape.header["shnum"] = rng.choice((0, 2))
    return f"sh_info {info}, {len(shape.sections)} sections"


@head(2)
def many_headers(rng: random.Random, shape: Shape) -> str:
    return _many(rng, shape, rng.choice((200, 2000, 5000)))


def _many(rng: random.Random, shape: Shape, count: int) -> str:
    """Add PT_LOADs over the same bytes, as with paging=true, or without bytes."""
    if not shape.memory:
        return "no memory"
    last = shape.memory[-1]
    same = rng.random() < 0.5
    for n in range(count):
        extra = Segment(PT_LOAD, vaddr=(1 << 47) + n * 4096, paddr=last.paddr if same else (n << 20) + (1 << 32))
        extra.over = last if same else None
        shape.segments.append(extra)
    return f"{count} more, {'over the same bytes' if same else 'without bytes'}"


@head(7)
def load_field(rng: random.Random, shape: Shape) -> str | None:
    """Change one field of one PT_LOAD."""
    if not shape.memory:
        return None
    segment = rng.choice(shape.memory)
    name = rng.choice(("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align"))
    if name == "type":
        value = rng.choice((0, 2, 3, 4, 5, 6, 0x6474E550, 0x6FFFFFFF))
    elif name == "align":
        value = rng.choice((1, 4, 8, 4096, 65536, 3))
    else:
        value = near(rng, 4096)
    setattr(segment, name, value)
    return f"{name}={value:#x}"


@head(4)
def note_field(rng: random.Random, shape: Shape) -> str | None:
    """Change a field of a PT_NOTE that most readers ignore, or its alignment."""
    if not shape.areas:
        return None
    segment = rng.choice(shape.areas)
    name = rng.choice(("flags", "vaddr", "paddr", "memsz", "align", "align", "align"))
    value = rng.choice((0, 1, 2, 3, 4, 8, 16, 0x1000)) if name == "align" else rng.choice(ODD_64)
    setattr(segment, name, value)
    return f"{name}={value:#x}"


@head(4)
def second_note_segment(rng: random.Random, shape: Shape) -> str | None:
    """Move VMCOREINFO, or every note, to its own PT_NOTE; or add an empty PT_NOTE."""
    if not shape.areas:
        return None
    area = shape.areas[0]
    at = shape.segments.index(area)
    assert area.notes is not None
    way = rng.choice(("last", "each", "empty", "far"))
    if way == "empty":
        shape.segments.insert(at + rng.choice((0, 1)), Segment(PT_NOTE, []))
    elif way == "each":
        shape.segments[at : at + 1] = [Segment(PT_NOTE, [note]) for note in area.notes]
    elif area.notes:
        last = Segment(PT_NOTE, [area.notes.pop()], align=area.align)
        shape.segments.insert(at + 1 if way == "last" else len(shape.segments), last)
    return way


@head(3)
def order_of_headers(rng: random.Random, shape: Shape) -> str:
    way = rng.choice(("load first", "shuffled", "reversed", "reversed loads"))
    if way == "shuffled":
        rng.shuffle(shape.segments)
    elif way == "reversed":
        shape.segments.reverse()
    elif way == "load first":
        shape.segments.append(shape.segments.pop(0))
    else:
        shape.segments[1:] = reversed(shape.segments[1:])
    return way


@head(3)
def notes_behind_memory(rng: random.Random, shape: Shape) -> str:
    shape.notes_behind = True
    return ""


@head(4)
def gap(rng: random.Random, shape: Shape) -> str:
    shape.gap = rng.choice((1, 4, 8, 12, 64, 1000, 4096, 70000))
    return f"{shape.gap} before memory"


@head(4)
def page_aligned(rng: random.Random, shape: Shape) -> str:
    """Align to pages as netdump does, with or without an alignment in the headers."""
    shape.memory_align = rng.choice((4096, 4096, 512, 65536))
    align = rng.choice((0, 1, 4096))
    for segment in shape.memory:
        segment.align = align
    return f"memory at {shape.memory_align}, p_align {align}"


@head(2)
def aligned_notes(rng: random.Random, shape: Shape) -> str:
    shape.notes_align = rng.choice((8, 64, 4096))
    return str(shape.notes_align)


@head(2)
def fewer_loads(rng: random.Random, shape: Shape) -> str:
    kept = rng.choice((0, 0, 1, 2))
    loads = shape.memory
    shape.segments = [s for s in shape.segments if s.notes is not None] + loads[:kept]
    return f"{kept} left"


@head(1.5)
def other_order(rng: random.Random, shape: Shape) -> str:
    """Write the file in the other byte order, except memory and notes."""
    shape.order = "big" if shape.order == "little" else "little"
    return shape.order


@head(1.5)
def other_class(rng: random.Random, shape: Shape) -> str:
    """Write the file in the other class; values that do not fit are truncated."""
    shape.bits = 32 if shape.bits == 64 else 64
    shape.header.pop("ehsize", None)
    return str(shape.bits)


@head(2)
def qemu_layout(rng: random.Random, shape: Shape) -> str:
    """Lay the file out as QEMU 7.2 and later: two sections first, e_ehsize 8."""
    shape.sections = [Section(), Section(3, b"\0.shstrtab\0", swapped=shape.order == "big")]
    shape.sections_first = True
    shape.header["ehsize"] = 8
    return ""


@head(1)
def prstatus_size(rng: random.Random, shape: Shape) -> str | None:
    """Change the size of CPU notes, which depends on the machine."""
    cores = [n for n in shape.notes if n.name == b"CORE\0"]
    if not cores:
        return None
    size = rng.choice((0, 4, 112, 144, 148, 268, 336, 392, 504, 1000))
    for note in cores:
        note.desc = note.desc[:size].ljust(size, b"\1")
    return str(size)


@head(1)
def more_cpus(rng: random.Random, shape: Shape) -> str | None:
    cores = [n for n in shape.notes if n.name == b"CORE\0"]
    if not cores:
        return None
    count = rng.choice((8, 60, 300))
    area = shape.areas[0]
    assert area.notes is not None
    area.notes[:0] = [Note(cores[0].name, cores[0].desc, cores[0].kind) for _ in range(count)]
    return f"{count} more"
