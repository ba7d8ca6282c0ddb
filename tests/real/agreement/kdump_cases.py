"""Make a kdump file for each rule of drgn and libkdumpfile."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import NamedTuple

import cramjam
import lzallright

from tests.real.agreement.kdump_bases import base
from tests.real.agreement.kdump_flat import Flat, flatten
from tests.real.agreement.kdump_shape import LZO, SNAPPY, ZLIB, ZSTD, KdumpShape
from tests.zstd import zstd

Change = Callable[[KdumpShape], object]
_GAP = 1 << 22
_FAR = 1 << 20


class Case(NamedTuple):
    """One file, and the rule that decides, or that matches an accepted file; None without such a rule."""

    name: str
    data: bytes
    rule: str | None
    accepts: bool = False


def _shape(name: str, **fields: int) -> KdumpShape:
    """Return a base with other fields in the sub-header."""
    shape = base(name).copy()
    shape.sub |= fields
    return shape


def _plain(shape: KdumpShape) -> bytes:
    return shape.bytes(random.Random(1))


def _changed(name: str, change: Change) -> bytes:
    shape = base(name).copy()
    change(shape)
    return _plain(shape)


def _flat(name: str = "amd64-short") -> Flat:
    data = _plain(base(name))
    return Flat([(at, data[at : at + 4096], None) for at in range(0, len(data), 4096)])


def _flat_with(change: Callable[[Flat], object]) -> bytes:
    flat = _flat()
    change(flat)
    return flat.bytes()


def _set(**fields: object) -> Callable[[Flat], None]:
    def change(flat: Flat) -> None:
        for name, value in fields.items():
            setattr(flat, name, value)

    return change


def _record(index: int, offset: int | None = None, size: int | None = None) -> Callable[[Flat], None]:
    def change(flat: Flat) -> None:
        at, data, was = flat.records[index]
        flat.records[index] = at if offset is None else offset, data, was if size is None else size

    return change


def _over_the_end() -> bytes:
    """Put the header of a record half in the last page of the file, half after it."""
    flat = _flat()
    flat.records = [(0, bytes(4096 - 16 - 8), None)]
    flat.end = bytes(8)
    return flat.bytes()


def _header(**fields: int) -> bytes:
    shape = base("amd64").copy()
    shape.header |= fields
    return _plain(shape)


def _machine(name: bytes) -> Change:
    return lambda shape: shape.uts.update(machine=name)


def _note(**fields: object) -> Change:
    def change(shape: KdumpShape) -> None:
        for name, value in fields.items():
            setattr(shape.notes.vmcoreinfo, name, value)

    return change


def _line(old: bytes, new: bytes) -> Change:
    def change(shape: KdumpShape) -> None:
        note = shape.notes.vmcoreinfo
        assert note is not None and old in note.desc
        note.desc = note.desc.replace(old, new)

    return change


def _version(number: int, **fields: int) -> Change:
    def change(shape: KdumpShape) -> None:
        shape.version = number
        shape.sub |= fields

    return change


def _page_0(**fields: object) -> Change:
    def change(shape: KdumpShape) -> None:
        for name, value in fields.items():
            setattr(shape.pages[0], name, value)

    return change


def _cut(length: int) -> Change:
    return lambda shape: shape.late.append(lambda rng, out: out.__delitem__(slice(length, None)))


def _cut_in_page_0(shape: KdumpShape) -> None:
    """Store page 0 across the end of the file."""
    page = shape.pages[0]
    page.data, page.flags, page.offset = zlib.decompress(page.data), 0, _FAR + 2048
    shape.late.append(lambda rng, out: out.extend(bytes(_FAR + 3000 - len(out))))


def _short_qemu_note(shape: KdumpShape) -> None:
    next(note for note in shape.notes.notes if note.name == b"QEMU\0").descsz = 3


def _compressed(flag: int, broken: bool = False) -> Change:
    """Store all pages in another compression."""
    lzo = lzallright.LZOCompressor()
    ways: dict[int, Callable[[bytes], bytes]] = {
        LZO: lzo.compress,
        SNAPPY: lambda data: bytes(cramjam.snappy.compress_raw(data)),
        ZSTD: zstd.compress,
    }

    def change(shape: KdumpShape) -> None:
        for page in shape.pages.values():
            if page.flags == ZLIB:
                page.data, page.flags = ways[flag](zlib.decompress(page.data)), flag
                page.data = b"\xff" * 8 + page.data[8:] if broken else page.data

    return change


def _filled(shape: KdumpShape) -> None:
    """The fields that QEMU leaves empty, beside utsname."""
    shape.uts = base("arm64").uts


def _other_text(shape: KdumpShape) -> None:
    shape.own_pointer = b"OSRELEASE=9.9.9-header\nPAGESIZE=4096\n"


def _swapped_words(shape: KdumpShape) -> None:
    note = shape.notes.vmcoreinfo
    assert note is not None
    note.swapped = True


def _lying_neighbour(shape: KdumpShape) -> None:
    shape.notes.notes[0].descsz = 4096 + len(shape.notes.notes[0].desc)


def _between_records() -> bytes:
    """Notes at an offset without a record; libkdumpfile then reads the file 273 bytes after it, up to 32 records."""
    shape = _shape("amd64-short")
    area = b"".join(note.bytes("little") for note in shape.notes.notes)
    shape.sub |= {"offset_note": _GAP, "size_note": len(area)}
    flat = Flat([(0, _plain(shape), None)])
    used = len(flat.bytes()) - 16
    filler = bytes(_GAP + 273 - used - 16)
    flat.records.append((1 << 40, filler + area, None))
    return flat.bytes()


def cases() -> list[Case]:
    """Return all cases."""
    return [
        Case("good", _plain(base("amd64")), None, True),
        Case("good-flattened", flatten(random.Random(3), _plain(base("amd64"))).bytes(), None, True),
        Case("good-s390x", _plain(base("s390x")), None, True),
        Case("good-packed", _plain(base("i386-filled")), None, True),
        Case("good-padded", _plain(base("i386-behind-padded")), None, True),
        Case("flat-type", _flat_with(_set(kind=2)), "flattened-head"),
        Case("flat-version", _flat_with(_set(version=9)), "flattened-head"),
        Case("flat-no-end", _flat_with(_set(end=b"")), "flattened-record"),
        Case("flat-zero-end", _flat_with(_set(end=bytes(16))), "flattened-record"),
        Case("flat-offset", _flat_with(_record(1, offset=-2)), "flattened-record"),
        Case("flat-size", _flat_with(_record(1, size=-1)), "flattened-record"),
        Case("flat-size-too-big", _flat_with(_record(1, size=(1 << 63) - 1)), "flattened-record"),
        Case("flat-over-the-end", _over_the_end(), "killed-by-records"),
        Case("flat-first-missing", _flat_with(lambda flat: flat.records.pop(0)), "unknown-format"),
        Case("flat-none", _flat_with(lambda flat: flat.records.clear()), "no-records"),
        Case("flat-between", _between_records(), None, True),
        Case("block-size", _header(block_size=5000), "no-width"),
        Case("bitmap-too-small", _header(bitmap_blocks=0), "no-width"),
        Case("bitmap-behind", _header(sub_hdr_size=1 << 16, bitmap_blocks=255), "bitmap"),
        Case("bitmap-cut", _changed("amd64", _cut(20480 + 100)), "bitmap"),
        Case("erase-info", _plain(_shape("amd64", size_eraseinfo=1 << 21)), "erase-info"),
        Case("erase-info-place", _plain(_shape("amd64", size_eraseinfo=9, offset_eraseinfo=1 << 63)), "erase-info"),
        Case("version-3", _changed("amd64", _version(3)), None, True),
        Case("version-3-size", _changed("amd64", _version(3, size_vmcoreinfo=1 << 21)), "text-pointer"),
        Case("version-3-page", _changed("amd64-old", _line(b"PAGESIZE=4096", b"PAGESIZE=4095")), "page-size"),
        Case("version-2", _changed("amd64", _version(2)), "version-without-text"),
        Case("version-0", _changed("amd64", _version(0)), "version-without-text"),
        Case("version-negative", _changed("amd64", _version(-1)), None, True),
        Case("note-size", _plain(_shape("amd64-behind", size_note=1 << 21)), "killed-by-notes"),
        Case("note-place", _plain(_shape("amd64", offset_note=1 << 63)), "note-pointer"),
        Case("no-note-pointer", _plain(_shape("amd64", size_note=0)), "text-only-by-the-other-pointer"),
        Case("no-note", _plain(base("amd64-no-note")), "no-note-in-kdump"),
        Case(
            "packed-behind", _changed("i386-filled", lambda s: setattr(s, "notes_behind", True)), "sub-header-misread"
        ),
        Case("name", _changed("amd64", _note(name=b"VMCOREINFO_X\0")), "name-not-exact-in-kdump"),
        Case("words", _changed("amd64", _swapped_words), "other-byte-order-in-kdump"),
        Case("neighbour", _changed("amd64", _lying_neighbour), "lost-among-others-in-kdump"),
        Case("cpu-note", _changed("amd64", lambda s: setattr(s.notes.notes[0], "desc", bytes(100))), "cpu-note"),
        Case("qemu-note", _changed("amd64", _short_qemu_note), "qemu-cpu-note"),
        Case("page-size", _changed("amd64", _line(b"PAGESIZE=4096", b"PAGESIZE=4095")), "page-size"),
        Case(
            "page-size-big", _changed("amd64", _line(b"PAGESIZE=4096", b"PAGESIZE=%d" % (1 << 40))), "page-size-too-big"
        ),
        Case("dot", _changed("amd64", _line(b"PAGESIZE=4096", b"PAGESIZE=4096\n.dot=1")), "dot-in-front"),
        Case("release-unread", _changed("amd64", _line(b"OSRELEASE=6.1", b"OSRELEASE=v6.1")), None, True),
        Case("release", _changed("s390x", _line(b"OSRELEASE=6.1", b"OSRELEASE=v6.1")), "release"),
        Case("no-page-0", _changed("s390x", lambda s: s.pages.pop(0) and None), "no-lowcore"),
        Case("page-0-size", _changed("s390x", _page_0(size=17)), "no-lowcore"),
        Case("page-0-bytes", _changed("s390x", _page_0(data=b"no zlib")), "no-lowcore"),
        Case("page-0-long", _changed("s390x", _page_0(data=zlib.compress(bytes(5000)))), "no-lowcore"),
        Case("page-0-short", _changed("s390x", _page_0(data=zlib.compress(bytes(50)))), "no-lowcore"),
        Case("page-0-stored", _changed("s390x", _page_0(flags=0)), "no-lowcore"),
        Case("page-0-place", _changed("s390x", _page_0(offset=1 << 63)), "no-lowcore"),
        Case("page-0-cut", _changed("s390x", _cut_in_page_0), "killed-by-pages"),
        *(Case(f"method-{flag}", _changed("s390x", _compressed(flag)), None, True) for flag in (LZO, SNAPPY, ZSTD)),
        *(
            Case(f"broken-{flag}", _changed("s390x", _compressed(flag, True)), "no-lowcore")
            for flag in (LZO, SNAPPY, ZSTD)
        ),
        Case("text", _changed("amd64", _line(b"OSRELEASE=", b"ORELEASE=")), "no-release"),
        Case("utsname-of-qemu", _plain(base("amd64-qemu")), "utsname-not-linux"),
        Case("utsname-unknown", _plain(base("i386-real")), "utsname-not-linux"),
        Case("sysname", _changed("amd64", lambda s: s.uts.update(sysname=b"FreeBSD")), "utsname-not-linux"),
        Case("no-version", _changed("amd64", lambda s: s.uts.update(version=b"")), "utsname-not-linux"),
        Case("no-nul", _changed("amd64", lambda s: s.uts.update(nodename=b"n" * 65)), "utsname-not-linux"),
        Case("machine-s390x", _changed("s390x", _machine(b"S390X")), "unknown-machine"),
        Case("machine-unknown", _changed("amd64", _machine(b"Unknown")), "unknown-machine"),
        Case("machine-arm", _changed("armhf", _machine(b"armv9")), None, True),
        Case(
            "system-utsname",
            _changed("amd64-qemu", _line(b"PAGESIZE=4096", b"PAGESIZE=4096\nSYMBOL(system_utsname)=c0000000")),
            "no-machine-for-memory",
        ),
        Case("two-texts", _changed("amd64", _other_text), "pointers-disagree", True),
        Case("big-blocks", _changed("arm64-qemu", _filled), "block-size-not-page-size", True),
    ]
