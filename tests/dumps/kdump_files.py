"""Small kdump-compressed and flattened files, with the observed answer of each program.

`tests/real/agreement/test_kdump_native.py` runs the installed programs over the same files.
"""

from __future__ import annotations

import random
import struct
from typing import NamedTuple

from tests.dumps import records
from tests.dumps.records import KDUMP_HEADER, KDUMP_SUB, NOTE_NAME

TEXT = b"OSRELEASE=6.1.0\nPAGESIZE=4096\n"
_HEAD, _SUB = KDUMP_HEADER[64], KDUMP_SUB[64, "packed"]


def note(name: bytes, desc: bytes = b"", kind: int = 0, namesz: int | None = None, descsz: int | None = None) -> bytes:
    """Return a note; the sizes in its header may be false."""
    return records.note("little", name, desc, kind, namesz, descsz)


def kdump(
    text: bytes = TEXT,
    notes: bytes = b"",
    machine: bytes = b"x86_64",
    blocks: int = 2,
    behind: bytes = b"",
    **fields: int,
) -> bytes:
    """Return a version 6 file in blocks of 4,096: header, sub-header, bitmaps, notes, text; any field can be given."""
    out = bytearray(4096 * (2 + blocks))
    at, start = len(out), len(out) + len(notes)
    out[:8], out[272 : 272 + len(machine)] = b"KDUMP   ", machine
    values = {"version": 6, "block_size": 4096, "sub_hdr_size": 1, "bitmap_blocks": blocks, "nr_cpus": 1} | fields
    values = {"offset_vmcoreinfo": start, "size_vmcoreinfo": len(text), "max_mapnr_64": 16, "max_mapnr": 16} | values
    if notes:
        values = {"offset_note": at, "size_note": len(notes)} | values
    for name, value in values.items():
        record, start = (_HEAD, 0) if name in _HEAD.fields else (_SUB, 4096)
        record.put("little", out, name, value, start)
    return bytes(out) + notes + text + behind


def flattened(body: bytes, kind: int = 1, signature: bytes = b"makedumpfile\0\0\0\0") -> bytes:
    """Return the header, and the given bytes as records."""
    return (signature + struct.pack(">qq", kind, 1)).ljust(4096, b"\0") + body


def swapped(block_size: int = 4096) -> bytes:
    """Return the file of kdump() with a big-endian header."""
    data = bytearray(kdump(block_size=block_size))
    for name, value in _HEAD.unpack("little", bytes(data)).items():
        _HEAD.put("big", data, name, value)
    return bytes(data)


def narrow(machine: bytes = b"", max_mapnr: int = 512) -> bytes:
    """Return a 32-bit header, packed as QEMU writes it."""
    data = bytearray(kdump(machine=machine))
    data[408:464] = bytes(56)
    for name, value in {"status": 1, "block_size": 4096, "sub_hdr_size": 1, "bitmap_blocks": 2}.items():
        KDUMP_HEADER[32].put("little", data, name, value)
    KDUMP_HEADER[32].put("little", data, "max_mapnr", max_mapnr)
    return bytes(data)


class Case(NamedTuple):
    """One file, and for each program the deciding rule, the stage and the words; None: it accepts."""

    name: str
    data: bytes
    crash: tuple[str, str, str] | None = None
    makedumpfile: tuple[str, str, str] | None = None
    releases: tuple[str, str] = ("6.1.0", "6.1.0")
    """The release that crash and makedumpfile show if they accept."""


_UNKNOWN = "unknown"
_SEGV = "killed by SIGSEGV"
_NO_LOG = "dump_dmesg: Can't find some symbols for log_buf."
_COPY = "copy_vmcoreinfo: Can't read the dump memory(FILE). No such file or directory"
_FORMAT = "read_vmcoreinfo_basic_info: Invalid format in /tmp/vmcoreinfoXXXXXX"
_SUB_READ = "read_kdump_sub_header: Can't read a file(FILE). No such file or directory"
_MMAP = ("bitmap", "before", "crash: compressed kdump: cannot mmap bitmap buffer")
_BUS = ("bitmap", "before", "killed by SIGBUS")
_BLOCK = ("block-size", "before", "crash: diskdump / compressed kdump: cannot malloc block_size buffer")
_NOT_READ = ("pointer-outside", "note", "crash: compressed kdump: cannot read vmcoreinfo data")
_MISMATCH = ("kdump-machine", "before", "WARNING: machine type mismatch:")
_KILLED = ("killed-by-notes", "note", _SEGV)
_TOP = ("killed-by-notes", "note", "malloc(): corrupted top size")
_FLAT = ("flattened", "before", "check_elf_format: Can't get valid ehdr.")
_NO_STRING = ("no-string", "note", _UNKNOWN)
_NO_RELEASE = ("no-release", "after", _FORMAT)
_NO_TEXT = ("no-pointer", "note", _NO_LOG)
_WITH_NOTE = note(b"CORE\0", bytes(16), 1) + note(NOTE_NAME, TEXT)
_OTHER_BLOCK = "crash: compressed kdump: cannot mmap bitmap buffer"
_OLD = ("old-version", "note", _UNKNOWN)
_ELF = ("unknown-class", "before", "check_elf_format: Can't get valid ehdr.")


def cases() -> list[Case]:
    """Return all cases."""
    return [*_heads(), *_notes(), *_pointers(), *_texts(), *_flattened()]


def _heads() -> list[Case]:
    good = kdump()
    return [
        Case("good", good),
        *(Case(f"version {v}", kdump(version=v)) for v in (3, 4, 5, 7, 100, 6 << 24)),
        *(Case(f"version {v}", kdump(version=v), _OLD, ("old-version", "note", _NO_LOG)) for v in (1, 2)),
        *(
            Case(f"version {v}", kdump(version=v), _OLD,
                 ("header-version", "before",
                  "get_kdump_compressed_header_info: header does not have dump_level member"))
            for v in (0, -1)
        ),
        *(Case(f"machine {m!r}", kdump(machine=m)) for m in (b"x86_64", b"x86_64x", b"", b"Unknown", b"S390X", b"i586",
                                                            b"riscv64", b"loongarch64", b"ppcle", b"mipsel")),
        *(Case(f"machine {m!r}", kdump(machine=m), _MISMATCH) for m in (
            b"i686", b"aarch64", b"armv7l", b"s390x", b"ppc", b"ppc64le", b"mips", b"mips64", b"ia64")),
        Case("32 bits", narrow(), ("narrow-header", "before", "crash: compressed kdump: cannot mmap bitmap buffer"),
             ("no-text-by-narrow-header", "note", _NO_LOG)),
        Case("32 bits, much memory", narrow(max_mapnr=1 << 20), ("narrow-header", "before", _UNKNOWN),
             ("narrow-header", "before", _SUB_READ)),
        Case("32 bits, i686", narrow(b"i686"), _MISMATCH, ("no-text-by-narrow-header", "note", _NO_LOG)),
        Case("big-endian", swapped(), ("kdump-byte-order", "before", _UNKNOWN),
             ("header-in-other-byte-order", "before", _SUB_READ)),
        Case("big-endian, blocks of 64 KiB", swapped(65536), ("kdump-byte-order", "before", _OTHER_BLOCK),
             ("no-text-in-other-byte-order", "note", _NO_LOG)),
        Case("block 0", kdump(block_size=0), _BLOCK, ("no-pointer", "note", _NO_LOG)),
        Case("block -1", kdump(block_size=-1), _BLOCK,
             ("block-size", "before", "read_kdump_sub_header: Can't seek a file(FILE). Invalid argument")),
        Case("block 420", kdump(block_size=420), _BLOCK, _NO_TEXT),
        Case("block 4095", kdump(block_size=4095), _MMAP, ("pointer-outside", "note", _COPY)),
        Case("block 8192", kdump(block_size=8192), _BUS, _NO_TEXT),
        Case("block 1 MiB", kdump(block_size=1 << 20), ("block-size", "before", _UNKNOWN),
             ("block-size", "before", _SUB_READ)),
        Case("cut in the sub-header", good[:8000],
             ("cut-off", "before", "crash: compressed kdump: cannot read dump sub header"),
             ("pointer-outside", "note", _COPY)),
        Case("cut in the header", good[:4000], ("identification", "before", _UNKNOWN),
             ("block-size", "before", _SUB_READ)),
        Case("no bitmap", kdump(bitmap_blocks=0), _MMAP),
        Case("bitmap outside", kdump(bitmap_blocks=100), _BUS),
        Case("bitmap huge", kdump(bitmap_blocks=1 << 20), _MMAP),
        Case("bitmap before", kdump(sub_hdr_size=-2), _MMAP),
        Case("bitmap at 0", kdump(sub_hdr_size=-1)),
        Case("sub-header far", kdump(sub_hdr_size=1 << 20), _BUS),
        Case("no CPU", kdump(nr_cpus=0)),
        *(Case(f"{pages:#x} pages", kdump(max_mapnr_64=pages)) for pages in (
            0, 65536, (1 << 43) - 1, 1 << 43, 1 << 63, (1 << 64) - 1)),
        *(Case(f"{pages:#x} pages", kdump(max_mapnr_64=pages), ("pages", "before", _SEGV)) for pages in (
            1 << 27, 1 << 40, (1 << 43) - 4096)),
        Case("many pages, old", kdump(version=5, max_mapnr=1 << 31), ("pages", "before", _SEGV)),
        Case("split", kdump(split=1, start_pfn_64=5, end_pfn_64=15)),
        Case("split, far", kdump(split=1, start_pfn_64=1 << 30, end_pfn_64=(1 << 30) + 5), ("pages", "before", _SEGV)),
        Case("split, old", kdump(version=5, split=1, start_pfn=1 << 30, end_pfn=(1 << 30) + 5),
             ("pages", "before", _SEGV)),
        Case("split, backwards", kdump(split=1, start_pfn_64=1 << 30, end_pfn_64=(1 << 30) - 1)),
        Case("diskdump 2", b"DISKDUMP" + kdump(version=2)[8:], _OLD, _ELF),
        Case("diskdump 6", b"DISKDUMP" + good[8:], ("diskdump", "note", _SEGV), _ELF),
        Case("other signature", b"KDUMP\0\0\0" + good[8:], ("identification", "before", _UNKNOWN), _ELF),
    ]  # fmt: skip


def _notes() -> list[Case]:
    outside = ("notes-outside", "before", "crash: compressed kdump: cannot read notes data")
    return [
        Case("notes", kdump(notes=_WITH_NOTE)),
        Case("notes far", kdump(notes=_WITH_NOTE, offset_note=1 << 40), outside),
        Case("notes long", kdump(notes=_WITH_NOTE, size_note=1 << 20), outside),
        Case("notes long, version 3", kdump(notes=_WITH_NOTE, size_note=1 << 20, version=3)),
        Case("notes before", kdump(notes=_WITH_NOTE, offset_note=1 << 63),
             ("notes-outside", "before", "crash: compressed kdump: cannot lseek notes data")),
        Case("notes at the top", kdump(notes=_WITH_NOTE, offset_note=(1 << 63) - 1)),
        Case("notes huge", kdump(notes=_WITH_NOTE, size_note=1 << 40),
             ("notes-outside", "before", "crash: compressed kdump: cannot malloc notes buffer")),
        Case("notes broken", kdump(notes=note(b"A\0", descsz=(1 << 32) - 1) + _WITH_NOTE)),
        Case("empty Xen note", kdump(notes=note(b"Xen\0", kind=0x1000001) + _WITH_NOTE), _KILLED),
        Case("Xen note", kdump(notes=note(b"Xen\0", bytes(8), 0x10000001) + _WITH_NOTE)),
        Case("Xen note far", kdump(notes=note(b"Xen\0", bytes(8), 0x1000001, namesz=1 << 31)), _KILLED),
        Case("Xen note, name of 2^32 - 1", kdump(notes=note(b"Xen\0", bytes(16), 0x1000001, namesz=(1 << 32) - 1))),
        Case("Xen note after one that counts", kdump(notes=note(b"Xen\0", b"1" * 16, 0x1000001)
                                                   + note(b"Xen\0", kind=0x1000001) + bytes(32))),
        Case("SNAP", kdump(notes=note(b"SNAP\0", bytes(8), 4) + _WITH_NOTE)),
        Case("SNAP far", kdump(notes=note(b"SNAP\0", bytes(8), 4, namesz=1 << 31)), _KILLED),
        Case("8,259 CPUs", kdump(notes=note(b"QEMU\0") * 8259)),
        Case("8,300 CPUs", kdump(notes=note(b"QEMU\0") * 8300), _TOP),
        Case("15,000 CPUs", kdump(notes=note(b"QEMU\0") * 15000), _KILLED),
        Case("24,700 registers", kdump(notes=note(b"", kind=1) * 24700), _TOP),
        Case("30,000 registers", kdump(notes=note(b"", kind=1) * 30000), _KILLED),
    ]  # fmt: skip


def _pointers() -> list[Case]:
    none = ("no-pointer", "note", _UNKNOWN)
    return [
        Case("no text", kdump(offset_vmcoreinfo=0, size_vmcoreinfo=0), none, _NO_TEXT),
        Case("no text, a note", kdump(notes=_WITH_NOTE, offset_vmcoreinfo=0, size_vmcoreinfo=0),
             ("note-without-pointer", "note", _UNKNOWN), ("note-without-pointer", "note", _NO_LOG)),
        Case("offset 0", kdump(offset_vmcoreinfo=0), ("kdump-no-release", "after", _UNKNOWN), _NO_TEXT),
        Case("text far", kdump(offset_vmcoreinfo=1 << 20), _NOT_READ, ("pointer-outside", "note", _COPY)),
        Case("text before", kdump(offset_vmcoreinfo=1 << 63),
             ("pointer-outside", "note", "crash: compressed kdump: cannot lseek dump vmcoreinfo"),
             ("pointer-outside", "note", "copy_vmcoreinfo: Can't seek the dump memory(FILE). Invalid argument")),
        Case("text at the top", kdump(offset_vmcoreinfo=(1 << 63) - 1), ("pointer-at-the-top", "after", _UNKNOWN),
             ("pointer-outside", "note", _COPY)),
        Case("text huge", kdump(size_vmcoreinfo=1 << 40),
             ("pointer-outside", "note", "crash: compressed kdump: cannot malloc vmcoreinfo buffer"),
             ("pointer-outside", "note",
              "copy_vmcoreinfo: Can't allocate buffer for vmcoreinfo. Cannot allocate memory")),
        Case("text of 2^64 - 1", kdump(size_vmcoreinfo=(1 << 64) - 1),
             ("pointer-outside", "note", "double free or corruption (out)"),
             ("pointer-outside", "note",
              "copy_vmcoreinfo: Can't allocate buffer for vmcoreinfo. Cannot allocate memory")),
        Case("text elsewhere", kdump(b"PAGESIZE=4096\n", _WITH_NOTE), ("pointer-elsewhere", "after", _UNKNOWN),
             _NO_RELEASE),
        Case("text other", kdump(b"OSRELEASE=9\nPAGESIZE=4096\n", _WITH_NOTE), releases=("9", "9")),
    ]  # fmt: skip


def _texts() -> list[Case]:
    empty = ("kdump-empty-release", "after", "")
    return [
        Case("no release", kdump(b"PAGESIZE=4096\n"), ("kdump-no-release", "after", _UNKNOWN), _NO_RELEASE),
        Case("not anchored", kdump(b"XOSRELEASE=7\nOSRELEASE=6\nPAGESIZE=4096\n"), releases=("7", "6")),
        Case("release behind NUL", kdump(b"PAGESIZE=4096\n\0\nOSRELEASE=6\n"), ("behind-nul", "after", _UNKNOWN),
             _NO_RELEASE),
        Case("NUL in the release", kdump(b"PAGESIZE=4096\nOSRELEASE=6\0.1\n"), ("nul-in-release", "after", _SEGV),
             releases=("", "6")),
        Case("empty release", kdump(b"OSRELEASE=\nPAGESIZE=4096\n"), empty, releases=("", "")),
        Case("blank release", kdump(b"OSRELEASE=\t\nPAGESIZE=4096\n"), empty, releases=("", "\\x09")),
        Case("unknown", kdump(b"OSRELEASE=unknown\nPAGESIZE=4096\n"), ("kdump-release-unknown", "after", _UNKNOWN),
             releases=("", "unknown")),
        Case("no newline", kdump(b"PAGESIZE=4096\nOSRELEASE=6", behind=b".1\n"), releases=("6", "6")),
        Case("CRLF", kdump(b"OSRELEASE=6\r\nPAGESIZE=4096\r\n"), None,
             ("carriage-return", "after",
              "read_vmcoreinfo_basic_info: Invalid data in /tmp/vmcoreinfoXXXXXX: PAGESIZE=4096\\x0d"),
             ("6\\x0d", "")),
        Case("twice", kdump(b"OSRELEASE=6\nOSRELEASE=7\nPAGESIZE=4096\n"), releases=("6", "6")),
        Case("phys_base", kdump(TEXT + b"NUMBER(phys_base)=4096\n", phys_base=0x4096)),
    ]  # fmt: skip


def _flattened() -> list[Case]:
    strings = [b"aaaaaaaaaa"] * 98
    seen = {
        "flattened": (TEXT, "6.1.0"),
        "flattened, not anchored": (b"xxOSRELEASE=7\0", "7"),
        "flattened, blanks": (b"OSRELEASE=6\t7 8\xff", "6\\x097 8"),
        "flattened, two": (b"OSRELEASE=6\0OSRELEASE=7\0", "7"),
        "flattened, string 99": (b"\0".join([*strings, b"OSRELEASE=99", b""]), "99"),
        "flattened, over a border": (bytes((1 << 20) - 4096 - 5) + TEXT, "6.1.0"),
        "flattened, in two pieces": (b"a" * 1480 + b"OSRELEASE=6.1.0-abcdef\0", "6.1.0-ab"),
        "flattened, cut by the piece": (b"a" * 1488 + b"OSRELEASE=6\0", ""),
    }
    lost = {
        "flattened, none": b"OSRELEAS=6.1.0\0",
        "flattened, short": b"OSRELEASE\0" * 3,
        "flattened, string 101": b"\0".join([*strings, b"aaaaaaaaaa", b"aaaaaaaaaa", b"OSRELEASE=101", b""]),
        "flattened, straddles": b"a" * 1490 + b"OSRELEASE=6\0",
        "flattened, behind a long one": b"a" * (1498 * 102) + b"\0OSRELEASE=6\0",
        "flattened, random": random.Random(1).randbytes(3 << 20) + b"\0OSRELEASE=6\0",
    }
    out = [Case(name, flattened(body), None, _FLAT, (release, "")) for name, (body, release) in seen.items() if release]
    out += [Case(name, flattened(body), _NO_STRING, _FLAT) for name, body in lost.items()]
    return [
        *out,
        Case("flattened, cut by the piece", flattened(seen["flattened, cut by the piece"][0]),
             ("kdump-empty-release", "after", ""), _FLAT),
        Case("flattened, empty", flattened(b"OSRELEASE=\0"), ("kdump-empty-release", "after", ""), _FLAT),
        Case("flattened, unknown", flattened(b"OSRELEASE=unknown\0"),
             ("kdump-release-unknown", "after", _UNKNOWN), _FLAT),
        Case("flattened, type 2", flattened(TEXT, 2), ("identification", "before", _UNKNOWN), _FLAT),
        Case("flattened, signature", flattened(TEXT, signature=b"makedumpfile1\0\0\0"),
             ("identification", "before", _UNKNOWN), _ELF),
        Case("flattened, 40 bytes", flattened(TEXT)[:40], _NO_STRING,
             ("too-short", "before", "check_elf_format: Can't read FILE. No such file or directory")),
    ]  # fmt: skip
