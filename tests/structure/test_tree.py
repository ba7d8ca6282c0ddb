"""Test the tree of a dump's head: its nodes are the fields of the file, at their offsets, whatever the file holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import strategies as st

from tests.dumps import factory, kdump_factory
from tests.dumps.documents import dumps
from tests.kit import opened as opened_dump
from tests.opened_files import open_document
from tests.properties import given, settings
from vmci_tui.common.safe_text import safe
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.document.edit_text import set_key
from vmci_tui.formats.elf_records import format_of
from vmci_tui.render.structure_report import structure_lines
from vmci_tui.structure.head import tree_of
from vmci_tui.structure.meanings import meaning_of, shown_number
from vmci_tui.structure.node import WINDOW, Node
from vmci_tui.structure.outline import closed, find, first_rows, opened, parent_of

Sample = Callable[[str], str]


def _all(node: Node) -> Iterator[Node]:
    """Yield all nodes below one, without those in windows but the first."""
    for child in node.children:
        yield child
        if not child.window or child is node.children[0]:
            yield from _all(child)


def _named(document: Document, *names: str) -> Node:
    """Return the node at the end of a path of names."""
    node = tree_of(document)
    for name in names:
        node = next(child for child in node.children if child.name == name)
    return node


def _is_sound(root: Node) -> None:
    """Check that children are within their node, in order, and disjoint; a note's padding is in none."""
    for node in (root, *_all(root)):
        at = node.offset
        for child in node.children:
            assert at <= child.offset and child.length > 0 and child.end <= node.end, (node, child)
            at = child.end
        assert len(node.children) <= WINDOW
        assert all(safe(text) == text for text in (node.name, node.value, node.meaning))


def test_header_fields_have_name_value_meaning_and_place(sample: Sample) -> None:
    with open_document(sample("amd64-cut-note.elf")) as document:
        field = _named(document, "ELF header", "e_machine")
        assert (field.value, field.meaning, field.offset, field.length) == ("0x3e = 62", "x86_64", 18, 2)
        header = _named(document, "program headers", "program header 6")
        assert (header.value, header.meaning) == ("PT_LOAD: guest memory", "p_paddr 0x89fb000, p_filesz 0x1000")
        paddr = _named(document, "program headers", "program header 6", "p_paddr")
        place = format_of(64, "little").segment.span("p_paddr", 64 + 6 * 56)
        assert (paddr.offset, paddr.length) == place[:2] and "guest-physical" in paddr.meaning


def test_notes_go_down_to_registers_and_lines(sample: Sample) -> None:
    with open_document(sample("amd64-cut-note.elf")) as document:
        rip = _named(document, "notes", "note 0: CORE", "descriptor", "rip")
        assert rip.meaning == "the next instruction" and rip.length == 8
        assert rip.value == f"{int.from_bytes(document.read(rip.offset, 8), 'little'):#x}"
        cr3 = _named(document, "notes", "note 2: QEMU", "descriptor", "cr3")
        assert document.read(cr3.offset, 8) == int(cr3.value.split()[0], 16).to_bytes(8, "little")
        line = _named(document, "notes", "note 4: VMCOREINFO", "descriptor", "OSRELEASE")
        assert document.read(line.offset, line.length) == b"OSRELEASE=" + line.value.encode() + b"\n"


def test_kdump_headers_bitmaps_and_page_descriptors(sample: Sample) -> None:
    with open_document(sample("i386-qemu.kdump")) as document:
        assert [node.name for node in tree_of(document).children] == [
            "kdump header", "kdump sub-header", "notes", "bitmap of the machine's pages",
            "bitmap of the pages in this file", "page descriptors", "pages of memory",
        ]  # fmt: skip
        assert _named(document, "kdump header", "status").meaning == "zlib"
        text = int(_named(document, "kdump sub-header", "offset_vmcoreinfo").value.split()[0], 16)
        assert _named(document, "notes", "note 2: VMCOREINFO", "descriptor").offset == text
        second = _named(document, "page descriptors", "256 to 479", "page descriptor 256")
        assert second.length == 24


def test_a_record_of_a_flattened_file_holds_its_parts(sample: Sample) -> None:
    with open_document(sample("amd64-cut-note.elf")) as document:
        plain = document.read(0, document.source.size)
    document = opened_dump(kdump_factory.flattened(plain, cuts=(464, 8192)))
    records = [node for node in tree_of(document).children if node.name == "record"]
    assert records[0].meaning == "offset 0x0, size 0x1d0"
    assert [node.name for node in records[0].children] == ["record's header", "ELF header", "program headers"]
    assert records[1].children[1].children[0].name == "program header 7", "the table goes on in the next record"
    assert tree_of(document).children[-1].children[0].value == "0xffffffffffffffff = -1"
    _is_sound(tree_of(document))


def test_the_tree_is_that_of_the_edited_file(sample: Sample) -> None:
    with open_document(sample("amd64-cut-note.elf")) as document:
        document.edit(Edit.of(set_key, b"OSRELEASE", b"9.9.9"))
        node = _named(document, "notes", "note 4: VMCOREINFO", "descriptor", "OSRELEASE")
        assert node.value == "9.9.9" and document.read(node.offset, 15) == b"OSRELEASE=9.9.9"


def test_section_headers_have_fields() -> None:
    document = opened_dump(factory.elf(qemu=True))
    names = [node.value for node in _named(document, "section headers").children]
    assert names == ["SHT_NULL: no section", "SHT_STRTAB: names"]


@pytest.mark.parametrize(
    "name",
    [
        "s390x-cut-note.elf",
        "x86_64-windows.elf",
        "hostile-text.elf",
        "zero-note.elf",
        "good.entry",
        "class-mismatch.elf",
    ],
)
def test_every_node_is_within_its_parent(name: str, sample: Sample) -> None:
    with open_document(sample(name)) as document:
        _is_sound(tree_of(document))


@settings(max_examples=40, deadline=None)
@given(dumps(), st.integers(0, 1 << 16))
def test_the_tree_of_any_dump_is_sound_and_finds_its_bytes(data: bytes, offset: int) -> None:
    root = tree_of(opened_dump(data))
    _is_sound(root)
    rows, at = find(first_rows(root), root, offset)
    node = rows[at].node
    assert node.offset <= offset and (node.is_leaf or all(not one.offset <= offset < one.end for one in node.children))


def test_many_program_headers_are_in_windows() -> None:
    count = 70_000
    document = opened_dump(factory.elf(loads=[factory.Load(0x1000 * at, b"") for at in range(count)]))
    root = tree_of(document)
    lines = list(structure_lines(root))
    assert len(lines) < 2900 and any("program header 255 " in line for line in lines)
    assert not any("program header 256" in line for line in lines), "after the first range one line each"
    table = next(node for node in root.children if node.name == "program headers")
    assert len(table.children) == 2 and table.children[0].name == "0 to 65535"
    offset = table.offset + 56 * 66_000 + 24
    rows, at = find(first_rows(root), root, offset)
    assert rows[at].node.name == "p_paddr" and rows[parent_of(rows, at)].node.name == "program header 66000"
    assert find(rows, root, offset) == (rows, at), "what is open stays open"


def test_rows_open_and_close(sample: Sample) -> None:
    with open_document(sample("amd64-cut-note.elf")) as document:
        root = tree_of(document)
        rows = first_rows(root)
        more = opened(opened(rows, 2), 3)
        assert [row.depth for row in more[2:5]] == [0, 1, 2] and parent_of(more, 4) == 3 and parent_of(more, 0) == 0
        assert opened(more, 2) == more and opened(more, 4) == more, "open, and a leaf"
        assert closed(more, 2) == rows
        inside, at = find(more, root, 18)
        assert inside[at].node.name == "e_machine" and len(inside) == len(more) + len(root.children[0].children)
        last = find(rows, root, document.layout.image.size - 1)[1]
        assert last == len(rows) - 1, "a byte of memory has the last part before it"


def test_numbers_and_meanings() -> None:
    assert [shown_number(value, 8) for value in (9, 10, 1 << 32, (1 << 64) - 1)] == [
        "9", "0xa = 10", "0x100000000", "0xffffffffffffffff = -1",
    ]  # fmt: skip
    assert meaning_of("p_flags", 5, 64) == "read, execute" and meaning_of("e_machine", 0xFFFE, 64) != ""
    assert meaning_of("flags", 0, 64) == "not compressed" and meaning_of("unknown", 1, 64) == ""
