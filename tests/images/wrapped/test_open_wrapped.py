"""Test libvirt's saves and savevm in qcow2: each opens as the stream in it, whatever it is compressed by."""

from __future__ import annotations

from hashlib import sha256
from struct import pack, pack_into

import pytest

from tests.images.wrapped.saves import AT, COMPRESSED, PLAIN, data_of, save, stream
from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.common.errors import OpenError
from vmci_tui.images.guest_image import GuestImage, ImageChoice
from vmci_tui.images.open_image import image_of
from vmci_tui.images.stream_image.stream import read_stream
from vmci_tui.layers.file import BytesSource

_SAVE_SUM = "08e82b8942c07d2ed88631b1f9facb625daca589c55446e03c68d523beffde54"
_DISK_SUM = "bec372b8dfc905b146799b6d52aa7c6bbb4e94d4075e8455d240c4956dd2a2b8"
_SPARSE_SUM = "2ad5ef66a82551da072cd58d6b1a39ecf4caff3e9b201618ba5e18732b86ff0a"
"""Of guest memory without the firmware, as QEMU's own dump of the same guest has it."""
_SPARSE_NOTES = "aec99dfddf0eac358e8994a653706ee91e97bd80f1757068aad1a9e93ada85f4"
"""Of the notes of that dump."""


def _opened(data: bytes, choice: ImageChoice = ImageChoice()) -> GuestImage:  # noqa: B008 (a frozen value)
    image = image_of(BytesSource(data), choice)
    assert image is not None
    return image


def _memory_sum(image: GuestImage) -> str:
    digest = sha256()
    for item in image.memory.ranges:
        if item.end != 1 << 32:  # the firmware is not in the sum
            assert item.offset is not None
            digest.update(pack("<QQ", item.paddr, item.length))
            for at in range(0, item.length, 1 << 20):
                digest.update(image.source.read(item.offset + at, min(1 << 20, item.length - at)))
    return digest.hexdigest()


def test_a_save_has_the_entry_the_memory_and_the_cpus_of_the_guest() -> None:
    image = _opened(data_of("lv-zstd.save"))
    assert image.entry is not None and image.stream is not None
    assert (image.entry.present, image.entry.entry.paddr) == (True, 0x1940000)
    assert (image.stream.wrapped, image.stream.compression, image.stream.at) == ("libvirt", "zstd", AT)
    assert (image.stream.machine, image.stream.cpus, len(image.notes)) == ("pc-q35-7.2", 1, 2)
    assert (image.doubts, image.missing) == ((), "")
    assert _memory_sum(image) == _SAVE_SUM


@pytest.mark.parametrize("name", COMPRESSED)
def test_each_compression_gives_the_same(name: str) -> None:
    plain, image = _opened(save(PLAIN)), _opened(save(COMPRESSED[name]))
    assert image.stream is not None and plain.stream is not None
    assert (image.stream.compression, plain.stream.compression) == (name, None)
    assert (image.notes, image.entry, image.memory) == (plain.notes, plain.entry, plain.memory)
    assert image.memory.read(image.source, 0x1940000, 4132) == plain.memory.read(plain.source, 0x1940000, 4132)


def test_a_save_of_a_big_endian_host_is_read() -> None:
    little = save(PLAIN)
    head = bytearray(little[:92])
    for at in range(16, 92, 4):
        head[at : at + 4] = head[at : at + 4][::-1]
    image = _opened(bytes(head) + little[92:])
    assert image.stream is not None and (image.stream.at, image.stream.complete) == (AT, True)


def test_a_sparse_save_of_libvirt_is_read() -> None:
    """libvirt 11.3.0 with QEMU 10.0.13 wrote it; the dump of the sums is by `virsh dump --memory-only` just before."""
    image = _opened(data_of("lv-sparse.save"))
    assert image.stream is not None and image.entry is not None
    assert (image.stream.wrapped, image.stream.compression) == ("libvirt", None)
    assert (image.stream.machine, image.stream.capabilities) == ("pc-i440fx-10.0", ("mapped-ram",))
    assert (image.doubts, image.missing, image.entry.present) == ((), "", False)
    assert _memory_sum(image) == _SPARSE_SUM
    assert sha256(b"".join(note.packed("little").raw for note in image.notes)).hexdigest() == _SPARSE_NOTES


def test_a_sparse_save_is_read() -> None:
    """Offsets of mapped-ram count from the start of the file, in which libvirt's head comes first."""
    plain = zstd.decompress((DATA / "streams" / "pc-mapped-10.0.qevm.zst").read_bytes())
    wanted = _opened(plain)
    inside, at = bytearray(plain), 0
    for block in read_stream(BytesSource(plain)).blocks:
        assert block.mapped is not None
        at = inside.index(pack(">QQ", block.mapped.bitmap, block.mapped.pages), at)
        pack_into(">QQ", inside, at, block.mapped.bitmap + AT, block.mapped.pages + AT)
        at = block.mapped.pages + block.length
    image = _opened(save((6, bytes), bytes(inside)))
    assert image.stream is not None and (image.stream.at, image.stream.wrapped) == (AT, "libvirt")
    assert (image.notes, image.entry, image.memory.ranges) == (wanted.notes, wanted.entry, wanted.memory.ranges)
    for paddr in (0, 0x1414000, 0x101BFB000):
        assert image.memory.read(image.source, paddr, 1 << 16) == wanted.memory.read(wanted.source, paddr, 1 << 16)


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_stream_opens_as_it_is(name: str) -> None:
    plain, image = _opened(stream()), _opened(COMPRESSED[name][1](stream()))
    assert image.stream is not None
    assert (image.stream.at, image.stream.wrapped, image.stream.compression) == (0, None, name)
    assert (image.notes, image.entry, image.memory) == (plain.notes, plain.entry, plain.memory)
    cut = _opened(COMPRESSED[name][1](stream())[:-8])
    assert f"its {name} data is cut off" in cut.missing


@pytest.mark.parametrize("name", COMPRESSED)
def test_what_else_is_compressed_is_not_an_image(name: str) -> None:
    for data in (b"a text", bytes(3 << 20)):
        packed = COMPRESSED[name][1](data)
        assert image_of(BytesSource(packed), ImageChoice()) is None
        assert image_of(BytesSource(packed[:17]), ImageChoice()) is None


def test_an_unfinished_save_shows_what_it_has_and_says_so() -> None:
    data = bytearray(save(PLAIN)[:300_000])
    data[:16] = b"LibvirtQemudPart"
    image = _opened(bytes(data))
    assert image.stream is not None and not image.stream.complete
    assert "not finished" in image.doubts[0] and "cut off" in image.missing


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_compressed_save_that_is_cut_names_what_is_cut(name: str) -> None:
    whole = save(COMPRESSED[name])
    try:
        image = _opened(whole[: len(whole) * 3 // 4])
    except OpenError as error:  # bzip2 has nothing of its last block
        assert "cut off" in error.message
    else:
        assert f"its {name} data is cut off" in image.missing and image.memory.ranges


@pytest.mark.parametrize(("number", "words"), [(4, "lzop"), (9, "format 9")])
def test_what_is_not_read_is_named(number: int, words: str) -> None:
    with pytest.raises(OpenError, match=words) as caught:
        _opened(save((number, bytes)))
    assert caught.value.hint


@pytest.mark.parametrize("length", [17, 60, 91, 92, 1000, AT, AT + 3])
def test_a_save_that_is_cut_in_its_head_is_one_line(length: int) -> None:
    with pytest.raises(OpenError, match=r"cut off|QEMU"):
        _opened(save(PLAIN)[:length])


def test_savevm_in_a_disk_has_the_entry_the_memory_and_the_cpus_of_the_guest() -> None:
    image = _opened(data_of("pc-savevm-7.2.qcow2"))
    assert image.entry is not None and image.stream is not None
    assert (image.entry.present, image.entry.entry.paddr) == (True, 0x1414000)
    assert (image.stream.wrapped, image.stream.compression) == ("qcow2", None)
    assert (image.stream.cpus, len(image.notes), image.doubts, image.missing) == (2, 4, (), "")
    assert data_of("pc-savevm-7.2.qcow2")[image.stream.at :].startswith(b"QEVM")
    assert _memory_sum(image) == _DISK_SUM
