"""Make fresh cases for a real QEMU with a seed: writes to the entry, and contents of guest memory.

Guest memory is modelled independently: RAM has the bytes put there, everything else reads as zeros.
"""

from __future__ import annotations

import random
import struct
from typing import Literal, NamedTuple

from vmci_tui.formats.fw_cfg_entry import Write

NAME = b"VMCOREINFO\0"
_MIB = 1 << 20
_OFF = Write(0, 16, bytes(16))
_KEYS = (
    b"NUMBER(phys_base)",
    b"NUMBER(PHYS_OFFSET)",
    b"number(phys_base)",
    b" NUMBER(phys_base)",
    b"NUMBER(phys_base) ",
)
_LINES = (b"OSRELEASE=6.1.0-test", b"PAGESIZE=4096", b"", b"=", b"KERNELOFFSET=0", b"SYMBOL(_stext)=ffffffff81000000")
_CHARS = b"0123456789abcdefxXgGL+- \t\v\f\r\"'.,\0_"


class Case(NamedTuple):
    """The steps for one guest, beginning with a write that switches the note off."""

    writes: tuple[Write, ...]
    paddr: int
    """The address of `data`; the entry may point elsewhere."""
    data: bytes
    """The bytes put there, up to the end of RAM."""


class Ram(NamedTuple):
    """The range of RAM that cases use, without bytes that the machine itself uses."""

    base: int
    first: int
    end: int

    def holds(self, case: Case, paddr: int, length: int) -> bytes:
        """Return guest memory as QEMU must read it after `case` was written into zeros."""
        out = bytearray(length)
        for start in (0, 1 << 64):  # a read wraps to address 0 after the last one
            low, high = (
                max(paddr - start, case.paddr),
                min(paddr + length - start, case.paddr + len(case.data), self.end),
            )
            if low < high:
                out[low + start - paddr : high + start - paddr] = case.data[low - case.paddr : high - case.paddr]
        return bytes(out)


def make(dice: random.Random, ram: Ram, big: bool) -> Case:
    """One case: mostly a whole write and a note that may be taken, each part damaged now and then."""
    data = _note(dice, big)
    paddr = dice.choice((dice.randrange(ram.first, ram.end - 2 * _MIB), ram.first + 4096 * dice.randrange(100)))
    if dice.random() < 0.08:
        paddr = ram.end - dice.randrange(1, 200)  # a note across the end of RAM
    entry = _entry(dice, paddr, len(data), ram)
    return Case((_OFF, *_writes(dice, entry)), paddr, data[: ram.end - paddr])


def _entry(dice: random.Random, paddr: int, length: int, ram: Ram) -> bytes:
    size = dice.choice((4132, length, length, length + 4, max(length - dice.randrange(5), 0), dice.randrange(12, 4200)))
    if dice.random() < 0.12:
        size = dice.choice((0, 1, 11, 12, 13, _MIB - 1, _MIB, _MIB + 1, 0xFFFFFFFF, 0x24100000))
    at = paddr
    if dice.random() < 0.1:
        far = (ram.end, ram.end + 5, 1 << 41, (1 << 64) - 4096, (1 << 64) - dice.randrange(1, 40), 1 << 63)
        at = dice.choice(far)
    guest_format = 1 if dice.random() < 0.93 else dice.choice((0, 2, 3, 256, 0xFFFF))
    host_format = dice.choice((0, 0, 1, 9))
    return struct.pack("<HHIQ", host_format, guest_format, size, at)


def _writes(dice: random.Random, entry: bytes) -> tuple[Write, ...]:
    whole = Write(0, 16, entry)
    kind = dice.random()
    if kind < 0.85:
        return (whole,)
    offset, length = dice.randrange(17), dice.randrange(17)
    part = Write(offset, length, (entry + entry)[offset : offset + length])
    halves = Write(0, 8, entry[:8]), Write(8, 8, entry[8:])
    choices = ((part,), (part, whole), (whole, part), halves, (*halves, whole), (whole, whole), (),
               (whole, Write(0, 0, b"")), (whole, Write(0, 16, None)), (whole, Write(4, 4, None)))  # fmt: skip
    return dice.choice(choices)


def _note(dice: random.Random, big: bool) -> bytes:
    """Header, name, text and padding; zeros, or chance, now and then."""
    if dice.random() < 0.05:
        return dice.choice((b"", bytes(12), dice.randbytes(dice.randrange(1, 64)), b"\xff" * 40))
    name = (
        NAME if dice.random() < 0.85 else dice.choice((NAME[:-1], NAME + b"\0", b"", b"CORE\0", b"VMCOREINFO_\0", b"x"))
    )
    text = _text(dice)
    sizes = [len(name), len(text)]
    if dice.random() < 0.15:
        which = dice.randrange(2)
        lies = (sizes[which] + dice.randrange(-3, 4), 0, 0xFFFFFFFF, 0xFFFFFFFD, _MIB, _MIB + 1, dice.randrange(300))
        sizes[which] = max(dice.choice(lies), 0)
    order: Literal["little", "big"] = "big" if big and dice.random() < 0.3 else "little"
    head = b"".join(value.to_bytes(4, order) for value in (*sizes, dice.choice((0, 0, 1, 9))))
    pad = dice.choice((b"\0", b"\0", b"\0", b"\xaa", b"\n"))
    return head + name + pad * (-len(name) % 4) + text + pad * (-len(text) % 4) + dice.choice((b"", b"", b"more\n"))


def _text(dice: random.Random) -> bytes:
    lines = [dice.choice(_LINES) for _ in range(dice.randrange(6))]
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        key = dice.choice(_KEYS[:2]) if dice.random() < 0.85 else dice.choice(_KEYS)
        lines.insert(dice.randrange(len(lines) + 1), key + b"=" + _value(dice))
    end = dice.choice((b"\n", b"\n", b"\n", b"\n", b"\r\n", b"\r"))
    text = end.join(lines) + dice.choice((end, end, b"", b"\0", b"\0NUMBER(phys_base)=77\n"))
    return text if dice.random() < 0.97 else text[: dice.randrange(len(text) + 1)]


def _value(dice: random.Random) -> bytes:
    number = dice.getrandbits(dice.choice((1, 8, 24, 32, 63, 64, 65, 70)))
    known = (
        b"%d" % number, b"%x" % number, b"0x%X" % number, b"-%d" % number, b"-0x%x" % number, b"+%x" % number,
        b" \t%x" % number, b"%x " % number, b"0%o" % number, b"", b"0x", b"1000L", b'"1000"', b"0b101", b"1e3",
    )  # fmt: skip
    return dice.choice(known) if dice.random() < 0.8 else bytes(dice.choices(_CHARS, k=dice.randrange(1, 8)))
