"""Make random dumps and random edits, as hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.dumps import factory, plain_elf
from tests.dumps.records import PT_LOAD, Bits, Order
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.state import State
from vmci_tui.formats.elf_note import ByteOrder

_LENGTHS = (0, 1, 100, 4095, 4096, 5000, 12288, 20000)
_TEXTS = (b"", b"OSRELEASE=6\n", factory.TEXT_64, b"KEY=value\n" * 300, b"KEY=value\n" * 900, b"A=1\n" * 6000)


@st.composite
def loads(draw: st.DrawFn, bits: int) -> list[factory.Load]:
    """Draw memory ranges; some headers name the bytes of another, some have no bytes."""
    out: list[factory.Load] = []
    paddr = draw(st.sampled_from((0, 0x1000, 0x12345, 1 << 30)))
    kernel = 0xFFFF888000000000 if bits == 64 else 0xC0000000
    own: list[int] = []
    for number in range(draw(st.integers(1, 6))):
        vaddr = draw(st.sampled_from((0, paddr, (kernel + paddr) % (1 << bits), (1 << bits) - 0x1800)))
        if own and draw(st.integers(0, 3)) == 0:
            at = draw(st.sampled_from(own))
            same = draw(st.booleans())
            out.append(factory.Load(out[at].paddr if same else paddr, vaddr=vaddr, at=at))
            paddr += 0 if same else len(out[at].data)
        else:
            data = factory.ram(draw(st.sampled_from(_LENGTHS)), number + 1)
            more = draw(st.sampled_from((0, 0, 0, 1, 8192)))
            out.append(factory.Load(paddr, data, len(data) + more, vaddr))
            own.append(number)
            paddr += len(data) + more
        paddr = (paddr + draw(st.sampled_from((0, 0x1000, 1 << 20)))) % (1 << bits)
    return out


@st.composite
def dumps(draw: st.DrawFn) -> bytes:
    """Draw a dump of either class and byte order, classic or as QEMU writes it, whole or truncated, in any order."""
    bits: Bits = draw(st.sampled_from((64, 64, 32)))
    order: Order = draw(st.sampled_from(("little", "big")))
    area = factory.cpus(draw(st.integers(1, 3)), order)
    if draw(st.booleans()):
        area += factory.note(order=order)
    notes = draw(st.sampled_from(((area,), (area,), (area, factory.note(b"x", b"MORE\0", order=order)), ())))
    behind = draw(st.integers(0, 5)) == 0
    data = factory.elf(
        notes,
        draw(loads(bits)),
        bits,
        order,
        {("little", 64): factory.X86_64, ("little", 32): factory.I386}.get((order, bits), factory.S390),
        draw(st.booleans()),
        draw(st.sampled_from((0, 0, 4, 4096))),
        draw(st.booleans()),
        behind,
        draw(st.sampled_from(((), (), (b"tweak" * 9, b"X" * 64)))),
        draw(st.sampled_from((0, 0, 1, 3000, 4096, 9000))),
    )
    rows = plain_elf.rows(data)
    if draw(st.booleans()):
        rows = [_window(draw, row) for row in draw(st.permutations(rows))]
    data = plain_elf.with_rows(data, rows)
    first = min((r.offset for r in rows if r.type == PT_LOAD and r.filesz), default=len(data))
    lost = 0 if behind else draw(st.sampled_from((0, 0, 1, 700, 5000, 30000)))
    return data[: max(len(data) - lost, min(first, len(data)))]


def _window(draw: st.DrawFn, row: plain_elf.Row) -> plain_elf.Row:
    """Return sometimes only a part of the range that the header named."""
    if row.type != PT_LOAD or row.filesz < 2 or draw(st.booleans()):
        return row
    skip = draw(st.integers(0, row.filesz - 1))
    left = row.filesz - skip
    return row._replace(offset=row.offset + skip, filesz=left, memsz=max(row.memsz - skip, left))


@st.composite
def edited(draw: st.DrawFn, state: State, order: ByteOrder) -> State:
    """Draw the state after one edit: a note added, changed or removed."""
    what = draw(st.sampled_from(("append", "append", "append", "set", "strip")))
    if what == "set" and state.vmcoreinfo is not None:
        return edit_text.set_key(state, b"OSRELEASE", draw(st.sampled_from((b"6", b"7" * 5000, b"8" * 9000))))
    if what == "strip" and state.note is not None:
        return edit_notes.strip(state)
    return edit_notes.append_text(state, draw(st.sampled_from(_TEXTS)), order)
