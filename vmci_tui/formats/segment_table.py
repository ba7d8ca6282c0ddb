"""Keep the program headers of a file as the bytes of their table: a million take 56 MB, as objects 500 MB.

They are a sequence of `Segment`, each made on access. Loops over all of them use `rows` (plain
tuples) or `column` (one field of each, 8 bytes a header).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Final, Literal, overload

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.elf_records import ElfFormat, Segment

Row = tuple[int, int, int, int, int, int, int, int]
"""The fields of `Segment`, in its order."""
_FEW: Final = 8
"""So few headers are cut out of the table one by one."""
_NATIVE: Final[ByteOrder] = "big" if array("I", [1]).tobytes()[3] else "little"


@dataclass(frozen=True)
class Segments(Sequence[Segment]):
    """Whole program headers, one directly after the other."""

    form: ElfFormat
    table: bytes
    """The bytes as in a file of this form."""

    @classmethod
    def of(cls, form: ElfFormat, segments: Iterable[Segment]) -> Segments:
        """Pack the headers. Raises struct.error for a number that does not fit into its field."""
        table = bytearray()
        for segment in segments:
            table += form.pack_segment(segment)
        return cls(form, bytes(table))

    @classmethod
    def read(cls, form: ElfFormat, table: bytes, stride: int) -> Segments:
        """Return all whole headers of a table; `stride` bytes, at least their length, are from one to the next."""
        size = form.segment.size
        if stride != size:
            table = b"".join(table[at : at + size] for at in range(0, len(table) - size + 1, stride))
        whole = len(table) - len(table) % size
        return cls(form, table if whole == len(table) else table[:whole])

    def __len__(self) -> int:
        return len(self.table) // self.form.segment.size

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Segments: ...
    def __getitem__(self, index: int | slice) -> Segment | Segments:
        size = self.form.segment.size
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return Segments(self.form, self.table[start * size : stop * size])
            return Segments.of(self.form, (self[at] for at in range(start, stop, step)))
        at = range(len(self))[index] * size
        return next(iter(Segments(self.form, self.table[at : at + size])))

    def __iter__(self) -> Iterator[Segment]:
        return map(Segment._make, self.rows())

    def rows(self) -> Iterator[Row]:
        """Yield the fields of each header as a plain tuple, in a third of the time of a Segment."""
        rows: Iterator[Row] = self.form.segment.iter_unpack(self.table)
        if self.form.bits == 64:
            return rows
        return ((t, flags, o, v, p, f, m, a) for t, o, v, p, f, m, flags, a in rows)

    def column(self, name: str) -> array[int]:
        """Return one field of each header; "I" for a field of 4 bytes, "Q" for one of 8."""
        code, at, step = self._where(name)
        column = array(code, memoryview(self.table).cast(code)[at::step].tobytes())
        return self._swapped(column)

    def replaced(self, **columns: array[int]) -> Segments:
        """Return the headers with other values in the named fields, each as `column` gives them."""
        table = bytearray(self.table)
        for name, values in columns.items():
            code, at, step = self._where(name)
            memoryview(table).cast(code)[at::step] = memoryview(self._swapped(values[:]))
        return Segments(self.form, bytes(table))

    def spliced(self, changes: Mapping[int, Iterable[Segment]]) -> Segments:
        """Return the headers with those at the given indices replaced by others."""
        size, done = self.form.segment.size, 0
        parts: list[bytes | memoryview] = []
        for index in sorted(changes):
            parts += [memoryview(self.table)[done : index * size], Segments.of(self.form, changes[index]).table]
            done = (index + 1) * size
        return Segments(self.form, b"".join([*parts, memoryview(self.table)[done:]]))

    def without(self, kind: int) -> Segments:
        """Return the headers of every other p_type."""
        if self.count_of(kind) < _FEW:
            return self.spliced(dict.fromkeys(self.numbers(kind), ()))
        return self._picked(at for at, each in enumerate(self._kinds) if each != kind)

    def only(self, kind: int) -> Segments:
        """Return the headers of this p_type."""
        if len(self) - self.count_of(kind) < _FEW:  # as a rule all but the one of the notes
            others = (at for at, each in enumerate(self._kinds) if each != kind)
            return self.spliced(dict.fromkeys(others, ()))
        return self._picked(self.numbers(kind))

    def _picked(self, numbers: Iterable[int]) -> Segments:
        """Return the headers at these indices."""
        size, table = self.form.segment.size, self.table
        return Segments(self.form, b"".join(table[at * size : (at + 1) * size] for at in numbers))

    def numbers(self, kind: int) -> Iterator[int]:
        """Yield the indices of all headers of this p_type."""
        kinds, at = self._kinds, -1
        for _ in range(kinds.count(kind)):
            at = kinds.index(kind, at + 1)
            yield at

    def of_type(self, kind: int) -> Iterator[Segment]:
        """Yield all headers of this p_type; if they are few, the others are not unpacked."""
        if self.count_of(kind) * 8 < len(self):
            return map(self.__getitem__, self.numbers(kind))
        return compress(self, map(kind.__eq__, self._kinds))

    def last_of(self, kind: int) -> int | None:
        """Return the index of the last header of this p_type; None if there is none."""
        kinds = self._kinds[::-1]
        return len(kinds) - 1 - kinds.index(kind) if kind in kinds else None

    def count_of(self, kind: int) -> int:
        """Return how many headers have this p_type."""
        return self._kinds.count(kind)

    @cached_property
    def _kinds(self) -> array[int]:
        return self.column("type")

    def _where(self, name: str) -> tuple[Literal["I", "Q"], int, int]:
        """Return the array code of a field, and its first index and its stride in units of its own length."""
        at, length, _ = self.form.segment.span("p_" + name)
        return "Q" if length == 8 else "I", at // length, self.form.segment.size // length

    def _swapped(self, column: array[int]) -> array[int]:
        if self.form.order != _NATIVE:
            column.byteswap()
        return column
