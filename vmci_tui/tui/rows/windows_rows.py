"""The rows of the keys pane for a Windows dump header, which has fields instead of keys."""

from __future__ import annotations

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import Note
from vmci_tui.formats.windows_header import windows_header
from vmci_tui.tui.rows.key_rows import KeyRows
from vmci_tui.tui.style.cells import Row


class WindowsHeaderRows(KeyRows):
    """A row for each field of the header; it has no lines of text."""

    title = "Windows header"

    def __init__(self, note: Note, wanted: str = "") -> None:
        super().__init__(None)
        header = windows_header(note)
        assert header is not None
        needle = wanted.lower()
        self.fields = [f for f in header.fields if needle in f"{f.name} {f.shown} {f.meaning}".lower()]
        self.summary = header.summary

    def __len__(self) -> int:
        return len(self.fields)

    def locked(self, index: int) -> str:
        return "a Windows header is never edited"

    def part(self, index: int) -> Span:
        field = self.fields[index]
        return Span(field.offset, field.length)

    def row(self, index: int) -> Row:
        field = self.fields[index]
        style = "dim" if field.value is None else "value"
        return ((f"{field.name:<19} ", "key"), (f"{field.shown:<18}  ", style), (field.meaning, "dim"))
