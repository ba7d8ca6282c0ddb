"""Test reading kdump files of every width, byte order, padding, version, block size and compression."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable

import cramjam
import lzallright
import pytest

from tests.dumps import factory as elf_factory
from tests.dumps import kdump_factory as factory
from tests.dumps.records import Bits, Order, Padding
from tests.zstd import zstd
from vmci_tui.common.errors import OpenError
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump import pages as kdump_pages
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document.byte_map import Places
from vmci_tui.document.state import State
from vmci_tui.formats import compression as decompress
from vmci_tui.formats.header_text import HeaderText
from vmci_tui.layers.file import BytesSource

from ..kit import opened

_SHAPES: list[tuple[Bits, Order, Padding]] = [
    (64, "little", "packed"), (64, "big", "packed"), (32, "little", "packed"), (32, "big", "packed"),
    (32, "little", "padded"), (32, "big", "padded"),
]  # fmt: skip
_COMPRESSIONS: list[tuple[str, Callable[[bytes], bytes] | None, int]] = [
    ("none", None, 0),
    ("zlib", zlib.compress, factory.ZLIB),
    ("lzo", lzallright.LZOCompressor().compress, factory.LZO),
    ("snappy", lambda data: bytes(cramjam.snappy.compress_raw(data)), factory.SNAPPY),
    ("zstd", zstd.compress, factory.ZSTD),
]
shapes = pytest.mark.parametrize(("bits", "order", "padding"), _SHAPES)
compressions = pytest.mark.parametrize(("name", "compress", "flag"), _COMPRESSIONS)


def _open(data: bytes) -> KdumpDump:
    dump = open_dump(BytesSource(data))
    assert isinstance(dump, KdumpDump)
    return dump


def _memory(dump: KdumpDump) -> dict[int, bytes]:
    """Return every page by its number, read through the guest's ranges."""
    guest, size, out = guest_of(dump), dump.header.block_size, {}
    for item in guest.memory.ranges:
        data = guest.read(item.paddr, item.length)
        assert data is not None
        for at in range(0, item.length, size):
            out[(item.paddr + at) // size] = data[at : at + size]
    return out


@shapes
@pytest.mark.parametrize("version", range(7))
def test_headers_notes_and_memory_of_every_shape(bits: Bits, order: Order, padding: Padding, version: int) -> None:
    text = elf_factory.TEXT_64 if bits == 64 else elf_factory.TEXT_32
    notes = [elf_factory.cpus(2, order), elf_factory.note(text, order=order)]
    memory = factory.pages(0, 3, 4, 5, 300)
    dump = _open(factory.kdump(memory, notes, bits, order, padding, version, sub={"phys_base": 0x1234000}))
    assert (dump.bits, dump.order, dump.header.version) == (bits, order, version)
    if padding == "padded" and version >= 3:
        assert dump.header.form.padded
    assert (dump.header.phys_base, dump.doubts) == (0x1234000, ())
    assert _memory(dump) == memory
    held = {3: text}.get(version, b"".join(notes) if version >= 4 else b"")
    assert b"".join(note.raw for note in dump.notes) == held
    if version >= 3:
        note = State(notes=dump.notes).note
        assert note is not None and note.desc == text and isinstance(note, HeaderText) == (version == 3)
    if version >= 4:
        assert dump.machine == ("x86_64" if bits == 64 else "i386")
    if version >= 3:
        offset, length = dump.header.vmcoreinfo
        assert dump.plain.read(offset, length) == text
    assert [(item.paddr, item.length, item.offset) for item in dump.memory.ranges] == [
        (0, 4096, None), (0x3000, 12288, None), (300 << 12, 4096, None)
    ]  # fmt: skip


@compressions
@pytest.mark.parametrize("block", [4096, 16384, 65536])
def test_every_compression_and_block_size(
    name: str, compress: Callable[[bytes], bytes] | None, flag: int, block: int
) -> None:
    memory = factory.pages(1, 2, 9, block=block) | {4: bytes(block), 5: bytes(block), 6: elf_factory.ram(block, 77)}
    dump = _open(factory.kdump(memory, block=block, compress=compress, flag=flag))
    assert _memory(dump) == memory
    assert dict(dump.pages.heads(64)) == {pfn * block: page[:64] for pfn, page in memory.items()}
    assert dict(dump.pages.heads(64, 2 * block, 5 * block)) == {p * block: memory[p][:64] for p in (2, 4)}


@compressions
def test_a_page_is_never_decompressed_to_more_than_a_page(
    name: str, compress: Callable[[bytes], bytes] | None, flag: int
) -> None:
    if compress is None:
        return
    bomb = compress(bytes({"zlib": 3 << 20, "lzo": 600_000, "snappy": 65536, "zstd": 64 << 20}[name]))
    assert len(bomb) < 4096
    dump = _open(factory.kdump({0: b"\1" * 4096}, compress=lambda _: bomb, flag=flag))
    assert dump.pages.read(0, 4096) == b"" and guest_of(dump).read(0, 16) is None
    for _, head in dump.pages.heads(64):
        assert len(head) <= 64
    short = _open(factory.kdump({0: b"\1" * 4096}, compress=lambda _: compress(b"\1" * 4000), flag=flag))
    assert guest_of(short).read(0, 16) is None


@pytest.mark.parametrize("flag", [3, 7, 5, 0x21])
def test_two_compression_flags_at_once_are_unknown(flag: int) -> None:
    assert guest_of(_open(factory.kdump({0: bytes(4096)}, flag=flag))).read(0, 1) is None


@compressions
def test_damaged_pages_are_not_zeros(name: str, compress: Callable[[bytes], bytes] | None, flag: int) -> None:
    if compress is None:
        return
    pages = factory.pages(0, 1, 2)
    whole = {page: compress(page) for page in pages.values()}
    small = whole[pages[1]]
    for damaged in (small[: len(small) // 2], b"\xff" * len(small), small[:-3] + b"\xff\xff\xff"):
        data = factory.kdump(pages, compress=(whole | {pages[1]: damaged}).__getitem__, flag=flag)
        guest = guest_of(_open(data))
        assert guest.read(0, 4096) == pages[0] and guest.read(0x2000, 4096) == pages[2]
        assert guest.read(0x1000, 16) in (None, pages[1][:16])
        assert guest.read(0x3000, 1) is None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lzallright", "cramjam", "backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    for name, compress, flag in _COMPRESSIONS[2:]:
        dump = _open(factory.kdump(compress=compress, flag=flag))
        assert len(dump.notes) == 3
        with pytest.raises(OpenError, match=f"compressed by {name}, for which Python's") as error:
            dump.pages.read(0, 16)
        own = name == "zstd" and sys.version_info >= (3, 14)
        package = {"lzo": "lzallright", "snappy": "cramjam", "zstd": "backports.zstd"}[name]
        assert error.value.hint == ("use a Python that was built with it" if own else f"pip install {package}")
    assert _open(factory.kdump()).pages.read(0, 16)


def test_a_page_without_a_descriptor_is_not_in_the_memory() -> None:
    """In an unfinished dump the bitmap has a page whose descriptor was never written."""
    data = bytearray(factory.kdump(factory.pages(0, 1, 2), head={"status": factory.ZLIB | factory.INCOMPLETE}))
    at = _open(bytes(data)).header.descriptors
    data[at + 24 : at + 48] = bytes(24)
    guest = guest_of(_open(bytes(data)))
    assert guest.read(0, 8) and guest.read(0x2000, 8) and guest.read(0x1000, 8) is None
    assert guest.read(0xFF8, 16) is None


def test_a_split_dump_has_its_part_only() -> None:
    memory = factory.pages(0, 1, 5, 6, 7, 90)
    for version in (2, 5, 6):
        parts: dict[int, bytes] = {}
        for part in ((0, 6), (6, 7), (7, 91), (91, 91)):
            dump = _open(factory.kdump(memory, version=version, part=part))
            assert not dump.doubts, "nor is a part without pages odd"
            parts |= _memory(dump)
        assert parts == memory


def test_an_old_file_may_have_one_bitmap() -> None:
    memory = factory.pages(0, 1, 9)
    assert _memory(_open(factory.kdump(memory, bitmaps=1, max_mapnr=20_000))) == memory


def test_a_hole_wider_than_a_part_of_the_bitmap() -> None:
    memory = factory.pages(0, 32767, 32768, 32769, 200_000, 1 << 20)
    dump = _open(factory.kdump(memory))
    assert _memory(dump) == memory
    assert [dump.pages.bitmap.rank(pfn) for pfn in (0, 1, 32768, 65536, 1 << 20, (1 << 20) + 1)] == [0, 1, 2, 4, 5, 6]
    ranges = list(dump.pages.data_ranges(0x800, (32768 << 12) + 5))
    assert ranges == [(0x800, 0x1000), (32767 << 12, (32768 << 12) + 5)]
    assert dump.pages.read(32768 << 12, 3 * 4096) == memory[32768] + memory[32769]


def test_full_parts_of_the_bitmap_are_one_range() -> None:
    page = bytes(4096)
    dump = _open(factory.kdump(dict.fromkeys(range(70_000), page)))
    assert [tuple(item) for item in dump.guest_memory.ranges] == [(0, 70_000 << 12, 0)]
    assert dump.pages.read(69_999 << 12, 9999) == page


def test_ranges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kdump_pages, "RANGE_LIMIT", 10)
    dump = _open(factory.kdump(dict.fromkeys(range(0, 100, 2), bytes(4096))))
    assert len(dump.memory.ranges) == 10
    assert any("more than 10 ranges: those from paddr 0x14000 on" in words for words in dump.doubts)
    guest = guest_of(dump)
    assert guest.read(90 << 12, 4096) == bytes(4096) and guest.read(98 << 12, 4097) is None
    assert [guest.memory.range_at(pfn << 12) is None for pfn in (18, 19, 20, 21, 98, 99, 1000)] == [
        False, True, False, True, False, True, True
    ]  # fmt: skip


def test_the_cache_is_bounded() -> None:
    page = elf_factory.ram(65536)
    dump = _open(factory.kdump(dict.fromkeys(range(400), page), block=65536, compress=None, flag=0))
    for pfn in range(400):
        assert dump.pages.page(pfn) == page
    assert len(dump.pages._cache) * 65536 <= kdump_pages.CACHE_LIMIT


@pytest.mark.parametrize(
    ("machine", "word"),
    [
        (b"x86_64", "x86_64"), (b"i686", "i386"), (b"S390X", "s390x"), (b"armv7l", "arm"), (b"aarch64", "aarch64"),
        (b"ppc64le", "ppc64"), (b"Unknown", "x86_64"), (b"", "x86_64"), (b"\x1b[31m", "x86_64"),
    ],
)  # fmt: skip
def test_the_machine_by_utsname_or_by_its_registers(machine: bytes, word: str) -> None:
    assert _open(factory.kdump(uts={"machine": machine})).machine == word


def test_an_ambiguous_width_is_a_doubt() -> None:
    """A 32-bit header whose max_mapnr and total_ram_blocks read as the block_size and sub_hdr_size of a 64-bit one."""
    data = bytearray(factory.kdump({0: bytes(4096)}, bits=32, max_mapnr=65536))
    assert _open(bytes(data)).bits == 32
    data[432:436] = (1).to_bytes(4, "little")
    data[436:440] = (64).to_bytes(4, "little")
    data[440:444] = (65536).to_bytes(4, "little")
    dump = _open(bytes(data))
    assert dump.bits == 32 and "as 64 bit little-endian too" in dump.doubts[0] and "i386" in dump.doubts[0]


@pytest.mark.parametrize("version", [7, 100, -1, 0x06000000])
def test_an_unknown_version_is_read_as_the_newest(version: int) -> None:
    data = bytearray(factory.kdump())
    data[8:12] = (version & 0xFFFFFFFF).to_bytes(4, "little")
    dump = _open(bytes(data))
    assert len(dump.notes) == 3 and f"header_version is {version}" in dump.doubts[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (factory.kdump()[:300], "300 bytes, no whole header"),
        (factory.kdump()[:4100], "its sub-header is not whole"),
        (factory.kdump(head={"block_size": 4097}), "no width and byte order make sense"),
        (factory.kdump(head={"sub_hdr_size": 0}), "has no sub-header"),
        (factory.kdump(head={"bitmap_blocks": 0xFFFFFFFF}), "4294967295 blocks of bitmap"),
        (factory.of_records([(0, b"ELF")]), "holds no dump"),
    ],
)
def test_a_file_that_cannot_be_opened_is_one_line(data: bytes, words: str) -> None:
    with pytest.raises(OpenError, match=words) as error:
        open_dump(BytesSource(data))
    assert error.value.hint


def test_a_cut_file_opens_with_its_remaining_pages() -> None:
    data = factory.kdump(factory.pages(*range(40)))
    for length in range(9000, len(data), 997):
        dump = _open(data[:length])
        guest = guest_of(dump)
        for item in guest.memory.ranges:
            page = guest.read(item.paddr, 4096)
            assert page is None or page == factory.pages(item.paddr >> 12)[item.paddr >> 12]
    assert "no page of memory is in it" in _open(data[:9000]).missing


def test_notes_past_the_end_of_the_file_are_broken() -> None:
    dump = _open(factory.kdump(sub={"size_note": 1 << 20}))
    assert dump.notes[-1].broken and len(dump.notes) > 3
    lost = _open(factory.kdump(sub={"offset_note": 1 << 40}))
    assert lost.notes == (HeaderText(elf_factory.TEXT_64, "little"),), "the header names the text all the same"


@shapes
def test_a_flattened_file_is_the_same_dump(bits: Bits, order: Order, padding: Padding) -> None:
    plain = factory.kdump(None, None, bits, order, padding)
    file = factory.flattened(plain, (452, 4096, 4176, 8192, 9000), (5, 0, 3, 1, 2, 4))
    one, two = _open(plain), _open(file)
    assert (one.container, two.container, two.doubts) == ("kdump", "flattened", ())
    assert (two.header, two.notes, two.note_starts) == (one.header, one.notes, one.note_starts)
    assert _memory(two) == _memory(one)
    layout = two.current_layout
    for note, at in zip(layout.notes, layout.note_offsets, strict=True):
        assert file[at : at + 12] == note.raw[:12]
    assert open_dump(two.source) == two != open_dump(one.source)


@pytest.mark.parametrize("flat", [False, True])
def test_every_byte_of_the_file_has_a_name(flat: bool) -> None:
    plain = factory.kdump(sub={"offset_eraseinfo": 4096 + 3000, "size_eraseinfo": 20})
    data = factory.flattened(plain, (464, 4096, 4200, 8000, 12288)) if flat else plain
    document = opened(data)
    places, at, seen = Places(document), 0, set()
    while at < len(data):
        place = places.at(at)
        assert place.offset <= at < place.end
        seen.add(place.label)
        at = place.end
    assert {"kdump header: signature", "kdump header: bitmap_blocks", "kdump sub-header: offset_note"} <= seen
    assert {"page descriptor 0: offset", "page descriptor 4: page_flags", "bitmap of the pages in this file"} <= seen
    assert {"eraseinfo: what makedumpfile erased", "key PAGESIZE", "note 2 VMCOREINFO: descsz"} <= seen
    assert ("record's header: offset" in seen) == flat
    assert ("end mark of the flattened file: size" in seen) == flat


def test_only_zlib_needs_no_package() -> None:
    assert decompress.decompressor(factory.ZLIB) is not None and decompress.decompressor(64) is None
