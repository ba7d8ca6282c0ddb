"""Test that the check after a save detects every kind of damage."""

from __future__ import annotations

import struct

import pytest

from tests.dumps.factory import Load, cpus, elf, note, ram
from tests.kit import opened
from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import no_progress
from vmci_tui.layers.file import BytesSource
from vmci_tui.saving.verify import check_saved

_LOADS = (Load(0x1000, ram(8192, 1), vaddr=0xC000), Load(0x1000, at=0, vaddr=0xF000), Load(1 << 20, ram(4096, 2)))
_OLD = elf((cpus() + note(),), _LOADS)
_AREA = len(cpus() + note())


def check(saved: bytes, limit: int = 1 << 40) -> int:
    document = opened(_OLD)
    assert document.dump is not None
    return check_saved(document.dump, document.state, BytesSource(saved), limit, no_progress)


def test_moved_memory_is_equal_and_read_once() -> None:
    assert check(_OLD) == check(elf((cpus() + note(),), _LOADS, qemu=True, gap=999)) == 8192 + 4096
    assert check(_OLD, limit=5000) == 5000


@pytest.mark.parametrize("at", [0, 1, 4095, 8191, 8192, 12287])
def test_a_changed_byte_of_memory_is_detected(at: int) -> None:
    bad = bytearray(_OLD)
    bad[len(_OLD) - 12288 + at] ^= 1
    with pytest.raises(SaveError, match="memory differs"):
        check(bytes(bad))


@pytest.mark.parametrize("field", range(5))
def test_a_changed_field_of_a_memory_header_is_detected(field: int) -> None:
    bad = bytearray(_OLD)
    at = 64 + 56 + (4, 16, 24, 32, 40)[field]  # p_flags, p_vaddr, p_paddr, p_filesz, p_memsz
    struct.pack_into("<I", bad, at, struct.unpack_from("<I", bad, at)[0] ^ 8)
    with pytest.raises(SaveError, match="headers"):
        check(bytes(bad))


def test_a_changed_and_a_lost_note_are_detected() -> None:
    for bad in (_OLD.replace(b"PAGESIZE=4096", b"PAGESIZE=4097"), elf((cpus(),), _LOADS)):
        with pytest.raises(SaveError, match="notes"):
            check(bad)


def test_a_file_that_is_not_a_dump_is_detected() -> None:
    for bad in (b"", _OLD[:100], bytes(len(_OLD))):
        with pytest.raises(SaveError):
            check(bad)


def test_a_cut_file_is_detected() -> None:
    with pytest.raises(SaveError):
        check(_OLD[:-1])
