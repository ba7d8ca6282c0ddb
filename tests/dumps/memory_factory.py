"""Make misleading guest memory: a real kernel's pages among many kinds of false notes.

`scene(seed)` lays the pages of a cut dump (the note, utsname, the page tables that prove it) among
stale kernels, copies, truncated copies, twins, hostile text, dump files in the page cache and nested guests.
The truth is known from the cut dump alone.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from tests.dumps import factory, plain_elf
from tests.dumps.records import PT_LOAD, Order
from tests.paths import SAMPLES

PAGE = 4096
_MARK = {"little": "<", "big": ">"}


class Base(NamedTuple):
    """A cut dump, the address of its note, and facts of the whole dump."""

    file: str
    note: int
    data: int
    """Address of the page with the text alone (not in the cut dump)."""
    order: Order
    machine: int
    ram: tuple[int, int]
    """First address of RAM, and its end."""
    variables: int
    """Addresses of vmcoreinfo_note, vmcoreinfo_size and vmcoreinfo_data, one word each (not in the cut dump)."""
    direct_map: int
    """The virtual minus the physical address of these words."""


BASES = {
    "amd64": Base(
        "amd64-cut-nonote.elf",
        0x19C8000,
        0x19CD000,
        "little",
        factory.X86_64,
        (0, 0xC000000),
        0x9DD6930,
        0xFFFF8B0800000000,
    ),
    "arm64": Base(
        "arm64-cut-nonote.elf",
        0x42730000,
        0x4272E000,
        "little",
        factory.AARCH64,
        (0x40000000, 0x50000000),
        0x421A6F90,
        0xFFFF4D5DC0000000,
    ),
    "s390x": Base("s390x-cut-nonote.elf", 0x1A6C000, 0x1AC2000, "big", factory.S390, (0, 0x10000000), 0x12D3760, 0),
}


class Scene(NamedTuple):
    """Memory, and the truth about it."""

    base: Base
    pages: dict[int, bytes]
    text: bytes
    """The guest's own text."""
    stories: tuple[str, ...]
    has_note: bool
    """Whether the true note with header is in memory; the page without header always is."""

    def dump(self) -> bytes:
        """Return an ELF dump with these pages only: zeros elsewhere would contradict the true note."""
        loads: list[factory.Load] = []
        run: list[bytes] = []
        start = -1
        for paddr in sorted(self.pages):
            if paddr != start + len(run) * PAGE:
                loads += [factory.Load(start, b"".join(run))] if run else []
                start, run = paddr, []
            run.append(self.pages[paddr])
        loads.append(factory.Load(start, b"".join(run)))
        return factory.elf(loads=loads, order=self.base.order, machine=self.base.machine, qemu=True)


@cache
def _cut(name: str) -> tuple[dict[int, bytes], bytes]:
    """Return the pages of a cut dump, and the text of their note."""
    base = BASES[name]
    data = (SAMPLES / base.file).read_bytes()
    pages = {
        row.paddr + at: data[row.offset + at : row.offset + at + PAGE]
        for row in plain_elf.rows(data)
        if row.type == PT_LOAD
        for at in range(0, row.filesz, PAGE)
    }
    length = struct.unpack_from(_MARK[base.order] + "I", pages[base.note], 4)[0]
    return pages, pages[base.note][24 : 24 + length]


class _Stage:
    """The memory that the stories change."""

    def __init__(self, name: str, seed: int) -> None:
        self.rng = random.Random(seed)
        self.name, self.base = name, BASES[name]
        pages, self.text = _cut(name)
        self.pages = dict(pages)
        self.put(self.base.data, self.text)
        words = self.base.direct_map + self.base.note, len(self.text), self.base.direct_map + self.base.data
        self.put(self.base.variables, struct.pack(_MARK[self.base.order] + "3Q", *words))

    def put(self, paddr: int, data: bytes) -> None:
        """Write bytes at any address; keep the bytes around them."""
        for page in range(paddr // PAGE * PAGE, paddr + len(data), PAGE):
            old = bytearray(self.pages.get(page, bytes(PAGE)))
            low, high = max(paddr, page), min(paddr + len(data), page + PAGE)
            old[low - page : high - page] = data[low - paddr : high - paddr]
            self.pages[page] = bytes(old)

    def free(self, count: int = 1, below: int | None = None) -> int:
        """Return the address of `count` free pages in a row."""
        low, high = self.base.ram
        high = high if below is None else below
        while True:
            paddr = self.rng.randrange(max(low, 1 << 20), high - count * PAGE, PAGE)
            if all(paddr + at * PAGE not in self.pages for at in range(-1, count + 1)):
                return paddr

    def note(self, text: bytes, order: Order | None = None, descsz: int | None = None) -> bytes:
        return factory.note(text, order=order or self.base.order, descsz=descsz)


def scene(seed: int, name: str = "amd64") -> Scene:
    """Return a scene of two to six stories; equal seeds give equal scenes."""
    stage = _Stage(name, seed)
    told = stage.rng.sample(sorted(STORIES), stage.rng.randint(2, 6))
    for story in told:
        STORIES[story](stage)
    for _ in range(stage.rng.randint(0, 30)):
        stage.put(stage.free(), _noise(stage.rng))
    has_note = stage.rng.randrange(8) > 0
    if not has_note:  # the page was not dumped, and no copy is there
        stage.pages[stage.base.note] = bytes(PAGE)
    return Scene(stage.base, stage.pages, stage.text, tuple(told), has_note)


def _noise(rng: random.Random) -> bytes:
    start = rng.choice(
        (b"", b"\x0b\0\0\0", b"\0\0\0\x0b", b"OSRELEASE", b"VMCOREINFO\0", b"\x0b\0\0\0\0\0\0\0\0\0\0\0VMCO")
    )
    return (start + rng.randbytes(PAGE))[:PAGE]


def changed(text: bytes, key: bytes, value: bytes) -> bytes:
    """Return the text with another value of one of its keys."""
    new, count = re.subn(rb"(?m)^" + re.escape(key) + rb"=.*$", key + b"=" + value, text)
    assert count, key
    return new


def moved(text: bytes, by: int) -> bytes:
    """Return the text of the same build at another virtual address: all symbols and KERNELOFFSET moved."""

    def add(match: re.Match[bytes]) -> bytes:
        return b"%s=%x" % (match[1], (int(match[2], 16) + by) % (1 << 64))

    return re.sub(rb"(?m)^(SYMBOL\([^)]*\)|KERNELOFFSET)=([0-9a-f]+)$", add, text)


def _elsewhere(stage: _Stage) -> bytes:
    """Return the text of another boot."""
    by = stage.rng.randrange(1, 200) << 21
    text = moved(stage.text, by)
    if stage.name == "amd64":
        text = changed(text, b"NUMBER(phys_base)", b"%d" % (stage.rng.randrange(-300, 300) << 21))
    elif stage.name == "arm64":
        text = changed(text, b"NUMBER(kimage_voffset)", b"0x%x" % (0xFFFF800000000000 + (by << 4)))
    return text


def _other_release(text: bytes, rng: random.Random) -> bytes:
    return changed(
        text, b"OSRELEASE", rng.choice((b"5.10.0-30-amd64", b"6.1.0-55-amd64", b"6.12.95+deb12-cloud-amd64"))
    )


def _both(stage: _Stage, text: bytes) -> None:
    """Put the note and the page without header, as the kernel keeps them."""
    stage.put(stage.free(), stage.note(text))
    stage.put(stage.free(), text)


def stale_other_release(stage: _Stage) -> None:
    """Add the remains of a kernel from before kexec."""
    _both(stage, _other_release(_elsewhere(stage), stage.rng))


def stale_same_release(stage: _Stage) -> None:
    _both(stage, _elsewhere(stage))


def stale_with_utsname(stage: _Stage) -> None:
    """Add a stale note, and at the address that it names a page with the right release."""
    text = _elsewhere(stage)
    if stage.name == "amd64":
        where = stage.rng.choice(_image_places(stage))
        symbol = int(re.search(rb"SYMBOL\(init_uts_ns\)=([0-9a-f]+)", text)[1], 16)  # type: ignore[index]
        base = where - (symbol - 0xFFFFFFFF80000000)
        text = changed(text, b"NUMBER(phys_base)", b"%d" % base)
        for page, data in _utsname_pages(stage)[:1]:
            stage.put(where // PAGE * PAGE, data)
            assert (where - page) % PAGE == (symbol - page) % PAGE
    _both(stage, text)


def _utsname_pages(stage: _Stage) -> list[tuple[int, bytes]]:
    release = re.match(rb"OSRELEASE=(.*)", stage.text)[1]  # type: ignore[index]
    found = sorted(stage.pages.items())
    return [(paddr, page) for paddr, page in found if b"Linux\0" in page and release + b"\0" in page]


def _image_places(stage: _Stage) -> list[int]:
    """Return addresses of init_uts_ns for an image some MiB lower or higher."""
    symbol = int(re.search(rb"SYMBOL\(init_uts_ns\)=([0-9a-f]+)", stage.text)[1], 16)  # type: ignore[index]
    inside = symbol & 0x1FFFFF
    places = [at + inside for at in range(0x2000000, 0xB000000, 0x200000)]
    return [place for place in places if place // PAGE * PAGE not in stage.pages]


def stray_copies(stage: _Stage) -> None:
    """Add whole copies at any address, as a reader of /proc/kcore leaves them."""
    for _ in range(stage.rng.randint(1, 3)):
        stage.put(stage.free(2) + stage.rng.randrange(4, PAGE, 4), stage.note(stage.text))


def cut_copies(stage: _Stage) -> None:
    """Add copies that end at a page or a line, followed by zeros or random bytes."""
    for _ in range(stage.rng.randint(1, 4)):
        whole = stage.note(stage.text)
        end = stage.rng.randrange(60, len(whole))
        if stage.rng.randrange(2):
            end = whole.rindex(b"\n", 0, end) + 1 if b"\n" in whole[24:end] else end
        tail = stage.rng.choice((bytes(64), stage.rng.randbytes(64), b"other words, not of a note\n"))
        piece = whole[stage.rng.choice((0, 24)) : end] + tail
        stage.put(stage.free(3) + stage.rng.choice((0, 0, 4, 1716, 3333)), piece)


def twin(stage: _Stage) -> None:
    """Add the text with one key changed, lower in memory, at a page start, in one form."""
    lines = [line for line in stage.text.splitlines() if not line.startswith((b"OSRELEASE", b"PAGESIZE"))]
    key, _, value = stage.rng.choice(lines).partition(b"=")
    new = stage.rng.choice([new for new in (value + b"0", b"0", b"1", b"-1", b"") if new != value])
    text = changed(stage.text, key, new)
    where = stage.free(below=stage.base.note)
    stage.put(where, stage.note(text) if stage.rng.randrange(2) else text)


def longer_twin(stage: _Stage) -> None:
    """Add the text with one more line."""
    more = stage.rng.choice((b"CRASHTIME=1700000000\n", b"NUMBER(phys_base)=0\n", b"SIZE(page)=1\n"))
    where = stage.free(below=stage.base.note)
    stage.put(where, stage.note(stage.text + more) if stage.rng.randrange(2) else stage.text + more)


def hostile(stage: _Stage) -> None:
    """Add notes and texts that no kernel writes."""
    rng, text = stage.rng, stage.text
    bad = (
        stage.note(text.replace(b"PAGESIZE", b"\x1b[31m\0\xff", 1)),
        stage.note(text, descsz=0xFFFFFFFF),
        stage.note(text, descsz=0),
        stage.note(text, descsz=1 << 20),
        stage.note(text.replace(b"\n", b"\r\n")),
        stage.note(text.replace(b"=", b" ", 3)),
        stage.note(text.replace(b"PAGESIZE=4096", b"PAGESIZE=" + b"9" * 2000)),
        stage.note(text.replace(b"PAGESIZE=4096", b"PAGESIZE=0")),
        stage.note(b"PAGEDU64" + bytes(8184)),
        stage.note(b"OSRELEASE=%s\n"),
        stage.note(b""),
        stage.note(text, order="big" if stage.base.order == "little" else "little", descsz=len(text) << 8),
        b"OSRELEASE=%s\n\0BUILD-ID=%20phN\n\0PAGESIZE=%ld\n",
        b"OSRELEASE=\x1b]0;owned\x07\n" + text,
        b"OSRELEASE=" + b"A" * (PAGE * 5),
        b"OSRELEASE=6\nPAGESIZE=65536\n" + b"X=1\n" * 16000,
        b"OSRELEASE=6\n" * 3000,
        text.replace(b"\n", b"\n\x00", 5),
        text + b"A=\x7f\n",
        b"OSRELEASE=" + b"[bold]x[/bold]" * 4 + b"\n" + text[text.index(b"\n") + 1 :],
    )
    for data in rng.sample(bad, 4):
        data = data[: 16 * PAGE]
        count = -(-len(data) // PAGE)
        stage.put(stage.free(count + 1) + rng.choice((0, 0, 0, 24, 100)), data)


def dump_in_page_cache(stage: _Stage) -> None:
    """Add a dump file of an earlier boot, in the page cache; its note may be at a page start."""
    text = _elsewhere(stage) if stage.rng.randrange(3) else _other_release(_elsewhere(stage), stage.rng)
    area = factory.cpus(order=stage.base.order) + stage.note(text)
    data = factory.elf([area], [factory.Load(0x1000, factory.ram())], order=stage.base.order)
    at = data.index(stage.note(text))
    if stage.rng.randrange(2):  # as if the file system, or a longer header area, moved it there
        data = bytes(-at % PAGE) + data
    count = -(-len(data) // PAGE)
    stage.put(stage.free(count), data)


def nested_guest(stage: _Stage) -> None:
    """Add all pages of another guest of the same build, some MiB from its own addresses."""
    text = _elsewhere(stage)
    shift = stage.rng.randrange(1, 24) << 21
    for paddr, page in _cut(stage.name)[0].items():
        there = paddr + shift
        if there < stage.base.ram[1] and there not in stage.pages:
            stage.pages[there] = page
    for paddr, data in ((stage.base.note, stage.note(text)), (stage.base.data, text)):
        stage.put(paddr + shift, data.ljust(PAGE, b"\0"))


def windows_header(stage: _Stage) -> None:
    stage.put(stage.free(3), stage.note(b"PAGEDU64" + stage.rng.randbytes(8184)))


STORIES: dict[str, Callable[[_Stage], None]] = {
    story.__name__: story
    for story in (
        stale_other_release,
        stale_same_release,
        stale_with_utsname,
        stray_copies,
        cut_copies,
        twin,
        longer_twin,
        hostile,
        dump_in_page_cache,
        nested_guest,
        windows_header,
    )
}
