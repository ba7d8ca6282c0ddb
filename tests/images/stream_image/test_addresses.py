"""Where the guest has its RAM blocks: by the machine type, the clock, and what decides between several orders."""

from __future__ import annotations

import struct

import pytest

from vmci_tui.common.errors import UsageError
from vmci_tui.formats.elf_note import Note, build
from vmci_tui.formats.registers.other_sets import QEMU_STATE
from vmci_tui.images.qemu_stream.head import Block
from vmci_tui.images.stream_image.addresses import Layout, Placed, is_ram, layouts
from vmci_tui.images.stream_image.choose import decide
from vmci_tui.images.stream_image.stream_memory import StreamMemory
from vmci_tui.layers.file import BytesSource

_MIB, _GIB = 1 << 20, 1 << 30


def _cmos(below: int, above: int = 0) -> bytes:
    out = bytearray(128)
    if below >= 16 * _MIB:
        out[0x34:0x36] = struct.pack("<H", below - 16 * _MIB >> 16)
    else:
        out[0x17:0x19] = struct.pack("<H", below - _MIB >> 10)
    out[0x5B:0x5E] = struct.pack("<I", above >> 16)[:3]
    return bytes(out)


def _placed(machine: str, blocks: list[tuple[str, int]], cmos: bytes = b"") -> list[list[tuple[str, int, int]]]:
    """Return of each layout the block, paddr and length of its ranges."""
    found = layouts(machine, tuple(Block(*block) for block in blocks), cmos)
    return [[(blocks[item.block][0], item.paddr, item.length) for item in one.placed] for one in found]


@pytest.mark.parametrize(
    ("machine", "blocks", "cmos", "wanted"),
    [
        ("pc-i440fx-7.2", [("pc.ram", 192 * _MIB)], _cmos(192 * _MIB), [("pc.ram", 0, 192 * _MIB)]),
        (
            "pc-q35-9.0",
            [("pc.ram", 192 * _MIB), ("pc.bios", 256 << 10), ("vga.vram", 16 * _MIB)],
            _cmos(128 * _MIB, 64 * _MIB),
            [
                ("pc.ram", 0, 128 * _MIB),
                ("pc.ram", 4 * _GIB, 64 * _MIB),
                ("pc.bios", 4 * _GIB - (256 << 10), 256 << 10),
            ],
        ),
        (
            "pc-q35-9.0",
            [("m0", 64 * _MIB), ("/objects/m1", 64 * _MIB)],
            _cmos(96 * _MIB, 32 * _MIB),
            [
                ("m0", 0, 64 * _MIB),
                ("/objects/m1", 64 * _MIB, 32 * _MIB),
                ("/objects/m1", 4 * _GIB, 32 * _MIB),
            ],
        ),
        ("microvm", [("microvm.ram", 4 * _GIB)], b"", [("microvm.ram", 0, 3 * _GIB), ("microvm.ram", 4 * _GIB, _GIB)]),
        (
            "microvm",
            [("microvm.ram", 64 * _MIB), ("pc.bios", 64 << 10)],
            b"",
            [
                ("microvm.ram", 0, 0xF0000),
                ("microvm.ram", _MIB, 63 * _MIB),
                ("pc.bios", 0xF0000, 64 << 10),
                ("pc.bios", 4 * _GIB - (64 << 10), 64 << 10),
            ],
        ),
        ("pc-q35-9.0", [("pc.ram", 4 * _GIB)], b"", [("pc.ram", 0, 2 * _GIB), ("pc.ram", 4 * _GIB, 2 * _GIB)]),
        ("isapc", [("pc.ram", 8 * _MIB)], _cmos(8 * _MIB), [("pc.ram", 0, 8 * _MIB)]),
        ("virt-7.2", [("mach-virt.ram", _GIB), ("virt.flash0", 64 * _MIB)], b"", [("mach-virt.ram", _GIB, _GIB)]),
        ("virt", [("riscv_virt_board.ram", _GIB)], b"", [("riscv_virt_board.ram", 2 * _GIB, _GIB)]),
        ("s390-ccw-virtio-7.2", [("s390.ram", _GIB)], b"", [("s390.ram", 0, _GIB)]),
        ("pseries-7.2", [("ppc_spapr.ram", _GIB)], b"", [("ppc_spapr.ram", 0, _GIB)]),
    ],
)
def test_one_layout(
    machine: str, blocks: list[tuple[str, int]], cmos: bytes, wanted: list[tuple[str, int, int]]
) -> None:
    assert _placed(machine, blocks, cmos) == [wanted]


def test_what_is_assumed_without_a_clock_is_said() -> None:
    (layout,) = layouts("pc-q35-9.0", (Block("pc.ram", 4 * _GIB),), b"")
    assert "assumed" in layout.doubts[0]


def test_a_dimm_is_left_out() -> None:
    (layout,) = layouts("pc-q35-9.0", (Block("d1", _GIB), Block("pc.ram", 64 * _MIB)), _cmos(64 * _MIB))
    assert layout == Layout((Placed(0, 64 * _MIB, 1, 0),), (0,))


def test_the_blocks_that_make_the_whole_memory_are_taken() -> None:
    (layout,) = layouts("pc-q35-9.0", (Block("d1", _GIB), Block("ram0", 64 * _MIB)), _cmos(64 * _MIB))
    assert layout == Layout((Placed(0, 64 * _MIB, 1, 0),), (0,))


def test_no_block_is_placed_where_none_fits() -> None:
    (layout,) = layouts("pc-q35-9.0", (Block("d1", _GIB), Block("d2", _GIB)), _cmos(64 * _MIB))
    assert layout == Layout((), (0, 1))


def test_every_order_of_unequal_blocks() -> None:
    blocks = [("c", 48 * _MIB), ("b", 32 * _MIB), ("a", 32 * _MIB)]
    found = _placed("pc-q35-9.0", blocks, _cmos(112 * _MIB))
    assert ["".join(name for name, _, _ in one) for one in found] == ["cba", "bca", "bac"]


def test_too_many_orders_place_nothing() -> None:
    blocks = tuple(Block(f"m{n}", (n + 1) * _MIB) for n in range(6, 0, -1))
    (layout,) = layouts("pc-q35-9.0", blocks, _cmos(sum(block.length for block in blocks)))
    assert layout.placed == ()
    assert layout.unplaced == tuple(range(6))


def test_names() -> None:
    assert all(map(is_ram, ("pc.ram", "m0", "/objects/m0", "mach-virt.ram")))
    others = ("pc.bios", "pc.rom", "vga.vram", "/rom@etc/acpi/tables", "0000:00:02.0/qxl.vram", "system.flash0")
    assert not any(map(is_ram, others))


_TABLES = 0x7000
"""Where the page tables are in the small block, which begins at paddr 0."""


def _cpu(root: int) -> Note:
    record = QEMU_STATE.record("little")
    values = {field.name: 0 for field in record.fields} | {
        "cr0": 1 << 31,
        "cr3": root,
        "rip": 0xFFFF_8000_0000_0010,
        "idt.base": 0xFFFF_8000_0000_0000,
    }
    return build(b"QEMU\0", 0, record.pack(*(values[field.name] for field in record.fields)), "little")


def _memory(blocks: tuple[Block, ...]) -> StreamMemory:
    """The small block, `a`, has tables of which the first entry of the upper half maps everything."""
    data = {block.name: bytearray(block.length) for block in blocks}
    for level, entry in enumerate((_TABLES + 0x1000 | 1, _TABLES + 0x2000 | 1, 0x81)):
        at = _TABLES + level * 0x1000 + (0x800 if level == 0 else 0)
        data["a"][at : at + 8] = struct.pack("<Q", entry)
    return StreamMemory(blocks, lambda _: [BytesSource(bytes(data[block.name])) for block in blocks])


def test_page_tables_decide_the_order() -> None:
    blocks = (Block("b", 32 * _MIB), Block("a", 16 * _MIB))
    possible = layouts("pc-q35-9.0", blocks, _cmos(48 * _MIB))
    layout = decide(possible, _memory(blocks), None, [_cpu(_TABLES)])
    assert layout.placed == (Placed(0, 16 * _MIB, 1, 0), Placed(16 * _MIB, 32 * _MIB, 0, 0))
    assert "page tables" in layout.doubts[0]


@pytest.mark.parametrize("notes", [[], [_cpu(0)], [_cpu(_TABLES), _cpu(0x3000)]])
def test_nothing_is_placed_where_page_tables_do_not_decide(notes: list[Note]) -> None:
    blocks = (Block("b", 32 * _MIB), Block("a", 16 * _MIB))
    layout = decide(layouts("pc-q35-9.0", blocks, _cmos(48 * _MIB)), _memory(blocks), None, notes)
    assert layout.placed == ()
    assert layout.unplaced == (0, 1)


def test_the_order_that_the_user_names() -> None:
    blocks = (Block("b", 32 * _MIB), Block("a", 16 * _MIB))
    (layout,) = layouts("pc-q35-9.0", blocks, _cmos(48 * _MIB), ("a", "b"))
    assert [item.block for item in layout.placed] == [1, 0]


@pytest.mark.parametrize("wanted", [("a", "c"), ("a", "a"), ("pc.rom",)])
def test_names_that_are_not_blocks_of_memory(wanted: tuple[str, ...]) -> None:
    blocks = (Block("b", 32 * _MIB), Block("a", 16 * _MIB), Block("pc.rom", 4096))
    with pytest.raises(UsageError, match="b,a"):
        layouts("pc-q35-9.0", blocks, _cmos(48 * _MIB), wanted)
