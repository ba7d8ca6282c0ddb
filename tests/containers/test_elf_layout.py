"""Test the layout of saved ELF dumps: the order that readers need, with memory unchanged."""

from __future__ import annotations

import io
import struct

import pytest
from elftools.elf.elffile import ELFFile

from tests.dumps.factory import I386, S390, Load, cpus, elf, note, ram
from tests.kit import elf_of, image_bytes, opened, saved
from vmci_tui.common.errors import SaveError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers import LayoutRequest, open_dump
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.formats.elf_note import build
from vmci_tui.formats.elf_records import PT_LOAD
from vmci_tui.layers.file import BytesSource
from vmci_tui.saving.verify import check_saved

_BIG = b"OSRELEASE=6.1.0-test\n" + b"KEY=value\n" * 900
_LOADS = (Load(0x1000, ram(8192, 1), vaddr=0xFFFF880000001000), Load(0x100000, ram(4096, 2), 8192))
_DUMPS = {
    "classic": elf((cpus() + note(),), _LOADS),
    "qemu": elf((cpus() + note(),), _LOADS, qemu=True),
    "qemu 32": elf((cpus() + note(),), (Load(0x1000, ram()),), bits=32, machine=I386, qemu=True),
    "qemu big": elf((cpus(order="big"),), _LOADS, order="big", machine=S390, qemu=True),
    "no PT_NOTE": elf((), _LOADS),
    "two PT_NOTEs": elf((cpus(), note()), _LOADS),
    "PT_NOTE last": elf((cpus() + note(),), _LOADS, note_first=False),
    "notes behind": elf((cpus() + note(),), _LOADS, notes_behind=True),
    "p_align 8": elf((cpus(align=8) + note(align=8),), _LOADS, p_align=8),
    "p_align 4096": elf((cpus() + note(),), _LOADS, p_align=4096),
    "a gap": elf((cpus() + note(),), _LOADS, gap=20000),
    "sections": elf(None, _LOADS, order="big", machine=S390, qemu=True, sections=(b"tweak" * 9, b"X" * 64)),
    "overlapping": elf((cpus(),), (Load(0, ram()), Load(0, at=0, vaddr=0xC0000000))),
    "no bytes": elf((cpus(),), (Load(0, b"", 1 << 30), Load(1 << 30, ram(), 1 << 30))),
    "no memory": elf((cpus() + note(),), ()),
    "a broken note": elf((cpus() + note(descsz=1 << 20),), _LOADS),
    "no padding": elf((cpus() + note(b"OSRELEASE=6\n!")[:-3],), _LOADS, gap=3),
}  # fmt: skip
_TEXTS = {"small": b"OSRELEASE=6\n", "big": _BIG, "as it is": None}


@pytest.fixture(params=_DUMPS)
def document(request: pytest.FixtureRequest) -> Document:
    return opened(_DUMPS[request.param])


def with_text(document: Document, text: bytes | None) -> Document:
    assert document.dump is not None
    if text is not None:
        document.edit(Edit.of(edit_notes.append_text, text, document.dump.order))
    return document


@pytest.mark.parametrize("text", _TEXTS)
def test_saved_headers_have_the_order_that_readers_need(document: Document, text: str) -> None:
    data = saved(with_text(document, _TEXTS[text]))
    elf_file = ELFFile(io.BytesIO(data))
    header = elf_file.header
    segments = list(elf_file.iter_segments())
    notes = [s for s in segments if s["p_type"] == "PT_NOTE"]
    assert header["e_phoff"] == header["e_ehsize"] == (64 if elf_file.elfclass == 64 else 52)
    assert len(notes) <= 1 and (not notes or segments[0] is notes[0])
    if document.state.notes:
        assert notes and notes[0]["p_filesz"] == notes[0]["p_memsz"]
        end = notes[0]["p_offset"] + notes[0]["p_filesz"]
        assert all(s["p_offset"] >= end for s in segments if s["p_type"] == "PT_LOAD" and s["p_filesz"])
        assert notes[0]["p_offset"] % 4 == 0
    assert all(s["p_align"] == 0 for s in segments)
    if text != "as it is":
        last = [n for n in elf_of(data).notes if n.whole][-1]
        assert (last.name, last.type, last.desc) == (b"VMCOREINFO\0", 0, _TEXTS[text])
        assert last.order == elf_of(data).order


@pytest.mark.parametrize("text", _TEXTS)
def test_memory_is_the_same_by_paddr_and_by_vaddr(document: Document, text: str) -> None:
    before = elf_of(image_bytes(document, document.layout))
    after = elf_of(saved(with_text(document, _TEXTS[text])))
    assert [r[:2] for r in before.memory.ranges] == [r[:2] for r in after.memory.ranges]
    for item in before.memory.ranges:
        length = min(item.length, 1 << 16)
        assert before.memory.read(before.source, item.paddr, length) == after.memory.read(
            after.source, item.paddr, length
        )
    old = [s for s in before.segments if s.type == PT_LOAD]
    new = [s for s in after.segments if s.type == PT_LOAD]
    for a, b in zip(old, new, strict=True):
        assert (a.vaddr, a.paddr, a.filesz, a.memsz, a.flags) == (b.vaddr, b.paddr, b.filesz, b.memsz, b.flags)
        assert before.source.read(a.offset, a.filesz) == after.source.read(b.offset, b.filesz)


@pytest.mark.parametrize("text", _TEXTS)
def test_the_layout_agrees_with_the_opened_copy(document: Document, text: str) -> None:
    layout = with_text(document, _TEXTS[text]).saved_layout
    data = saved(document)
    again = elf_of(data)
    assert layout.notes == again.notes and layout.note_offsets == again.note_offsets
    assert layout.memory == again.memory
    end = 0
    for region in layout.regions:
        assert region.offset >= end
        end = region.end
    assert end <= layout.image.size == len(data)


def test_saving_twice_is_saving_once(document: Document) -> None:
    once = saved(with_text(document, _BIG))
    assert saved(opened(once)) == once
    again = with_text(opened(once), _BIG)
    assert saved(again) == once


@pytest.mark.parametrize("kind", ["classic", "no memory"])
def test_an_unedited_file_in_standard_order_is_unchanged(kind: str) -> None:
    document = opened(_DUMPS[kind])
    assert saved(document) == _DUMPS[kind] and document.saved_layout.reasons == ()


def test_a_file_in_standard_order_keeps_its_gap_and_its_bytes() -> None:
    data = bytearray(_DUMPS["a gap"])
    at = data.rindex(b"KERNELOFFSET") + 10_000
    data[at : at + 4] = b"mine"
    document = opened(bytes(data))
    assert saved(document) == bytes(data)
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"16384"))
    assert saved(document)[at : at + 4] == b"mine"


def test_notes_that_start_on_a_page_stay_there() -> None:
    data = bytearray(elf((), _LOADS, gap=12288))
    own = cpus() + note()
    data[4096 : 4096 + len(own)] = own
    data = bytearray(_with_note_segment(bytes(data), 4096, len(own)))
    document = opened(bytes(data))
    assert [n.name for n in document.state.notes] == [b"CORE\0", b"QEMU\0", b"VMCOREINFO\0"]
    assert saved(document) == bytes(data)
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"16384"))
    after = elf_of(saved(document))
    assert after.segments[0].offset == 4096 and len(saved(document)) == len(data)


def _with_note_segment(data: bytes, offset: int, length: int) -> bytes:
    """Put a PT_NOTE before the program headers of a file that has room after them."""
    own = struct.pack("<II6Q", 4, 0, offset, 0, 0, length, length, 0)
    count = struct.unpack_from("<H", data, 56)[0]
    table = data[64 : 64 + 56 * count]
    out = bytearray(data)
    out[56:58] = struct.pack("<H", count + 1)
    out[64 : 64 + 56 * (count + 1)] = own + table
    return bytes(out)


def test_memory_moves_by_whole_blocks_and_only_if_needed() -> None:
    document = opened(_DUMPS["classic"])
    before = document.layout.memory.ranges[0].offset
    document.edit(Edit.of(edit_text.set_text, _BIG))
    after = document.saved_layout.memory.ranges[0].offset
    assert before is not None and after is not None
    assert after > before and (after - before) % 4096 == 0
    roomy = opened(_DUMPS["a gap"])
    old = roomy.layout.memory.ranges
    roomy.edit(Edit.of(edit_text.set_text, _BIG))
    assert roomy.saved_layout.memory.ranges == old


def test_broken_notes_go_last_and_hide_no_other() -> None:
    broken = note(b"?", b"BAD\0", descsz=99999)
    document = opened(elf((cpus() + broken, broken, note()), _LOADS))
    document.edit(Edit.of(edit_text.set_key, b"PAGESIZE", b"8192"))
    layout, data = document.saved_layout, saved(document)
    names = [n.name for n in elf_of(data).notes]
    assert names[:3] == [b"CORE\0", b"QEMU\0", b"VMCOREINFO\0"] and data.count(broken) == 2
    for item, at in zip(layout.notes, layout.note_offsets, strict=True):
        assert data[at : at + len(item.raw)] == item.raw
    assert document.dump is not None
    assert check_saved(document.dump, document.state, BytesSource(data), 1 << 40, no_progress) == 12288


@pytest.mark.parametrize("kind", ["classic", "qemu", "two PT_NOTEs", "PT_NOTE last", "a gap"])
def test_the_bytes_of_a_removed_note_are_not_in_the_file(kind: str) -> None:
    """A search of the file must not find a removed note: `crash --osrelease` greps some files."""
    document = opened(_DUMPS[kind])
    document.edit(Edit.of(edit_notes.strip))
    assert b"OSRELEASE" not in saved(document) and b"VMCOREINFO" not in saved(document)


def test_real_sections_are_kept_with_their_bytes() -> None:
    document = with_text(opened(_DUMPS["sections"]), _BIG)
    dump = elf_of(saved(document))
    assert [dump.source.read(s.offset, s.size) for s in dump.sections if s.type == 1] == [b"tweak" * 9, b"X" * 64]
    assert b".shstrtab" in dump.source.read(dump.sections[1].offset, dump.sections[1].size)


@pytest.mark.parametrize("qemu", [False, True])
@pytest.mark.parametrize("count", [65_533, 65_534, 65_535, 66_000])
def test_pn_xnum_is_written_only_if_needed(count: int, qemu: bool) -> None:
    page = ram(4096)
    loads = [Load(0, page)] + [Load(0, at=0, vaddr=n << 12) for n in range(1, count)]
    document = opened(elf((cpus(),), loads, qemu=qemu))
    document.edit(Edit.of(edit_notes.append_text, b"OSRELEASE=6\n", "little"))
    dump = elf_of(saved(document))
    assert len(dump.segments) == count + 1
    assert (dump.header.phnum == 0xFFFF) == (count + 1 >= 0xFFFF) == bool(dump.sections)
    assert [s.vaddr for s in dump.segments[1:]] == [load.vaddr for load in loads]
    assert saved(opened(saved(document))) == saved(document)


class _Sparse(BytesSource):
    """Return a source of 4 GiB that has only headers and notes."""

    @property
    def size(self) -> int:
        return 1 << 32


def test_a_32_bit_file_that_would_grow_past_4_gib_is_refused() -> None:
    data = bytearray(elf((cpus(),), (Load(0, ram()), Load(1 << 20, b"x" * 8)), bits=32, machine=I386))
    struct.pack_into("<I", data, 52 + 32 * 2 + 4, (1 << 32) - 8)  # p_offset of the second PT_LOAD
    dump = open_dump(_Sparse(bytes(data)))
    assert dump is not None
    dump.layout(LayoutRequest(dump.notes))
    with pytest.raises(SaveError, match="32-bit ELF"):
        dump.layout(LayoutRequest((*dump.notes, build(b"VMCOREINFO\0", 0, _BIG, "little"))))


def test_headers_that_are_too_large_are_refused() -> None:
    document = opened(_DUMPS["classic"])
    with pytest.raises(SaveError, match="limit"):
        document.edit(Edit.of(edit_text.set_text, b"A=1\n" * (17 << 20)))
    assert not document.modified and document.layout.image.size == len(_DUMPS["classic"])
