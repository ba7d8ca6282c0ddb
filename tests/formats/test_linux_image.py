"""The heads of Linux images in the memory of arm64 and riscv64 guests."""

from __future__ import annotations

import random

import pytest

from tests.live.recorded_vm import RecordedVm
from vmci_tui.formats.linux_image import LinuxImage, linux_image

_ARM64 = bytes.fromhex(
    "4d5a40fa3bd87414000000000000000000005102000000000a0000000000000000000000000000000000000000000000"
    "000000000000000041524d64400000005045000064aa0200000000000000000000000000a00006020b0202140000e201"
    "00006e00000000001076dc01000001000000000000000000000001000002000000000000030000000000000000000000"
    "0000510200000100aabe41020a0000010000000000000000000000000000000000000000000000000000000000000000"
    "0000000006000000000000000000000000000000000000000000000000000000000000000000000000ba4002c0050000"
    "00000000000000002e746578740000000000e201000001000000e2010000010000000000000000000000000020000060"
    "2e6461746100000000006e000000e30100ba5d000000e301000000000000000000000000400000c0"
)
"""Of Debian 13's kernel 6.12.118."""
_RISCV64 = RecordedVm("riscv64-612").memory(0x80200000, 4096)


@pytest.mark.parametrize(
    ("head", "image"),
    [(_ARM64, LinuxImage(0x2510000, 0x240BA00)), (_RISCV64, LinuxImage(0x1E6C000, 0x1DB9400))],
    ids=["arm64", "riscv64"],
)
def test_size_and_bss(head: bytes, image: LinuxImage) -> None:
    assert linux_image(head) == image


def test_without_a_head_for_efi_the_size_is_known() -> None:
    without = _ARM64[:60] + bytes(4) + _ARM64[64:]
    assert linux_image(without) == linux_image(_ARM64[:64]) == LinuxImage(0x2510000, None)


@pytest.mark.parametrize(
    "head", [b"", bytes(4096), _ARM64[:63], b"\x7fELF" * 32, _ARM64[:16] + bytes(8) + _ARM64[24:]], ids=range(5)
)
def test_what_is_not_an_image(head: bytes) -> None:
    assert linux_image(head) is None


def test_damaged_heads_say_nothing_outside_the_image() -> None:
    chance = random.Random(19)
    for _ in range(2000):
        head = bytearray(chance.choice((_ARM64, _RISCV64[:512])))
        for _ in range(chance.choice((1, 4))):
            head[chance.randrange(len(head))] = chance.choice((0, 0xFF, chance.randrange(256)))
        image = linux_image(bytes(head[: chance.choice((len(head), chance.randrange(len(head))))]))
        assert image is None or image.bss is None or 0 < image.bss < image.size <= 1 << 30
