"""volatility3: `vol -f FILE linux.vmcoreinfo` accepts where it prints a line with OSRELEASE.

It does not look at notes of the file: it searches guest memory for the kernel's own note, whose
text must be printable to the last byte. In a 64-bit ELF file memory is what the PT_LOADs say,
in any other file all its bytes. Source: volatility3 2.28.2, framework/layers/elf.py,
framework/layers/segmented.py, framework/symbols/linux/__init__.py; run: 2.28.2.
"""

from __future__ import annotations

import string
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.formats.elf_note import HEADER, NAME, note_header
from vmci_tui.formats.elf_records import MAGIC, PT_LOAD, format_of
from vmci_tui.readers.file_view import View
from vmci_tui.readers.rule import Form, Reader, RuleHit
from vmci_tui.readers.rule_rows import RuleRows
from vmci_tui.readers.shared.c_numbers import as_text, shown_hex

_VERSION: Final = "2.28.2"
_NEEDLE: Final = NAME + b"\0"
_CHUNK: Final = 1 << 24
_OVERLAP: Final = 1 << 12
_SEARCHED: Final = 1 << 30
"""Bytes of memory that are searched here at most."""
_PRINTABLE: Final = frozenset(string.printable.encode())
_RELEASE: Final = "OSRELEASE"
_BASES: Final = {"SYMBOL(": 16, "NUMBER(": 0, "LENGTH(": 0, "SIZE(": 0, "OFFSET(": 0}


class _Piece(NamedTuple):
    """A range of addresses, and where its bytes are in the file."""

    address: int
    offset: int
    length: int


class _Unmapped(Exception):
    """Memory that the file does not hold."""


class Volatility3:
    """The file as volatility3 searches it, up to the first note that it prints or dies of."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.note: Span | None = None
        self.text: bytes | None = None
        self.osrelease: bytes | None = None
        self.address = 0
        """Where it finds the note."""
        self.died: RuleHit | None = None
        """The bytes of the note that it dies of, with its last words."""
        self.gave_up = False
        """Whether there is more memory than is searched here."""
        self._search()

    @cached_property
    def _loads(self) -> list[_Piece]:
        """The PT_LOADs of a 64-bit ELF file, read as little-endian in the order of the file; else empty."""
        head = self.view.head
        if not head.startswith(MAGIC + b"\2") or len(head) < 7:
            return []
        form = format_of(64, "little")
        header, view = self.view.header(64, "little"), self.view
        segments = view.segments(64, "little", header.phoff, header.phnum, header.phentsize or form.segment.size)
        if len(segments) < header.phnum:
            return []
        loads = (s for s in segments.of_type(PT_LOAD) if s.filesz == s.memsz and s.filesz)
        return [_Piece(s.paddr, s.offset, s.memsz) for s in loads]

    @cached_property
    def pieces(self) -> list[_Piece]:
        """All memory, in the order of the file: it takes it for sorted."""
        return self._loads or [_Piece(0, 0, self.view.size)]

    def _at(self, address: int) -> _Piece | None:
        """Return the rest of the piece at an address."""
        index = bisect_right(self.pieces, (address, self.view.size - 1))
        piece = self.pieces[index - 1] if index else None
        if piece is None or not piece.address <= address < piece.address + piece.length:
            return None
        inside = address - piece.address
        return _Piece(address, piece.offset + inside, piece.length - inside)

    def _read(self, address: int, length: int) -> bytes:
        """Return bytes of memory. Raises _Unmapped."""
        out = b""
        while len(out) < length:
            piece = self._at(address + len(out))
            if piece is None:
                raise _Unmapped
            take = min(piece.length, length - len(out))
            part = self.view.read(piece.offset, take)
            if len(part) < take:
                raise _Unmapped
            out += part
        return out

    def _blocks(self) -> Iterator[_Piece]:
        """Yield the pieces from the start of the first one to the last byte but one of the last.

        Those that are not in the order of their addresses are not reached.
        """
        at, end = self.pieces[0].address, self.pieces[-1].address + self.pieces[-1].length - 1
        while at < end:
            index = bisect_right(self.pieces, (at, self.view.size - 1))
            piece = self._at(at) or next(iter(self.pieces[index : index + 1]), None)
            if piece is None or piece.address + piece.length <= at:
                return
            yield piece._replace(length=min(piece.length, end - piece.address))
            at = piece.address + piece.length

    def _chunks(self) -> Iterator[tuple[_Piece, bytes]]:
        """Yield the memory as it is searched; a chunk that is not whole in the file is left out."""
        left = _SEARCHED
        for piece in self._blocks():
            for start in range(0, piece.length, _CHUNK):
                length = min(piece.length - start, _CHUNK + _OVERLAP)
                data = self.view.read(piece.offset + start, length)
                left -= len(data)
                if left < 0:
                    self.gave_up = True
                    return
                if len(data) == length:
                    yield _Piece(piece.address + start, piece.offset + start, length), data

    def _search(self) -> None:
        for piece, data in self._chunks():
            at = data.find(_NEEDLE)
            while 0 <= at < _CHUNK:
                if self._ends_at(piece, at):
                    return
                at = data.find(_NEEDLE, at + 1)

    def _ends_at(self, piece: _Piece, at: int) -> bool:
        """Whether the search ends at this name: with a note, or with an error."""
        address, offset = piece.address + at - HEADER, piece.offset + at - HEADER
        try:
            name, size, kind = note_header("little").unpack(self._read(address, HEADER))
            if (name, kind) != (len(NAME), 0) or not size:
                return False
            text = self._read(address + HEADER + len(_NEEDLE), size)
        except _Unmapped:
            self.died = RuleHit(Span(max(offset, 0), HEADER + len(_NEEDLE)), "")
            return True
        span = Span(offset, HEADER + len(_NEEDLE) + size)
        if not text.startswith(_RELEASE.encode() + b"=") or not _PRINTABLE.issuperset(text):
            return False
        try:
            values = dict(_lines(text.decode()))
        except ValueError as error:
            self.died = RuleHit(span, f"ValueError: {error}")
            return True
        self.note, self.text, self.address = span, text, address
        self.osrelease = values[_RELEASE].encode()
        return True


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield keys and values, up to the first empty line. Raises ValueError as volatility3 does."""
    for line in text.splitlines():
        if not line:
            return
        key, value = line.split("=", 1)
        base = 16 if key == "KERNELOFFSET" else 0 if key == "PAGESIZE" else _BASES.get(key[: key.find("(") + 1])
        if base is not None:
            int(value, base)
        yield key, value


row: Final[RuleRows[Volatility3]] = RuleRows(f"volatility3 {_VERSION}, symbols/linux/__init__.py ")
# fmt: off
_RULES: Final = (
    row("T08", "after", "no-pair", "VMCoreInfo._vmcoreinfo_data_to_dict",
        "ValueError: not enough values to unpack (expected 2, got 1)",
        "A line of the first note that it finds has no `=`: it ends with an error.",
        where=lambda r: r.died if r.died and "unpack" in (r.died.words or "") else None),
    row("T07", "after", "no-number", "VMCoreInfo._parse_value",
        "ValueError: invalid literal for int() with base 16: 'zz'",
        "A number of the first note that it finds is not one to Python: SYMBOL( and KERNELOFFSET in base 16, others in "
        "the base of their prefix, without leading zeros. It ends with an error.",
        where=lambda r: r.died if r.died and "unpack" not in (r.died.words or "") and r.died.words else None),
    row("M04", "note", "memory-missing", "VMCoreInfo.search_vmcoreinfo_elf_note", "",
        "The first place with the name VMCOREINFO is at the edge of memory: its header or its text is missing, which "
        "ends it with an error.",
        where=lambda r: r.died if r.died and not r.died.words else None),
    row("N01", "note", "large-memory", "VMCoreInfo.search_vmcoreinfo_elf_note", "",
        "There is more memory than vmci searches here (1 GiB); `vmci find` searches all of it.",
        holds=lambda r: r.gave_up, observed=False),
    row("N01", "note", "no-note", "VMCoreInfo.search_vmcoreinfo_elf_note", "",
        "Nowhere in memory is a note of type 0 named VMCOREINFO, with a text that begins with OSRELEASE= and is "
        "printable to the last byte. A note of the file alone does not count.",
        holds=lambda r: r.note is None and r.died is None),
)
# fmt: on


def _last_values(text: bytes) -> dict[bytes, bytes]:
    """Return the last value of each key."""
    return {key.encode(): value.encode() for key, value in _lines(text.decode("latin-1"))}


def _number(base: int) -> Form:
    return lambda raw: shown_hex(int(raw, base), f"base {base} (Python)")


READER: Final = Reader(
    "volatility3",
    _VERSION,
    "vol -f FILE linux.vmcoreinfo",
    Volatility3,
    rules_of=lambda _: _RULES,
    accepted=lambda r: f"{r.address:#x}  OSRELEASE  {(r.osrelease or b'').decode()}",
    lines=_last_values,
    keys={
        b"OSRELEASE": as_text,
        b"KERNELOFFSET": _number(16),
        b"SYMBOL(swapper_pg_dir)": _number(16),
        b"NUMBER(phys_base)": _number(0),
        b"CONFIG_X86_PAE": as_text,
    },
    known=(_VERSION,),
)
