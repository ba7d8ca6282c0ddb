"""Write a printk ring into memory as the kernel does, independently of the reader.

The steps are those of prb_reserve() and prb_commit() in kernel/printk/printk_ringbuffer.c: a descriptor of the next
number, room for the text at the head of the text ring, and the oldest records given up where it is full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.proof.synthetic import PAGE, Ram
from vmci_tui.formats.elf_note import ByteOrder

RESERVED, COMMITTED, FINALIZED, REUSABLE = range(4)


class Said(NamedTuple):
    """What a kernel was asked to log."""

    text: bytes
    nanoseconds: int = 0
    level: int = 6
    facility: int = 0
    caller: int = 1
    subsystem: bytes = b""
    device: bytes = b""


class RingWriter:
    """A ring at `at`: the struct, then its arrays, a page apart. `paddr` says where an address is in memory."""

    def __init__(
        self,
        ram: Ram,
        at: int,
        paddr: Callable[[int], int],
        word: int,
        count_bits: int = 5,
        size_bits: int = 10,
        newer: int = 1,
        info_size: int = 88,
    ) -> None:
        """`newer`: words after tail_id, of which Linux 6.9 has one; `info_size`: 88, since 6.19 mostly 112."""
        self.ram, self.at, self.paddr, self.word = ram, at, paddr, word
        self.count, self.size = 1 << count_bits, 1 << size_bits
        self.top = 1 << word * 8
        self.ids = self.top >> 2
        self.desc_size, self.info_size = 3 * word, info_size
        self.text_ring = (5 + newer) * word
        self.descs, self.infos, self.data = (at + 0x1000 * number for number in (1, 3, 8))
        self.head = self.tail = -(self.count + 1) % self.ids
        self.head_lpos = self.tail_lpos = -self.size % self.top
        self.sequence = -self.count
        self.blocks: dict[int, tuple[int, int]] = {}
        for page in range(paddr(at), paddr(at) + 0x9000, PAGE):
            ram.pages[page // PAGE] = bytearray(PAGE)
        self.put(at, at + 16, word)  # SYMBOL(prb) points at the ring
        for offset, value, size in (
            (0, count_bits, 4), (word, self.descs, word), (2 * word, self.infos, word),
            (self.text_ring, size_bits, 4), (self.text_ring + word, self.data, word),
        ):  # fmt: skip
            self.put(at + 16 + offset, value, size)
        for index in range(self.count):
            self.state(index, REUSABLE)
        self.ends()

    def put(self, va: int, value: int, size: int) -> None:
        self.ram.word(self.paddr(va), value % (1 << size * 8), size)

    def state(self, number: int, state: int) -> None:
        self.put(self.descs + number % self.count * self.desc_size, state << self.word * 8 - 2 | number, self.word)

    def ends(self) -> None:
        self.put(self.at + 16 + 3 * self.word, self.head, self.word)
        self.put(self.at + 16 + 4 * self.word, self.tail, self.word)
        self.put(self.at + 16 + self.text_ring + 2 * self.word, self.head_lpos, self.word)
        self.put(self.at + 16 + self.text_ring + 3 * self.word, self.tail_lpos, self.word)

    def add(self, said: Said, state: int = FINALIZED) -> int:
        """Log a record; return its number."""
        number = (self.head + 1) % self.ids
        if (number - self.tail) % self.ids >= self.count:
            self.give_up()
        self.head = number
        begin, end = self.room(len(said.text), number)
        desc, info = (
            start + number % self.count * size
            for start, size in ((self.descs, self.desc_size), (self.infos, self.info_size))
        )
        self.state(number, state)
        self.put(desc + self.word, begin, self.word)
        self.put(desc + 2 * self.word, end, self.word)
        self.put(info, self.sequence + self.count, 8)
        self.put(info + 8, said.nanoseconds, 8)
        self.put(info + 16, len(said.text), 2)
        self.put(info + 18, said.facility, 1)
        newline = 2
        flags = newline | said.level << 5 if self.ram.order == "little" else newline << 3 | said.level
        self.put(info + 19, flags, 1)
        self.put(info + 20, said.caller, 4)
        dev_info = 24 if self.info_size == 88 else 44
        self.ram.put(self.paddr(info + dev_info), said.subsystem)
        self.ram.put(self.paddr(info + dev_info + 16), said.device)
        if not begin & 1:
            wrapped = begin // self.size != (end - 1) // self.size
            place = self.data + (0 if wrapped else begin % self.size)
            self.put(place, number, self.word)
            self.ram.put(self.paddr(place + self.word), said.text)
        self.sequence += 1
        self.ends()
        return number

    def room(self, length: int, number: int) -> tuple[int, int]:
        """Return begin and end of a block in the text ring; the oldest are given up for it."""
        if not length:
            return 3, 3
        need = -(-(self.word + length) // self.word) * self.word
        begin = self.head_lpos
        end = (begin + need) % self.top
        if begin // self.size != ((end - 1) % self.top) // self.size:
            end = (end // self.size * self.size + need) % self.top
        while (end - self.tail_lpos) % self.top > self.size:
            self.give_up()
        self.head_lpos = end
        self.blocks[number] = (begin, end)
        return begin, end

    def give_up(self) -> None:
        """Make the oldest descriptor reusable, and its block part of the free room."""
        if self.tail in self.blocks:
            self.tail_lpos = self.blocks.pop(self.tail)[1]
        self.state(self.tail, REUSABLE)
        self.tail = (self.tail + 1) % self.ids

    def keys(self) -> bytes:
        """Return the lines of a vmcoreinfo text that lead to the log."""
        word = self.word
        offsets = {
            "printk_ringbuffer.desc_ring": 0, "printk_ringbuffer.text_data_ring": self.text_ring,
            "prb_desc_ring.count_bits": 0, "prb_desc_ring.descs": word, "prb_desc_ring.infos": 2 * word,
            "prb_desc_ring.head_id": 3 * word, "prb_desc_ring.tail_id": 4 * word, "prb_desc.state_var": 0,
            "prb_desc.text_blk_lpos": word, "prb_data_blk_lpos.begin": 0, "prb_data_blk_lpos.next": word,
            "printk_info.seq": 0, "printk_info.ts_nsec": 8, "printk_info.text_len": 16, "printk_info.caller_id": 20,
            "prb_data_ring.size_bits": 0, "prb_data_ring.data": word,
        }  # fmt: skip
        lines = [f"OFFSET({name})={value}" for name, value in offsets.items()]
        lines += [f"SYMBOL(prb)={self.at:x}", f"SIZE(prb_desc)={3 * word}", f"SIZE(printk_info)={self.info_size}"]
        return "\n".join(lines).encode() + b"\n"


class Place(NamedTuple):
    """A machine, and where its kernel's addresses are in memory without page tables."""

    machine: str
    order: ByteOrder
    word: int
    at: int
    shift: int
    line: bytes


_VOFFSET = b"NUMBER(kimage_voffset)=0xffff800000000000\n"
_RISCV_OFFSET = b"NUMBER(va_kernel_pa_offset)=0xffffffff80000000\n"
PLACES = (
    Place("x86_64", "little", 8, 0xFFFFFFFF81400000, 0xFFFFFFFF80000000, b"NUMBER(phys_base)=0\n"),
    Place("i386", "little", 4, 0xC1400000, 0xC0000000, b"CONFIG_X86_PAE=y\n"),
    Place("aarch64", "little", 8, 0xFFFF800008400000, 0xFFFF800000000000, _VOFFSET),
    Place("aarch64", "big", 8, 0xFFFF800008400000, 0xFFFF800000000000, _VOFFSET),
    Place("arm", "little", 4, 0xC0400000, 0xC0000000, b"CONFIG_ARM_LPAE=y\n"),
    Place("s390x", "big", 8, 0x1400000, 0, b""),
    Place("ppc64", "little", 8, 0xC000000001400000, 0xC000000000000000, b""),
    Place("ppc64", "big", 8, 0xC000000001400000, 0xC000000000000000, b""),
    Place("riscv64", "little", 8, 0xFFFFFFFF81400000, 0xFFFFFFFF80000000, _RISCV_OFFSET),
    Place("loongarch64", "little", 8, 0x9000000001400000, 0x9000000000000000, b""),
)  # fmt: skip


def written(place: Place, said: list[Said], count_bits: int = 5, size_bits: int = 10) -> tuple[RingWriter, bytes]:
    """Return the ring of a machine with these records, and the text that leads to it."""
    ram = Ram(place.order)
    ring = RingWriter(ram, place.at, lambda va: va - place.shift, place.word, count_bits, size_bits)
    for one in said:
        ring.add(one)
    return ring, place.line + ring.keys()
