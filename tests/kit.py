"""Helpers of many tests: documents from bytes, and their findings."""

from __future__ import annotations

from vmci_tui.common.safe_text import Safe
from vmci_tui.containers import Layout, open_dump
from vmci_tui.containers.elf.dump import ElfDump
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit, labelled
from vmci_tui.document.state import State
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.fw_cfg_entry import EntryHistory, Write
from vmci_tui.layers.file import BytesSource


def opened(data: bytes, entry: EntryHistory | None = None) -> Document:
    """Return a document of a dump that is only in memory."""
    source = BytesSource(data)
    dump = open_dump(source)
    assert dump is not None
    return Document(Safe("test.elf"), source, dump, State(dump.notes, entry, header=dump.header_fields))


def elf_of(data: bytes) -> ElfDump:
    dump = opened(data).dump
    assert isinstance(dump, ElfDump)
    return dump


def saved(document: Document) -> bytes:
    """Return the bytes that saving would write."""
    return image_bytes(document, document.saved_layout)


def image_bytes(document: Document, layout: Layout) -> bytes:
    return layout.image.read(document.source, 0, layout.image.size)


def found(document: Document) -> dict[str, Finding]:
    """Return the findings by code, the first of each code."""
    return {item.code: item for item in reversed(Judgement.of(document).found)}


def full_write(data: bytes) -> Write:
    return Write(0, len(data), data)


@labelled("another state")
def _become(state: State, other: State) -> State:
    return other


def become(state: State) -> Edit:
    """Return an edit whose result is a state that a test made."""
    return Edit.of(_become, state)
