"""Page tables of arm64 and arm (ARM ARM, VMSAv8-64 and VMSAv7, short and long descriptors)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.vmcoreinfo import Vmcoreinfo
from vmci_tui.proof.paging.walk import Level, Paging, PteStep
from vmci_tui.proof.text_values import address, small

_SIZES: Final = {4096: 12, 16384: 14, 65536: 16}
_LPAE: Final = (Level(30, 2), Level(21, 9), Level(12, 9))
_SHORT: Final = (Level(20, 12), Level(12, 8))
_WIDEST: Final = 52


def arm64(text: Vmcoreinfo, order: ByteOrder) -> tuple[Paging, ...]:
    """Return one paging for the address bits that the kernel was built for, one for those that the processor has.

    A kernel built for 52 bits on a processor with 48 keeps the larger first table with 64 KiB pages, and leaves out
    the first level with smaller pages.
    """
    built = small(text, b"NUMBER(VA_BITS)", _WIDEST)
    if built is None:
        return ()
    used = 64 - (address(text, b"NUMBER(TCR_EL1_T1SZ)") or 64 - built)
    found = (arm64_tables(text.page_size or 0, width, used, order) for width in dict.fromkeys((built, used)))
    return tuple(paging for paging in found if paging is not None)


def arm64_tables(page_size: int, built: int, used: int, order: ByteOrder) -> Paging | None:
    """Return tables for `built` address bits, `used` of them by the processor; None if no kernel has such."""
    page = _SIZES.get(page_size)
    if page is None or not page < built <= _WIDEST:
        return None
    return Paging(_levels(page, built), 8, order, _descriptor(page, page < 16 and used == _WIDEST))


def _levels(page: int, width: int) -> tuple[Level, ...]:
    step = page - 3
    shifts = range(page, width, step)
    return tuple(Level(shift, min(step, width - shift)) for shift in reversed(shifts))


def _descriptor(page: int, wide: bool) -> Callable[[int, Level], PteStep | None]:
    """Return a decoder; `wide`: 52 bits with pages below 64 KiB, so bits 8 and 9 are address bits 50 and 51."""
    low = (1 << page) - 1

    def read(entry: int, level: Level) -> PteStep | None:
        if not entry & 1:
            return None
        if wide:
            base = entry & (1 << 50) - 1 & ~low | (entry >> 8 & 3) << 50
        else:
            base = entry & (1 << 48) - 1 & ~low
            if page == 16:
                base |= (entry >> 12 & 0xF) << 48
        readonly = bool(entry & 1 << 7)
        if level.shift == page:
            return PteStep(base, page, readonly) if entry & 2 else None
        return PteStep(base, None if entry & 2 else level.shift, readonly)

    return read


_long: Final = _descriptor(12, False)


def _short(entry: int, level: Level) -> PteStep | None:
    kind = entry & 3
    if kind == 0:
        return None
    if level.shift == 12:
        readonly = bool(entry & 1 << 9)
        return PteStep(entry & 0xFFFF0000, 16, readonly) if kind == 1 else PteStep(entry & 0xFFFFF000, 12, readonly)
    if kind == 1:
        return PteStep(entry & 0xFFFFFC00)
    if entry & 1 << 18:  # 16 MiB, its address has 40 bits
        return PteStep(entry & 0xFF000000 | (entry >> 20 & 0xF) << 32 | (entry >> 5 & 0xF) << 36, 24)
    return PteStep(entry & 0xFFF00000, 20, bool(entry & 1 << 15))


def arm(text: Vmcoreinfo, order: ByteOrder) -> tuple[Paging, ...]:
    """Return tables with three levels for CONFIG_ARM_LPAE, else two."""
    return (arm_tables(text.get(b"CONFIG_ARM_LPAE") is not None, order),)


def arm_tables(lpae: bool, order: ByteOrder) -> Paging:
    """Return tables with three levels for large physical addresses, else two."""
    return Paging(_LPAE, 8, order, _long) if lpae else Paging(_SHORT, 4, order, _short)
