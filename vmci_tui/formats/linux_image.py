"""Read the head of a Linux image of arm64 and riscv64, as it is in memory before the kernel's code.

Linux Documentation/arch/arm64/booting.rst and Documentation/arch/riscv/boot-image-header.rst: the size of the image is
at 16, the magic at 56 or 48, the offset of the head that EFI reads at 60. That head (arch/*/kernel/efi-header.S) has a
section `.data` whose bytes in the file end where .bss begins (vmlinux.lds.S). arm64 kernels of 5.12 to about 6.5 give
the page away.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

HEADED: Final = ("aarch64", "riscv64")
"""The machines whose images have this head in memory."""
HEAD: Final = 4096
"""Bytes that are read of it."""
_SIZE: Final = struct.Struct("<16xQ")
_MAGICS: Final = {56: b"ARM\x64", 48: b"RISCV\0\0\0"}
_EFI_AT: Final = struct.Struct("<60xI")
_EFI: Final = struct.Struct("<4sHH12xH2x")
"""Magic, machine, how many sections follow, and how long the head between is (PE/COFF)."""
_SECTION: Final = struct.Struct("<8sIII20x")
"""Name, bytes in memory, where it begins, bytes in the file."""
_SECTIONS: Final = 16
_DATA: Final = b".data\0\0\0"
_MOST: Final = 1 << 30
"""Bytes of an image."""


class LinuxImage(NamedTuple):
    """What its head says of an image; offsets count from its first byte."""

    size: int
    """Bytes in memory, with .bss."""
    bss: int | None
    """Where .bss begins; None if there is no head for EFI."""


def linux_image(head: bytes) -> LinuxImage | None:
    """Return what the first bytes of an image say; None if they are not the head of an image."""
    if len(head) < 64 or not any(head[at : at + len(magic)] == magic for at, magic in _MAGICS.items()):
        return None
    (size,) = _SIZE.unpack_from(head)
    if not 0 < size <= _MOST:
        return None
    return LinuxImage(size, next((at for at in _ends_of_data(head) if 0 < at < size), None))


def _ends_of_data(head: bytes) -> Iterator[int]:
    (at,) = _EFI_AT.unpack_from(head)
    if at + _EFI.size > len(head):
        return
    magic, _, count, between = _EFI.unpack_from(head, at)
    first = at + _EFI.size + between
    if magic != b"PE\0\0" or first + min(count, _SECTIONS) * _SECTION.size > len(head):
        return
    for number in range(min(count, _SECTIONS)):
        name, _, start, length = _SECTION.unpack_from(head, first + number * _SECTION.size)
        if name == _DATA:
            yield start + length
