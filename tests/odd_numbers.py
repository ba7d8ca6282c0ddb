"""Dumps of each machine with every number of the text set to values that no kernel writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from tests.paths import SAMPLES
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.opening.open_file import open_document

FAULTS: Final = SAMPLES.parent / "tests" / "data" / "faults"
VALUES: Final = (0, 1, 2, 1 << 31, 1 << 63, (1 << 64) - 1, -1, None)
"""None: the value is empty."""
DUMPS: Final = (
    ("amd64-cut-note.elf", None),
    ("arm64-cut-note.elf", None),
    ("s390x-cut-note.elf", None),
    ("i386-note.elf-win16k", None),
    ("aarch64-be-linux.elf", None),
    ("x86_64-linux-good.elf", None),
    ("ppc64el-nonote.elf-win16k", "ppc64el-little-endian.note"),
    ("i386-qemu.kdump", None),
    ("227-riscv64-no-layout.elf", None),
    ("633-armhf.elf", None),
)
"""Dumps of each machine, each with the note to append if it has no note."""
_NUMBER: Final = re.compile(rb"(?:0x)?[0-9a-f]+")
_HEX: Final = re.compile(rb"SYMBOL\(")


class Case(NamedTuple):
    """A number of a dump's text, and the value that replaces it."""

    dump: str
    key: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{self.dump} {self.key.decode('latin-1')}={self.value.decode()}"


@cache
def opened(name: str) -> Document:
    """A dump, with a note."""
    path = SAMPLES / name
    document = open_document(str(path if path.exists() else FAULTS / name))
    note = dict(DUMPS)[name]
    if note is not None:
        assert document.dump is not None
        text = (SAMPLES / note).read_bytes()
        document.edit(Edit.of(edit_notes.append_text, text, document.dump.order))
    return document


def cases() -> Iterator[Case]:
    """All of them, in an order that stays."""
    for name, _ in DUMPS:
        text = opened(name).state.vmcoreinfo
        assert text is not None, name
        for key in dict.fromkeys(line.key for line in text.lines if line.key and _NUMBER.fullmatch(line.value or b"")):
            for value in VALUES:
                form = "%x" if _HEX.match(key) else "%d"
                yield Case(name, key, b"" if value is None else (form % value).encode())


def edited(case: Case) -> Document:
    """Return the dump with that value."""
    document = opened(case.dump)
    return document.with_edit(Edit.of(edit_text.set_key, case.key, case.value))
