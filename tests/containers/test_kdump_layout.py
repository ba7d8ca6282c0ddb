"""Test the layout of saved kdump files: notes, both pointers and header fields change, memory keeps its bytes."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from random import Random

import pytest

from tests.dumps import factory as elf_factory
from tests.dumps import kdump_factory as factory
from tests.dumps.records import KDUMP_SUB, Bits, Order, Padding
from tests.kit import become, image_bytes, opened
from tests.opened_files import open_document
from vmci_tui.cli.run import main
from vmci_tui.common.errors import EditError, SaveError
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import guest_of
from vmci_tui.containers.kdump.dump import KdumpDump
from vmci_tui.document import edit_headers, edit_notes
from vmci_tui.document.byte_map import Places
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.formats.elf_note import NAME, build
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.flattened import FlattenedSource
from vmci_tui.saving.last_save import undo_last_save
from vmci_tui.saving.plan import plan_copy, plan_in_place
from vmci_tui.saving.save_copy import save_copy
from vmci_tui.saving.save_in_place import save_in_place

_SHAPES: list[tuple[Bits, Order, Padding]] = [
    (64, "little", "packed"), (64, "big", "packed"), (32, "little", "packed"), (32, "big", "packed"),
    (32, "little", "padded"),
]  # fmt: skip
shapes = pytest.mark.parametrize(("bits", "order", "padding"), _SHAPES)
_SMALL, _LARGE = elf_factory.TEXT_64 + b"SIZE(x)=1\n", elf_factory.TEXT_64 + b"KEY(of.a.long.name)=1\n" * 300
_CUTS = (464, 4096, 4176, 4200, 8192, 12288)


def _file(bits: Bits = 64, order: Order = "little", padding: Padding = "packed", flat: bool = False) -> bytes:
    plain = factory.kdump(None, None, bits, order, padding)
    return factory.flattened(plain, _CUTS, Random(9).sample(range(7), 7)) if flat else plain


def _kdump(data: bytes) -> KdumpDump:
    dump = open_dump(BytesSource(data))
    assert isinstance(dump, KdumpDump)
    return dump


def _memory(dump: KdumpDump) -> dict[int, bytes | None]:
    guest = guest_of(dump)
    return {item.paddr: guest.read(item.paddr, item.length) for item in guest.memory.ranges}


def _with_text(document: Document, text: bytes, plain: bool = False) -> Document:
    assert document.dump is not None
    state = edit_notes.append_text(document.state, text, document.dump.order)
    document.edit(become(edit_headers.make_plain(state) if plain else state))
    return document


def _result(document: Document, in_place: bool) -> bytes:
    assert document.dump is not None
    layout = document.dump.layout(document.state.of_dump._replace(in_place=in_place))
    source = layout.base or document.source
    return layout.image.read(source, 0, layout.image.size)


def _field(data: bytes, name: str, bits: Bits, order: Order, padding: Padding) -> int:
    """Read the fields by the records of tests, from the plain file."""
    return KDUMP_SUB[bits, padding].unpack(order, data, 4096)[name]


@shapes
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("text", [_SMALL, _LARGE], ids=["small", "large"])
def test_both_pointers_lead_to_the_notes(
    bits: Bits, order: Order, padding: Padding, flat: bool, in_place: bool, text: bytes
) -> None:
    file = _file(bits, order, padding, flat)
    document = _with_text(opened(file), text)
    after = _kdump(_result(document, in_place))
    before = _kdump(file)
    assert after.doubts == () and after.container == before.container
    assert [note.raw for note in after.notes[:-1]] == [note.raw for note in before.notes[:-1]]
    assert after.notes[-1] == build(NAME, 0, text, order)
    assert _memory(after) == _memory(before)
    assert (after.header.header, after.header.pfns) == (before.header.header, before.header.pfns)

    plain = after.plain.read(0, after.plain.size)
    shape: Padding = "padded" if bits == 32 and (padding == "padded" or text == _LARGE) else "packed"
    get = {name: _field(plain, name, bits, order, shape) for name in KDUMP_SUB[bits, shape].fields}
    start, size = get["offset_vmcoreinfo"], get["size_vmcoreinfo"]
    assert plain[start : start + size] == text
    start, size = get["offset_note"], get["size_note"]
    assert plain[start : start + size] == b"".join(note.raw for note in after.notes)
    assert get["max_mapnr_64"] == before.header.max_mapnr
    assert plain.count(b"OSRELEASE=") == 1, "the old text is gone"
    assert (start < 8192) == (text == _SMALL)
    reasons = document.saved_layout.reasons
    assert any("expects the packed one" in words for words in reasons) == (shape != padding)


@shapes
@pytest.mark.parametrize("flat", [False, True])
def test_the_image_of_an_unedited_file_is_the_file(bits: Bits, order: Order, padding: Padding, flat: bool) -> None:
    file = _file(bits, order, padding, flat)
    document = opened(file)
    assert image_bytes(document, document.saved_layout) == file == _result(document, True)
    assert plan_copy(document).empty and plan_in_place(document).empty
    _with_text(document, _LARGE)
    again = opened(_result(document, False))
    assert plan_copy(again).empty and plan_in_place(again).empty


@shapes
@pytest.mark.parametrize("flat", [False, True])
def test_many_saves_in_a_row_do_not_grow_the_file(bits: Bits, order: Order, padding: Padding, flat: bool) -> None:
    file = _file(bits, order, padding, flat)
    memory = _memory(_kdump(file))
    for in_place in (True, False):
        data, sizes = file, set()
        for round_ in range(4):
            data = _result(_with_text(opened(data), _LARGE + b"ROUND=%d\n" % round_), in_place)
            sizes.add(len(data) if round_ else 0)
            assert _memory(_kdump(data)) == memory and _kdump(data).doubts == ()
        assert len(sizes) == 2
        document = opened(data)
        document.edit(Edit.of(edit_notes.strip))
        data = _result(document, in_place)
        assert b"OSRELEASE" not in data and len(data) < len(file) + 16
        after = _kdump(data)
        assert (after.header.vmcoreinfo, len(after.notes), _memory(after)) == ((0, 0), 2, memory)


def test_random_edits_agree_in_all_four_ways() -> None:
    rng = Random(11)
    for _ in range(60):
        bits, order, padding = rng.choice(_SHAPES)
        plain = factory.kdump(None, None, bits, order, padding)
        cuts = sorted(rng.sample(range(1, len(plain)), rng.randrange(1, 12)))
        flat = factory.flattened(plain, cuts, rng.sample(range(len(cuts) + 1), len(cuts) + 1))
        memory = _memory(_kdump(plain))
        one, two = plain, flat
        for _ in range(3):
            text = rng.choice((_SMALL, _LARGE, b"OSRELEASE=1\n"))
            name = rng.randbytes(rng.randrange(30)).replace(b"\0", b"x")
            phys = rng.getrandbits(bits)
            results = []
            for data in (one, two):
                for in_place in (False, True):
                    document = _with_text(opened(data), text)
                    state = edit_headers.set_phys_base(edit_headers.set_header(document.state, "release", name), phys)
                    document.edit(become(state))
                    results.append(_result(document, in_place))
            dumps = [_kdump(data) for data in results]
            assert all(_memory(dump) == memory for dump in dumps)
            assert all(dump.doubts == () for dump in dumps), [dump.doubts for dump in dumps]
            assert all(dump.notes == dumps[0].notes for dump in dumps)
            assert all(dump.header.header == dumps[0].header.header for dump in dumps)
            assert dumps[0].header_fields.utsname[2] == name and dumps[0].header.phys_base == phys
            one, two = rng.choice(results[:2]), rng.choice(results[2:])


@pytest.mark.parametrize("flat", [False, True])
def test_offsets_of_the_layout_are_those_of_the_saved_file(flat: bool) -> None:
    for text in (_SMALL, _LARGE):
        for plain in (False, True):
            document = _with_text(opened(_file(flat=flat)), text, plain)
            layout, data = document.saved_layout, _result(document, False)
            assert _kdump(data).current_layout.regions == layout.regions
            assert _kdump(data).current_layout.note_offsets == layout.note_offsets
            for note, at in zip(layout.notes, layout.note_offsets, strict=True):
                assert data[at : at + len(note.raw)] == note.raw
            places = Places(document)
            at = data.rindex(b"PAGESIZE")
            assert places.at(at).label == "key PAGESIZE" and document.read(at, 8) == b"PAGESIZE"


def test_a_flattened_file_becomes_plain() -> None:
    document = _with_text(opened(_file(flat=True)), _LARGE, plain=True)
    after, before = _kdump(_result(document, False)), _kdump(_file(flat=True))
    assert after.container == "kdump" and _memory(after) == _memory(before)
    assert document.undo() and not document.modified
    document.edit(Edit.of(edit_headers.make_plain))
    assert _result(document, False) == before.plain.read(0, before.plain.size)
    with pytest.raises(SaveError, match="cannot be made plain in place"):
        plan_in_place(document)
    assert not plan_copy(document).empty


@pytest.mark.parametrize(
    ("end", "words"), [(None, "not finished"), (struct.pack(">qq", -1, -1) + b"x", "bytes follow")]
)
def test_a_broken_flattened_file_is_only_made_plain(end: bytes | None, words: str) -> None:
    document = opened(factory.flattened(factory.kdump(), end=end))
    with pytest.raises(SaveError, match=words) as error:
        _with_text(document, _SMALL)
    assert "unflatten" in error.value.hint
    _with_text(document, _SMALL, plain=True)
    assert _memory(_kdump(_result(document, False))) == _memory(_kdump(factory.kdump()))


def test_a_file_without_room_for_notes_gets_a_newer_version() -> None:
    for version in (0, 1, 2, 3):
        document = _with_text(opened(factory.kdump(version=version)), _SMALL)
        after = _kdump(_result(document, False))
        assert after.header.version == 4 and after.notes[-1].desc == _SMALL
        assert _memory(after) == _memory(_kdump(factory.kdump()))


def test_pointers_that_disagree_are_set_together() -> None:
    document = opened(factory.kdump(sub={"offset_vmcoreinfo": 4096 + 200, "size_vmcoreinfo": 5}))
    after = _kdump(_result(document, False))
    note, start = after.notes[-1], after.note_starts[-1]
    assert after.header.vmcoreinfo == (start + note.desc_start, note.descsz)
    assert "both pointers" in document.saved_layout.reasons[0]


def test_eraseinfo_is_kept() -> None:
    words = b"erase cred.uid\n"
    data = bytearray(factory.kdump(sub={"offset_eraseinfo": 4096 + 2500, "size_eraseinfo": len(words)}))
    data[6596 : 6596 + len(words)] = words
    for text in (_SMALL, _SMALL + b"A=1\n" * 400, _LARGE):
        after = _kdump(_result(_with_text(opened(bytes(data)), text), False))
        assert after.plain.read(*after.header.eraseinfo) == words
        assert after.notes[-1].desc == text


def test_header_fields_are_edited_and_bounded() -> None:
    document = opened(factory.kdump(uts={"machine": b"x86_64"}))
    document.edit(become(document.state))
    state = edit_headers.set_header(document.state, "sysname", b"Linux")
    document.edit(become(edit_headers.set_phys_base(state, -0x1000)))
    after = _kdump(_result(document, False))
    assert after.header_fields.utsname == (b"Linux", b"", b"", b"", b"x86_64", b"")
    assert after.header.phys_base == 0xFFFFFFFFFFFFF000
    assert document.undo() is not None and not document.modified
    for name, value in (("sysname", b"x" * 65), ("sysname", b"a\0b"), ("cpu", b"x")):
        with pytest.raises(EditError):
            edit_headers.set_header(document.state, name, value)
    with pytest.raises(EditError, match="64 bits"):
        edit_headers.set_phys_base(document.state, 1 << 64)
    elf = opened(elf_factory.elf())
    with pytest.raises(EditError, match="not a kdump file"):
        edit_headers.set_header(elf.state, "sysname", b"Linux")


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("text", [_SMALL, _LARGE], ids=["small", "large"])
def test_copies_and_saves_in_place_are_verified_and_undone(flat: bool, text: bytes, tmp_path: Path) -> None:
    file = _file(flat=flat)
    name, copy = tmp_path / "dump", tmp_path / "copy"
    name.write_bytes(file)
    os.chmod(name, 0o400)
    document = _with_text(open_document(str(name)), text)
    plan = plan_copy(document)
    saved = save_copy(document, plan, str(copy))
    assert saved.checked > 0 and copy.read_bytes() == _result(document, False)
    plan = plan_in_place(document)
    assert plan.strategy == ("append" if text == _LARGE else "overwrite")
    assert plan.bytes_written < len(text) + 3 * 4096
    save_in_place(document, plan)
    document.close()
    assert _memory(_kdump(name.read_bytes())) == _memory(_kdump(file))
    assert _kdump(name.read_bytes()).notes[-1].desc == text
    undo_last_save(str(name))
    assert name.read_bytes() == file and sorted(path.name for path in tmp_path.iterdir()) == ["copy", "dump"]


def test_records_stay_disjoint() -> None:
    """Also if one of them crosses the end of the sub-header's blocks into the bitmap."""
    plain = factory.kdump()
    file = factory.flattened(plain, (4000, 4150, 4500, 9000))
    for text in (_SMALL, _LARGE):
        for in_place in (False, True):
            after = _kdump(_result(_with_text(opened(file), text), in_place))
            assert isinstance(after.plain, FlattenedSource) and after.plain.faults == ()
            assert _memory(after) == _memory(_kdump(plain))


def test_unflatten_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = factory.kdump()
    whole, cut, out = tmp_path / "whole", tmp_path / "cut", tmp_path / "out"
    whole.write_bytes(factory.flattened(plain, _CUTS, Random(9).sample(range(7), 7)))
    cut.write_bytes(factory.flattened(plain)[:-200])
    assert main(["unflatten", str(whole), "-o", str(out), "--dry-run"]) == 0 and not out.exists()
    assert main(["unflatten", str(whole), "-o", str(out), "--json"]) == 0 and out.read_bytes() == plain
    assert f'"size": {len(plain)}' in capsys.readouterr().out
    assert main(["unflatten", str(cut), "-o", str(out)]) == 1, "what there is was written, and it is said"
    assert "cut off" in capsys.readouterr().err
    marked, status = bytearray(out.read_bytes()), plain[424]
    assert marked[424] == status | factory.INCOMPLETE
    marked[424] = status
    assert plain.startswith(marked)
    assert main(["unflatten", str(out), "-o", str(whole)]) == 3 and main(["unflatten", str(whole)]) == 2


def test_header_fields_and_hex_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = tmp_path / "dump"
    dump.write_bytes(factory.kdump())
    fields = ["header.sysname=Linux", "header.phys_base=-4096", "PAGESIZE=65536"]
    assert main(["set", str(dump), *fields, "--in-place"]) == 0
    assert main(["show", str(dump), "--keys"]) == 0
    said = capsys.readouterr().out
    assert "sysname Linux, machine x86_64" in said and "phys_base       0xfffffffffffff000" in said
    assert "PAGESIZE=65536" in said and "compressed" in said
    assert main(["hex", str(dump), "--paddr", "0x5000", "--len", "16", "--json"]) == 0
    said = capsys.readouterr().out
    assert '"offset": null' in said and factory.pages(5)[5][:16].hex() in said
    assert main(["hex", str(dump), "--paddr", "0x9000"]) == 2
    assert main(["undo", str(dump)]) == 0 and dump.read_bytes() == factory.kdump()
