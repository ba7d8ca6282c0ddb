"""Declare records of fixed fields: the name and the `struct` code of every field, in order."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Literal, NamedTuple, Self

from vmci_tui.common.span import Span


class Field(NamedTuple):
    """A field of a record: offset and length in bytes."""

    name: str
    offset: int
    length: int


class NamedStruct(struct.Struct):
    """A `struct.Struct` in one byte order, without alignment, that knows where its fields are."""

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, order: Literal["little", "big"], names: Iterable[str], codes: Iterable[str], start: int = 0) -> Self:
        """Declare a record with one code a field; `6xQ` has six bytes before its number that belong to no field.

        `start` is the offset of the first field, if the record continues another one.
        """
        found, codes = [], tuple(codes)
        for name, code in zip(names, codes, strict=True):
            length = struct.calcsize("=" + code.rpartition("x")[2])
            start += struct.calcsize("=" + code)
            found.append(Field(name, start - length, length))
        record = cls(("<" if order == "little" else ">") + "".join(codes))
        record.fields = tuple(found)
        return record

    def span(self, field: str, at: int = 0, through: str = "") -> Span:
        """Return the span of a field, or of all fields from it through another, in the record at offset `at`.

        Raises KeyError.
        """
        first, last = (Span(at + each.offset, each.length) for each in map(self._field, (field, through or field)))
        return first.through(last)

    def part(self, field: str, data: bytes) -> bytes:
        """Return the bytes of a field in `data`, a record; fewer if `data` is too short. Raises KeyError."""
        place = self._field(field)
        return data[place.offset : place.offset + place.length]

    def _field(self, name: str) -> Field:
        found = next((field for field in self.fields if field.name == name), None)
        if found is None:
            raise KeyError(name)
        return found
