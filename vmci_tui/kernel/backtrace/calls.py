"""Say whether the instruction before an address is a call: only then can the address be a return address.

Sources: Intel SDM volume 2 (CALL), Arm ARM (BL, BLR), z/Architecture Principles of Operation (BRASL, BRAS, BASR), Power
ISA (branches with LK), the RISC-V instruction set (JAL, JALR with ra, C.JALR).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from vmci_tui.formats.elf_note import ByteOrder

LONGEST: Final = 7
"""Bytes of the longest call."""


def follows_call(machine: str, before: bytes, order: ByteOrder) -> bool:
    """Return whether the LONGEST bytes before an address end in a call; False for a machine that is not known here."""
    found = _CALLS.get(machine)
    return found is not None and len(before) == LONGEST and found(before, order)


def _x86(before: bytes, order: ByteOrder) -> bool:
    """Return whether it is E8 with 32 bits, or FF /2 with any operand."""
    return before[-5] == 0xE8 or any(
        before[-length] == 0xFF and before[1 - length] >> 3 & 7 == 2 and _operand(before[1 - length :]) == length - 1
        for length in (2, 3, 4, 6, 7)
    )


def _operand(code: bytes) -> int:
    """Return the bytes of an operand of x86: ModRM, SIB, displacement."""
    mode, register = code[0] >> 6, code[0] & 7
    if mode == 3:
        return 1
    sib = register == 4
    wide = mode == 2 or (mode == 0 and (register == 5 or (sib and len(code) > 1 and code[1] & 7 == 5)))
    return 1 + sib + (4 if wide else mode)


def _arm64(before: bytes, order: ByteOrder) -> bool:
    word = int.from_bytes(before[-4:], "little")
    return word >> 26 == 0x25 or word & 0xFFFFFC1F == 0xD63F0000 or word & 0xFEFFF800 == 0xD63F0800


def _arm(before: bytes, order: ByteOrder) -> bool:
    word = int.from_bytes(before[-4:], "little")
    return word >> 24 & 0xF == 0xB or word >> 25 == 0x7D or word & 0x0FFFFFF0 == 0x012FFF30


def _s390x(before: bytes, order: ByteOrder) -> bool:
    brasl = before[-6] == 0xC0 and before[-5] & 0xF == 5
    bras = before[-4] == 0xA7 and before[-3] & 0xF == 5
    return brasl or bras or before[-2] == 0x0D


def _ppc64(before: bytes, order: ByteOrder) -> bool:
    word = int.from_bytes(before[-4:], order)
    branches = word >> 26 in (16, 18) or (word >> 26 == 19 and word >> 1 & 0x3FF in (16, 528))
    return bool(word & 1) and branches


def _riscv64(before: bytes, order: ByteOrder) -> bool:
    word, half = int.from_bytes(before[-4:], "little"), int.from_bytes(before[-2:], "little")
    return word & 0xFFF in (0xEF, 0xE7) or (half & 0xF07F == 0x9002 and half >> 7 & 0x1F != 0)


_CALLS: Final[Mapping[str, Callable[[bytes, ByteOrder], bool]]] = {
    "x86_64": _x86, "i386": _x86, "aarch64": _arm64, "arm": _arm, "s390x": _s390x, "ppc64": _ppc64,
    "riscv64": _riscv64,
}  # fmt: skip
