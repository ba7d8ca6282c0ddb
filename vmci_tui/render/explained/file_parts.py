"""Explain a note, a part of the file's structure, and a byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from vmci_tui.common.sizes import size_text
from vmci_tui.document.byte_map import Place
from vmci_tui.document.document import Document
from vmci_tui.formats.note_kinds import is_cpu, note_words
from vmci_tui.render.explained.explanation import Explanation, labelled, of_line
from vmci_tui.structure.node import Node

if TYPE_CHECKING:
    from vmci_tui.adoption.kernel_facts import KernelFound

_PARTS: Final = (
    ("ELF header", "says what kind of file this is, and where its program headers are; every reader begins here"),
    (
        "program header",
        "says which bytes are which guest memory (PT_LOAD), or where the notes are (PT_NOTE)",
    ),
    ("section header", "dumps need none; a tool that finds them looks for the notes there, and not in the PT_NOTE"),
    ("section names", "the names of the sections; no reader of dumps needs them"),
    ("note", "what is known beside memory: registers of each CPU, and the kernel's VMCOREINFO text"),
    ("kdump header", "says that this is a kdump-compressed dump, which kernel it is of, and how many pages it has"),
    ("kdump sub-header", "says where the vmcoreinfo text and the notes are, and phys_base"),
    ("bitmap of the machine", "a bit for each page that the machine has"),
    ("bitmap of the pages", "a bit for each page that this file has; its descriptor says where it is"),
    ("page descriptor", "say for each page where it is in the file, how long it is, and how it was compressed"),
    ("pages of memory", "guest memory, page by page, as the descriptors say"),
    ("record", "a piece of a flattened file (makedumpfile -F): where it belongs, its length, and its bytes"),
    ("entry", "the 16 bytes that the guest wrote into QEMU's fw_cfg file etc/vmcoreinfo"),
    ("file", "the whole file"),
)
"""What parts are for, by the beginnings of their names."""
_KINDS: Final = {
    "padding": "bytes between two parts; no reader reads them",
    "gap": "bytes that belong to no part; no reader reads them",
    "memory": "guest memory: what the VM had in RAM at this address",
    "name": "a note's name, with its NUL",
    "desc": "what a note holds",
}
"""What bytes are that are in no part with a name."""
_MOST: Final = 12
"""Parts that are listed."""


def of_note(document: Document, index: int) -> Explanation:
    """Explain a note of the document."""
    return Explanation(f"note {index}", tuple(_note_lines(document, index)))


def _note_lines(document: Document, index: int) -> Iterator[str]:
    layout, note = document.layout, document.layout.notes[index]
    yield note_words(note) or "a note that vmci does not know"
    if note.is_vmcoreinfo:
        chosen = index == document.state.index
        use = "readers use this one" if chosen else "readers use the last whole one of that name, which is another"
        yield labelled("what", f"It describes the kernel to crash, drgn, makedumpfile and others; {use}.")
    elif is_cpu(note):
        yield labelled("what", "Registers when the dump was made: debuggers begin a backtrace here. One for each CPU.")
    elif note.name == b"QEMU\0":
        yield labelled("what", "Also control registers, such as CR3: crash finds page tables by it where text fails.")
    if note.broken:
        yield labelled("broken", note.broken)
    yield labelled("type", f"{note.type:#x}; Enter changes the name, t the type")
    at = layout.note_offsets[index]
    yield labelled(
        "where", f"{size_text(len(note.raw))} at {at:#x} of the file; {note.descsz} bytes of them are its data"
    )


def of_node(node: Node, names: str) -> Explanation:
    """Explain a row of the structure; `names` has all that it is in."""
    return Explanation(names, tuple(_node_lines(node, names.split(" / "))))


def _node_lines(node: Node, names: Sequence[str]) -> Iterator[str]:
    yield from (labelled("value", node.value),) if node.value else ()
    yield from (labelled("meaning", node.meaning),) if node.meaning else ()
    for name in dict.fromkeys((*reversed(names[1:]), names[0])):
        if words := _part_words(name):
            yield labelled("part of" if name != names[-1] else "what", f"{name}: {words}")
            break
    else:
        if words := _KINDS.get(node.kind, ""):
            yield labelled("what", words)
    yield labelled("where", f"{node.length} byte{'' if node.length == 1 else 's'} at {node.offset:#x} of the file")
    if not node.is_leaf:
        inside = [child.name for child in node.children[: _MOST + 1]]
        more = ", .." if len(inside) > _MOST else ""
        yield labelled("has", f"{', '.join(inside[:_MOST])}{more}")


def _part_words(name: str) -> str:
    return next((words for begin, words in _PARTS if name.startswith(begin)), "")


def of_byte(
    document: Document, root: Node, place: Place, offset: int, kernel: KernelFound | None = None
) -> Explanation:
    """Explain the byte at an offset; `root` is the structure of the file, `place` what the byte belongs to.

    `kernel`: what the kernel's own tables in memory say, once they were read.
    """
    text = document.state.vmcoreinfo
    if place.line is not None and text is not None and place.note == document.state.index:
        return of_line(text.lines[place.line - 1], None)
    node, names = root, list[str]()
    for number in root.path(offset):
        node = node.children[number]
        names += [] if node.window else [node.name]
    if names:
        return of_node(node, " / ".join(names))
    lines = [labelled("what", _KINDS.get(place.kind, "") or place.label)]
    paddr = document.layout.memory.paddr_of(offset)
    if paddr is not None:
        lines += [labelled("address", f"paddr {paddr:#x}; M shows memory by its addresses, I the bytes as numbers")]
        lines += [] if kernel is None else _symbols(kernel, document, offset, paddr)
    lines += [labelled("where", f"{size_text(place.length)} at {place.offset:#x} of the file")]
    return Explanation(place.label, tuple(lines))


def _symbols(kernel: KernelFound, document: Document, offset: int, paddr: int) -> Iterator[str]:
    """Yield a line with the symbol of the kernel that has a byte of memory, and the one that it points at, if any."""
    from vmci_tui.render.kernel.address_words import place_words

    words = place_words(kernel, document, offset, paddr).strip()
    if words:
        yield labelled("symbol", words)
