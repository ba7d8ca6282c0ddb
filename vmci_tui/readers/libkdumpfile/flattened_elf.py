"""The ELF dump in a flattened file, as libkdumpfile reads it: through the records, with zeros after them."""

from __future__ import annotations

from typing import Final

from vmci_tui.formats.elf_records import EI_CLASS, EI_DATA, ET_CORE, IDENT
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.file_cache import Killed, Stopped, Windows
from vmci_tui.readers.libkdumpfile.flatmap import FlatFile
from vmci_tui.readers.shared.elf_program import ElfFile

_KEPT: Final = 1 << 26


class FlatWindows(Windows):
    """Reads through the records: after the last one are zeros, and nothing kills."""

    def __init__(self, view: View, file: FlatFile) -> None:
        super().__init__(view)
        self._file = file

    def read(self, offset: int, length: int, asked: int | None = None) -> bytes:
        asked = length if asked is None else asked
        if not asked:
            if length:
                raise Killed("SIGSEGV")
            return b""
        data = self._file.chunk(offset, asked).data  # no death was observed here, not even far after the last record
        return data[:length].ljust(min(length, _KEPT), b"\0")

    def window(self, offset: int, length: int) -> bytes:
        return self.read(offset, length)

    def touch(self, offset: int, length: int) -> None:
        self._file.pread(offset, length)


def core_of(file: FlatFile) -> tuple[ElfFile, FlatWindows]:
    """Return the dump's headers, and the windows to read it. Raises Stopped if it is not a core of a known form."""
    view = View(file)
    bits, order = view.head[EI_CLASS : EI_DATA + 1].ljust(2, b"\0")
    if order not in (1, 2):
        raise Stopped("elf-version", f"file #0: Unsupported ELF data format: {order}", IDENT.span("EI_DATA"))
    if bits not in (1, 2):
        raise Stopped("elf-version", f"file #0: Unsupported ELF class: {bits}", IDENT.span("EI_CLASS"))
    core = ElfFile(view)
    if core.header.type != ET_CORE:
        raise Stopped("elf-type", f"file #0: Unsupported ELF class: {bits}", core.form.span("e_type"))
    return core, FlatWindows(view, file)
