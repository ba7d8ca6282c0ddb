"""Page tables of s390x (Principles of Operation, DAT), riscv64 (privileged specification) and ppc64 (radix)."""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.paging.walk import Level, Paging, PteStep
from vmci_tui.proof.text_values import small

_S390X: Final = (Level(53, 11), Level(42, 11), Level(31, 11), Level(20, 11), Level(12, 8))
_S390X_KIND: Final = {53: 3, 42: 2, 31: 1, 20: 0}
_S390X_PAGE: Final = ~0xFFF & (1 << 64) - 1


def _s390x(entry: int, level: Level) -> PteStep | None:
    if level.shift == 12:
        return None if entry & 0x400 else PteStep(entry & _S390X_PAGE, 12)
    if entry & 0x20 or (entry >> 2 & 3) != _S390X_KIND[level.shift]:
        return None
    if level.shift == 20:
        return PteStep(entry & _S390X_PAGE, 20) if entry & 0x400 else PteStep(entry & ~0x7FF)
    return PteStep(entry & _S390X_PAGE, 31 if level.shift == 31 and entry & 0x400 else None)


def s390x() -> tuple[Paging, ...]:
    """Return one paging for each number of levels: the text does not say it, but each entry says its level."""
    return tuple(s390x_tables(kind) for kind in (1, 2, 3, 0))


def s390x_tables(kind: int) -> Paging:
    """Return the tables below one whose entries are of this kind: 3 for five levels, 0 for two."""
    return Paging(_S390X[3 - kind :], 8, "big", _s390x)


_RISCV: Final = (Level(48, 9), Level(39, 9), Level(30, 9), Level(21, 9), Level(12, 9))
_RISCV_FIRST: Final = {57: 0, 48: 1, 39: 2}


def _riscv(entry: int, level: Level) -> PteStep | None:
    if not entry & 1:
        return None
    base = (entry >> 10 & (1 << 44) - 1) << 12
    if entry & 0xE:
        return PteStep(base, level.shift)
    return PteStep(base) if level.shift > 12 else None


def riscv64(text: Vmcoreinfo) -> tuple[Paging, ...]:
    """Return as many levels as NUMBER(VA_BITS) says: Sv39, Sv48 or Sv57; all three if it does not say."""
    bits = small(text, b"NUMBER(VA_BITS)", 64)
    return tuple(riscv64_tables(width) for width in ([bits] if bits in _RISCV_FIRST else _RISCV_FIRST))


def riscv64_tables(bits: int) -> Paging:
    """Return the tables for addresses of 39, 48 or 57 bits. Raises KeyError."""
    return Paging(_RISCV[_RISCV_FIRST[bits] :], 8, "little", _riscv)


_RADIX_PAGE: Final = {4096: Level(12, 9), 65536: Level(16, 5)}
_RADIX: Final = (Level(39, 13), Level(30, 9), Level(21, 9))


def _radix(entry: int, level: Level) -> PteStep | None:
    if not entry >> 63:
        return None
    if entry >> 62 & 1:
        return PteStep(entry & 0x01FFFFFFFFFFF000, level.shift)
    return PteStep(entry & 0x0FFFFFFFFFFFFF00) if level.shift > 16 else None


def ppc64(text: Vmcoreinfo) -> tuple[Paging, ...]:
    """Return radix tables; their entries are big-endian, whatever the kernel is.

    With a hash table Linux has no tables of its own image. Since 6.4 the text says which of the two it is.
    """
    radix = small(text, b"NUMBER(RADIX_MMU)", 1)
    last = _RADIX_PAGE.get(text.page_size or 0)
    if radix == 0 or last is None:
        return ()
    return (Paging((*_RADIX, last), 8, "big", _radix, radix == 1),)
