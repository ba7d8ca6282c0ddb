"""Test the comparison of memory that a file has twice: all bytes of small ranges, pieces of large ones."""

from __future__ import annotations

from tests.data_files import fault
from tests.kit import elf_of, found, opened
from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Overlap
from vmci_tui.layers.overlap import differing_paddr


def test_two_equal_images_of_the_kernel_do_not_contradict() -> None:
    """Every copy of /proc/vmcore has the kernel's image twice."""
    document = opened(fault("kcore-arm64.elf"))
    findings = found(document)
    assert findings["M10"].severity == "info" and "M02" not in findings
    dump = elf_of(fault("kcore-arm64.elf"))
    assert dump.memory.overlaps and dump.conflict is None


def test_a_differing_byte_is_reported_by_its_paddr() -> None:
    data = bytearray(fault("kcore-arm64.elf"))
    data[0x5000 + 0x123] ^= 1
    assert found(opened(bytes(data)))["M02"].message.endswith("paddr 0x41858123")


def test_of_a_large_overlap_both_ends_and_pieces_are_compared() -> None:
    size = 8 << 20
    for at in (0, size - 1, size // 2 // 0x8000 * 0x8000):
        data = bytearray(2 * size)
        data[size + at] = 1
        assert differing_paddr((Overlap(0x1000, size, 0, size),), BytesSource(bytes(data))) == 0x1000 + at
    assert differing_paddr((Overlap(0x1000, size, 0, size),), BytesSource(bytes(2 * size))) is None


def test_unreadable_bytes_do_not_contradict() -> None:
    class Broken(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            raise OpenError("Input/output error", "")

    assert differing_paddr((Overlap(0, 10, 0, 10),), Broken(bytes(20))) is None
