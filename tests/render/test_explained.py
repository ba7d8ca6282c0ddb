"""Test what is said of findings, notes, bytes and steps that are under the cursor."""

from __future__ import annotations

from collections.abc import Callable

from tests.kernel.symbols.kallsyms_writer import names_of
from tests.opened_files import open_document
from vmci_tui.adoption.kernel_facts import KernelFound
from vmci_tui.document.byte_map import Places
from vmci_tui.findings.judgement import Judgement
from vmci_tui.kernel.symbols.table import SymbolTable
from vmci_tui.readers.qemu.dump_steps import dump_steps
from vmci_tui.render.explained.entry_parts import of_entry, of_step
from vmci_tui.render.explained.explanation import of_finding, of_line
from vmci_tui.render.explained.file_parts import of_byte, of_note
from vmci_tui.structure.head import tree_of

Sample = Callable[[str], str]


def test_a_finding_says_first_what_to_do(sample: Sample) -> None:
    for finding in Judgement(open_document(sample("hostile-text.elf"))).found:
        words = of_finding(finding)
        assert words.title == f"finding {finding.code}" and words.lines[0] == finding.message
        assert any(line.startswith("  why") for line in words.lines) and words.lines[-1].startswith("  where")


def test_every_note_and_byte_of_the_head_has_an_explanation(sample: Sample) -> None:
    for name in ("amd64-cut-note.elf", "hostile-text.elf", "amd64-panic.kdump", "i386-qemu.kdump", "good.entry"):
        document = open_document(sample(name))
        for index in range(len(document.layout.notes)):
            assert len(of_note(document, index).lines) >= 2
        root, places = tree_of(document), Places(document)
        for region in document.layout.regions[:40]:
            words = of_byte(document, root, places.at(region.offset), region.offset)
            assert words.title and all(line.strip() and line.isascii() for line in words.lines if line), region


def test_memory_and_lines_without_a_key(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    offset = document.layout.image.size - 100
    words = of_byte(document, tree_of(document), Places(document).at(offset), offset)
    assert "guest memory" in words.lines[0] and "paddr 0x" in words.lines[1]
    assert of_line(None, None).title == "the note text"


def test_memory_of_the_kernel_has_its_symbol(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    first = document.layout.memory.ranges[0]
    assert first.offset is not None
    table = SymbolTable(names_of((b"T_text", b"D_end")), (1 << 32, (1 << 32) + 64), "absolute", (1 << 32) - first.paddr)
    place, kernel = Places(document).at(first.offset + 4), KernelFound(table, "little", 8, None)
    words = of_byte(document, tree_of(document), place, first.offset + 4, kernel)
    assert "  symbol      in _text+0x4" in words.lines
    assert not any("symbol" in line for line in of_byte(document, tree_of(document), place, first.offset + 4).lines)


def test_fields_writes_and_steps_of_an_entry(sample: Sample) -> None:
    document = open_document(sample("two-halves.write.json"))
    history = document.state.entry
    assert "QEMU accepts only 1" in of_entry(history, "guest_format", None, "guest_format 1").lines[1]
    assert "the last one decides" in of_entry(history, "", 0, "write 1").lines[-1]
    assert of_entry(history, "", None, "").title == "the entry"
    columns = dump_steps(document)
    for number in range(len(columns[0].steps)):
        assert len(of_step(columns, number).lines) == 3
    assert of_step((), 0).title == of_step(columns, -1).title == "what QEMU will do"
