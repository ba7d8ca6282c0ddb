"""The map of guest memory from what QEMU prints."""

from __future__ import annotations

import pytest

from tests.paths import DATA
from vmci_tui.live.flat_view import BlockRange, memory_of, ranges_of

_PC = (DATA / "live" / "pc.mtree").read_text()


def test_the_view_of_cpus_of_a_pc() -> None:
    found = ranges_of(_PC)
    assert [(item.paddr, item.length, item.offset) for item in found] == [
        (0, 0xC0000, 0), (0xC0000, 0x28000, 0xC0000), (0xE8000, 0x8000, 0xE8000), (0xF0000, 0x10000, 0xF0000),
        (0x100000, 0x7F00000, 0x100000), (0xFFFC0000, 0x40000, 0), (0x100000000, 0x4000000, 0x8000000),
    ]  # fmt: skip
    assert {item.block for item in found} == {"pc.ram", "pc.bios"}
    assert [(item.paddr, item.length) for item in memory_of(found).ranges] == [
        (0, 0x8000000), (0xFFFC0000, 0x4040000),
    ]  # fmt: skip


def _view(*rows: str) -> str:
    return "\n".join(["FlatView #0", ' AS "memory", root: system', " Root memory region: system", *rows])


@pytest.mark.parametrize("kind", ["i/o", "ramd", "romd", "nv-ram", "container"])
def test_what_is_not_memory_is_left_out(kind: str) -> None:
    assert ranges_of(_view(f"  {0:016x}-{4095:016x} (prio 0, {kind}): x")) == ()


def test_odd_rows() -> None:
    backwards = f"  {4096:016x}-{0:016x} (prio 0, ram): x"
    good = f"  {0:016x}-{0x1FFF:016x} (prio -7, ram): /objects/a b @{0x4000:016x} KVM"
    overlaps = f"  {0x1000:016x}-{0x2FFF:016x} (prio 0, ram): y"
    assert ranges_of(_view(backwards, good, overlaps)) == (BlockRange(0, 0x2000, "/objects/a b", 0x4000),)


def test_another_view_is_not_the_one_of_cpus() -> None:
    assert ranges_of(_PC.replace('AS "memory", root: system', 'AS "memory", root: other')) == ()
    assert ranges_of("") == ()


def test_ten_thousand_ranges() -> None:
    rows = (f"  {at << 13:016x}-{(at << 13) + 4095:016x} (prio 0, ram): m{at}" for at in range(10_000))
    found = ranges_of(_view(*rows))
    assert len(found) == len(memory_of(found).ranges) == 10_000
