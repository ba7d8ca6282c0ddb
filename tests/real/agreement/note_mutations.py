"""Damage the notes: names, types, sizes, padding, order, number."""

from __future__ import annotations

import random

from tests.dumps.elf_shape import Note, Segment, Shape
from tests.dumps.records import NOTE_NAME
from tests.real.agreement.mutations import ODD_64, Mutations

notes = Mutations()
"""Damage over which readers differ."""
losses = Mutations()
"""Damage by which nearly every reader misses the note."""
_OTHER_TEXT = b"OSRELEASE=9.9.9-other\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff82610000\n"
_NAMES = (b"VMCOREINFO", b"VMCOREINFO\0\0", b"VMCOREINFO\0X\0", b"VMCOREINFO\0XXXXXXXXXXX\0", b"VMCOREINFO \0",
          b"VMCOREINFO_XEN\0", b"VMCOREINFO_FOO\0", b"VMCOREINFOX\0", b"VMCOREINFO\n\0",
          b"VMCOREINFO" + b"X" * 40 + b"\0", b"XVMCOREINFO\0", b"vmcoreinfo\0", b"VMCOREINF\0", b"VMCOREINF",
          b"\0VMCOREINFO\0", b"VMCOREINFO" + b"\0" * 9, b"VMCORE\0INFO\0", b"VMCOREINFO\xff\0", b"")  # fmt: skip


def _place(shape: Shape) -> tuple[Segment, list[Note], int] | None:
    """Return the area, its notes and the index of VMCOREINFO in them."""
    wanted = shape.vmcoreinfo
    for area in shape.areas:
        assert area.notes is not None
        for index, note in enumerate(area.notes):
            if note is wanted:
                return area, area.notes, index
    return None


@notes(5)
def name(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.name = rng.choice(_NAMES)
    return str(note.name)


@notes(5)
def kind(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.kind = rng.choice((1, 1, 2, 3, 4, 5, 6, 9, 0x20, 0x100, 0x1234, 0x46494C45, 0x53494749, 0xFFFFFFFF))
    return hex(note.kind)


@notes(3)
def name_size(rng: random.Random, shape: Shape) -> str | None:
    note = rng.choice(shape.notes) if shape.notes and rng.random() < 0.3 else shape.vmcoreinfo
    if note is None:
        return None
    note.namesz = rng.choice((0, 1, 4, 9, 10, 11, 12, 13, 15, 16, 17, 64, 0x7FFFFFFF, 0xFFFFFFF5, 0xFFFFFFFF))
    return f"{note.name!r} says {note.namesz}"


@notes(5)
def desc_size(rng: random.Random, shape: Shape) -> str | None:
    note = rng.choice(shape.notes) if shape.notes and rng.random() < 0.3 else shape.vmcoreinfo
    if note is None:
        return None
    size = len(note.desc)
    close = (size - 100, size - 5, size - 4, size - 3, size - 2, size - 1, size + 1, size + 2, size + 3, size + 4)
    far = (0, 1, 4, 12, 100, size // 2, size + 8, size + 4096, size + 65536, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF)
    note.descsz = max(rng.choice(close if rng.random() < 0.7 else far), 0)
    return f"{note.name!r} says {note.descsz}, has {size}"


@notes(3)
def word_order(rng: random.Random, shape: Shape) -> str | None:
    """Swap the byte order of the three header words."""
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.swapped = not note.swapped
    return ""


@notes(7)
def second_note(rng: random.Random, shape: Shape) -> str | None:
    found = _place(shape)
    if found is None:
        return None
    _, area, index = found
    own = area[index]
    text = rng.choice(
        (own.desc, _OTHER_TEXT, _OTHER_TEXT, b"", b"\0" * 64, b"OSRELEASE=", own.desc[: len(own.desc) // 2])
    )
    extra = Note(rng.choice((NOTE_NAME, NOTE_NAME, NOTE_NAME, NOTE_NAME, b"VMCOREINFO", b"VMCOREINFO_XEN\0")), text)
    extra.kind = rng.choice((0, 0, 0, 1, 9))
    at = rng.choice((index, index, index + 1, index + 1, index + 1, 0))
    area.insert(at, extra)
    return f"{extra.name!r}, type {extra.kind}, {text[:20]!r}, {'before' if at <= index else 'behind'}"


@notes(5)
def zeros(rng: random.Random, shape: Shape) -> str | None:
    """Add zero bytes before a note or after the last: 12 are an empty note, 4 or 8 misalign readers."""
    if not shape.notes:
        return None
    count = rng.choice((1, 2, 3, 4, 8, 12, 12, 12, 16, 20, 24, 36, 100, 4096))
    if rng.random() < 0.5:
        area = rng.choice(shape.areas)
        area.trailing += bytes(count)
        return f"{count} behind"
    note = rng.choice(shape.notes) if rng.random() < 0.4 else shape.notes[-1]
    note.zeros = count
    return f"{count} before {note.name!r}"


@notes(3)
def junk_behind(rng: random.Random, shape: Shape) -> str | None:
    if not shape.areas:
        return None
    area = rng.choice(shape.areas)
    area.trailing += rng.randbytes(rng.choice((1, 4, 8, 12, 24, 200)))
    return ""


@notes(5)
def padding(rng: random.Random, shape: Shape) -> str | None:
    """Fill the padding with other bytes, or drop it at the end."""
    if not shape.notes:
        return None
    if rng.random() < 0.5:
        for note in shape.notes:
            note.pad = rng.choice((b"\xff", b"X", b"\n"))
        return "not zero"
    shape.notes[-1].ends_padded = False
    return "none at the end"


@notes(5)
def padded_to_8(rng: random.Random, shape: Shape) -> str | None:
    """Pad notes to 8 or 4, with p_align 8 or not: readers differ in which they follow."""
    if not shape.areas:
        return None
    p_align, align = rng.choice(((8, 4), (8, 8), (0, 8), (4, 8), (16, 4), (0x1000, 4)))
    for area in shape.areas:
        area.align = p_align
    for note in shape.notes:
        note.align = align
    return f"notes to {align}, p_align {p_align}"


@notes(5)
def order_of_notes(rng: random.Random, shape: Shape) -> str | None:
    if not shape.areas or len(shape.notes) < 2:
        return None
    area = shape.areas[0].notes
    assert area is not None
    if rng.random() < 0.5:
        area.insert(0, area.pop())
        return "last first"
    rng.shuffle(area)
    return "shuffled"


@notes(4)
def fewer_notes(rng: random.Random, shape: Shape) -> str | None:
    """Remove the notes of the CPUs, or of QEMU, by which drgn recognizes a dump."""
    away = rng.choice(((b"CORE\0",), (b"QEMU\0",), (b"CORE\0", b"QEMU\0")))
    if not any(n.name in away for n in shape.notes):
        return None
    for area in shape.areas:
        area.notes = [n for n in area.notes or () if n.name not in away]
    return f"no {away}"


@notes(4)
def foreign_note(rng: random.Random, shape: Shape) -> str | None:
    """Add a note that QEMU does not write."""
    if not shape.areas:
        return None
    area = shape.areas[0].notes
    assert area is not None
    extra = rng.choice(
        (
            Note(b"VMCOREINFO_XEN\0", _OTHER_TEXT),
            Note(b"Xen\0", bytes(72), 0x1000001),
            Note(b"ERASEINFO\0", b"erase x\n"),
            Note(b"LINUX\0", bytes(88), 0x700),
            Note(b"GNU\0", bytes(range(20)), 3),
            Note(b"CORE\0", bytes(136), 3),
            Note(b"CORE\0", b"x" * 40, 6),
            Note(b"SNAP\0", bytes(256), 1),
            Note(b"FOO\0", b"bar"),
            Note(b"", b""),
            Note(b"", b"four"),
            Note(b"QEMU\0", b"", 1),
        )
    )
    area.insert(rng.randrange(len(area) + 1), extra)
    return repr(extra.name)


@notes(2)
def note_words(rng: random.Random, shape: Shape) -> str | None:
    """Change a header word of a CPU's note."""
    others = [n for n in shape.notes if n is not shape.vmcoreinfo]
    if not others:
        return None
    note = rng.choice(others)
    field = rng.choice(("kind", "descsz", "namesz"))
    value = rng.choice(ODD_64) & 0xFFFFFFFF
    setattr(note, field, value)
    return f"{note.name!r} {field}={value:#x}"


@notes(2)
def name_of_cpus(rng: random.Random, shape: Shape) -> str | None:
    others = [n for n in shape.notes if n is not shape.vmcoreinfo]
    if not others:
        return None
    note = rng.choice(others)
    note.name = rng.choice((b"CORE", b"QEMU", b"core\0", b"QEMU\0\0", b"X", b""))
    return repr(note.name)


@losses(6)
def removed(rng: random.Random, shape: Shape) -> str | None:
    found = _place(shape)
    if found is None:
        return None
    del found[1][found[2]]
    return ""


@losses(3)
def all_notes_removed(rng: random.Random, shape: Shape) -> str:
    for area in shape.areas:
        area.notes = []
    return ""


@losses(4)
def renamed(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.name = rng.choice(
        (b"vmcoreinfo\0", b"VMCOREINF0\0", b"VMCOREINF\0", b"FOO\0", b"QEMU\0", b"\0VMCOREINFO", b"CORE\0")
    )
    return repr(note.name)


@losses(4)
def out_of_step(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.zeros = rng.choice((1, 2, 4, 4, 8, 8))
    return f"{note.zeros} zeros before"


@losses(3)
def note_segment(rng: random.Random, shape: Shape) -> str | None:
    """Change the PT_NOTE: its type, its offset or its length."""
    if not shape.areas:
        return None
    area = shape.areas[0]
    way = rng.choice(("type", "offset", "filesz"))
    if way == "type":
        area.type = rng.choice((0, 1, 2, 5, 0x6474E550))
        return f"type={area.type}"
    length = len(area.content(shape.order))
    if way == "offset":
        area.offset = rng.choice((0, 64, 1, 1 << 20, 1 << 40, (1 << 64) - 1, 400))
        return f"offset={area.offset}"
    area.filesz = rng.choice((0, 1, 12, 100, length // 2, length - 1, length - 4, length - 5, length + 4, 1 << 32))
    return f"filesz={area.filesz} of {length}"


@losses(3)
def sizes_before(rng: random.Random, shape: Shape) -> str | None:
    """Falsify the length of an earlier note, so that the notes after it are missed."""
    found = _place(shape)
    if found is None or found[2] == 0:
        return None
    note = found[1][rng.randrange(found[2])]
    note.descsz = rng.choice((0, 4, len(note.desc) + 4, len(note.desc) - 8, 1 << 20, 0xFFFFFFFF))
    return f"{note.name!r} says {note.descsz}"


@losses(2)
def zero_note(rng: random.Random, shape: Shape) -> str | None:
    """Add the 12 zeros of an entry that points outside memory."""
    found = _place(shape)
    if found is None:
        return None
    del found[1][found[2]]
    found[0].trailing = bytes(12)
    return ""


@losses(1)
def class_byte(rng: random.Random, shape: Shape) -> str:
    shape.ident[4] = value = rng.choice((0, 1, 2, 3))
    return str(value)


@losses(1)
def order_byte(rng: random.Random, shape: Shape) -> str:
    shape.ident[5] = value = rng.choice((0, 1, 2, 3))
    return str(value)


@losses(1)
def magic(rng: random.Random, shape: Shape) -> str:
    shape.ident[rng.randrange(4)] = 0
    return ""


@losses(2)
def swapped_words(rng: random.Random, shape: Shape) -> str | None:
    note = shape.vmcoreinfo
    if note is None:
        return None
    note.swapped = not note.swapped
    return ""
