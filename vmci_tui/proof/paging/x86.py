"""Page tables of x86: four or five levels (64 bit), two or three (32 bit). Intel SDM volume 3, chapter 4."""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.paging.walk import Level, Paging, PteStep
from vmci_tui.proof.text_values import small

_PRESENT: Final = 1
_WRITABLE: Final = 2
_LARGE: Final = 1 << 7
_FRAME: Final = 0x000FFFFFFFFFF000
_LONG: Final = (Level(48, 9), Level(39, 9), Level(30, 9), Level(21, 9), Level(12, 9))
_PAE: Final = (Level(30, 2), Level(21, 9), Level(12, 9))
_SHORT: Final = (Level(22, 10), Level(12, 10))


def long_mode(text: Vmcoreinfo) -> tuple[Paging, ...]:
    """Return five levels if NUMBER(pgtable_l5_enabled) says so, else four; the memory encryption bit is masked."""
    five = small(text, b"NUMBER(pgtable_l5_enabled)", 1) == 1
    return (long_mode_tables(five, small(text, b"NUMBER(sme_mask)", (1 << 63) - 1) or 0),)


def long_mode_tables(five: bool, mask: int = 0) -> Paging:
    """Return tables of five or four levels; `mask`: the bits of an entry that do not belong to the address."""
    frame = _FRAME & ~mask

    def read(entry: int, level: Level) -> PteStep | None:
        if not entry & _PRESENT:
            return None
        leaf = level.shift == 12 or (level.shift in (21, 30) and entry & _LARGE)
        return PteStep(entry & frame, level.shift if leaf else None)

    return Paging(_LONG if five else _LONG[1:], 8, "little", read)


def _pae(entry: int, level: Level) -> PteStep | None:
    if not entry & _PRESENT:
        return None
    leaf = level.shift == 12 or (level.shift == 21 and entry & _LARGE)
    return PteStep(entry & _FRAME, level.shift if leaf else None, not entry & _WRITABLE)


def _short(entry: int, level: Level) -> PteStep | None:
    if not entry & _PRESENT:
        return None
    if level.shift == 22 and entry & _LARGE:  # bits 13 to 20 are bits 32 to 39 of the address
        return PteStep(entry & 0xFFC00000 | (entry >> 13 & 0xFF) << 32, 22, not entry & _WRITABLE)
    return PteStep(entry & 0xFFFFF000, 12 if level.shift == 12 else None, not entry & _WRITABLE)


def protected_mode(text: Vmcoreinfo) -> tuple[Paging, ...]:
    """Return three levels for CONFIG_X86_PAE, else two."""
    return (protected_mode_tables(text.get(b"CONFIG_X86_PAE") is not None),)


def protected_mode_tables(pae: bool) -> Paging:
    """Return tables of three levels for 64-bit entries, else of two."""
    return Paging(_PAE, 8, "little", _pae) if pae else Paging(_SHORT, 4, "little", _short)
