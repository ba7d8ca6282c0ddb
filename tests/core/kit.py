"""What the tests of `core` share: documents from bytes, and their findings."""

from __future__ import annotations

from vmci_tui.core.checks import Finding, findings
from vmci_tui.core.containers import Layout, open_dump
from vmci_tui.core.containers.elf import ElfDump
from vmci_tui.core.document import Document, State
from vmci_tui.core.entry import EntryHistory, Write
from vmci_tui.core.source import BytesSource
from vmci_tui.core.text import Safe


def opened(data: bytes, entry: EntryHistory | None = None) -> Document:
    """A document of a dump that is in memory only."""
    source = BytesSource(data)
    dump = open_dump(source)
    assert dump is not None
    return Document(Safe("test.elf"), source, dump, State(dump.notes, entry, header=dump.header_fields))


def elf_of(data: bytes) -> ElfDump:
    dump = opened(data).dump
    assert isinstance(dump, ElfDump)
    return dump


def saved(document: Document) -> bytes:
    """The bytes that saving would write."""
    return image_bytes(document, document.saved_layout)


def image_bytes(document: Document, layout: Layout) -> bytes:
    return layout.image.read(document.source, 0, layout.image.size)


def found(document: Document) -> dict[str, Finding]:
    """The findings by code; of several of one code the first."""
    return {item.code: item for item in reversed(findings(document))}


def full_write(data: bytes) -> Write:
    return Write(0, len(data), data)
