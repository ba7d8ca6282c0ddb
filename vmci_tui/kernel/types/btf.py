"""Read BTF, the types that a kernel keeps of itself in memory: version 1, both byte orders.

Sources: Documentation/bpf/btf.rst, include/uapi/linux/btf.h of Linux 6.12. All types are in one
section, each a record of 12 bytes (`name_off`, `info`, `size` or `type`) and what its kind adds;
a type's number is its place in the section, 0 is void. Names are offsets into a section of texts.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import compress
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import VmciError
from vmci_tui.formats.elf_note import ByteOrder

MAGIC: Final = 0xEB9F
SIZE_LIMIT: Final = 32 << 20
"""Bytes. Kernels of distributions have 3 to 10 MiB."""
_HEADER: Final = "HBBIIIII"
HEADER_LENGTH: Final = 24
"""Bytes of the header that Linux writes."""
_TYPE_LIMIT: Final = 1 << 20
"""Debian's kernels have up to 125,000."""
_NAME_LIMIT: Final = 128
"""Bytes of a name that can be found; names of Rust may be longer, and no line of a note has them."""
_NAMES_LIMIT: Final = 1 << 17
"""Names of types, and enumerators, that are kept: of each, Debian's kernels have up to 20,000."""
_SAME_LIMIT: Final = 64
"""Types of one name that are kept, and values of one enumerator."""
STEPS: Final = 1 << 16
"""Steps for reading the types of a kernel and for all that is asked of them: real ones take some 8,000."""
_OF_TYPES: Final = 32
"""Bytes of reading that take as much time as a byte of the types."""
_OF_MEMBERS: Final = 512
"""The same of a member."""
_DEPTH_LIMIT: Final = 32
"""Modifiers, typedefs and arrays within each other; real ones nest less than ten deep."""
_ANONYMOUS_LIMIT: Final = 200
"""Anonymous structs and unions within one struct. `struct page` has about twenty."""


class BtfError(VmciError):
    """The bytes are not BTF, or not as a kernel has it."""


class Kind(IntEnum):
    """`BTF_KIND_*`."""

    VOID, INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT = range(12)
    FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(12, 20)


_SIZED: Final = frozenset({Kind.INT, Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.DATASEC, Kind.FLOAT, Kind.ENUM64})
_SAME: Final = frozenset({Kind.TYPEDEF, Kind.VOLATILE, Kind.CONST, Kind.RESTRICT, Kind.TYPE_TAG})
"""Kinds that only name or qualify another type."""
_NAMED: Final = frozenset({Kind.INT, Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.TYPEDEF, Kind.ENUM64})
_EXTRA: Final = {Kind.INT: 4, Kind.ARRAY: 12, Kind.VAR: 4, Kind.DECL_TAG: 4}
"""Bytes after the record, for kinds that have the same number in all of their types."""
_EACH: Final = {
    Kind.STRUCT: 12, Kind.UNION: 12, Kind.ENUM: 8, Kind.FUNC_PROTO: 8, Kind.DATASEC: 12, Kind.ENUM64: 12
}  # fmt: skip
"""Bytes after the record for each member, enumerator or parameter."""


class Member(NamedTuple):
    """A member of a struct or union: the bit where it begins, its type, and its bits if it is a bitfield, else 0."""

    bit: int
    type: int
    bits: int = 0


@dataclass(frozen=True)
class Btf:
    """Types of a kernel. Made by `read_btf`; numbers of types come from the file and may be wrong anywhere."""

    types: bytes
    strings: bytes
    prefix: str
    """The byte order, as `struct` writes it."""
    pointer_size: int
    """Bytes."""
    starts: array[int]
    """Where each type's record begins in `types`; that of void is 0 and is not read."""
    kinds: bytes
    """The kind of each type; that of void is 0."""
    budget: Budget
    """What each question spends; all of them raise Spent."""

    def ids(self, name: bytes, *kinds: Kind) -> list[int]:
        """Return the numbers of the types of this name; a name may have several."""
        return [at for kind in kinds or _NAMED for at in self._by_name.get((kind, name), ())]

    def resolved(self, number: int) -> tuple[Kind, int]:
        """Return the kind and number of a type without typedefs and qualifiers; void if it has none."""
        self.budget.spend()
        for _ in range(_DEPTH_LIMIT):
            kind, _, _, of = self._record(number)
            if kind not in _SAME:
                return kind, number
            number = of
        return Kind.VOID, 0

    def size(self, number: int) -> int | None:
        """Return the size of a type in bytes; None if it has none."""
        count = 1
        for _ in range(_DEPTH_LIMIT):
            kind, number = self.resolved(number)
            if kind is Kind.ARRAY:
                number, length = self._array(number)
                count *= length
            elif kind is Kind.PTR:
                return count * self.pointer_size
            else:
                return count * self._record(number)[3] if kind in _SIZED else None
        return None

    def length(self, number: int) -> int | None:
        """Return the number of elements of an array's first dimension; None if the type is not an array."""
        kind, number = self.resolved(number)
        return self._array(number)[1] if kind is Kind.ARRAY else None

    def member(self, number: int, path: bytes) -> Member | None:
        """Return the member of a struct or union by its path (`a.b`), through anonymous members."""
        bit, found = 0, None
        for name in path.split(b"."):
            found = self._member(number, name, set())
            if found is None:
                return None
            bit, number = bit + found.bit, found.type
        return found and found._replace(bit=bit)

    def enumerators(self, name: bytes) -> frozenset[int]:
        """Return the values of the enumerators of this name.

        Those of 32 bits are as written: before Linux 6.0 BTF does not say whether they have a sign.
        """
        return frozenset(self._enumerators.get(name, ()))

    def _text(self, at: int) -> bytes:
        end = self.strings.find(b"\0", at, at + _NAME_LIMIT)
        return self.strings[at:end] if end >= 0 else b""

    def _record(self, number: int) -> tuple[Kind, int, int, int]:
        """Return kind, kind_flag, vlen, and `size` or `type`."""
        if not 0 < number < len(self.starts):
            return Kind.VOID, 0, 0, 0
        info, of = struct.unpack_from(self.prefix + "II", self.types, self.starts[number] + 4)
        return Kind(info >> 24 & 31), info >> 31, info & 0xFFFF, of

    def _of_kinds(self, kinds: Collection[Kind]) -> Iterator[int]:
        """Yield the numbers of all types of these kinds: those of most of 130,000 types are others."""
        return compress(range(len(self.kinds)), self.kinds.translate(bytes(code in kinds for code in range(256))))

    def _array(self, number: int) -> tuple[int, int]:
        """Return the type of the elements and their number."""
        of, _, length = struct.unpack_from(self.prefix + "III", self.types, self.starts[number] + 12)
        return of, length

    def _member(self, number: int, name: bytes, seen: set[int]) -> Member | None:
        """Look in a struct or union, then in its anonymous members that were not `seen` yet."""
        kind, number = self.resolved(number)
        if kind not in (Kind.STRUCT, Kind.UNION) or number in seen or len(seen) > _ANONYMOUS_LIMIT:
            return None
        seen.add(number)
        _, has_bits, count, _ = self._record(number)
        self.budget.spend(count * _OF_MEMBERS)
        start = self.starts[number] + 12
        anonymous = []
        records = struct.iter_unpack(self.prefix + "III", self.types[start : start + 12 * count])
        for name_at, of, offset in records:
            found = Member(offset & 0xFFFFFF, of, offset >> 24) if has_bits else Member(offset, of)
            if not name_at:
                anonymous.append(found)
            elif self._text(name_at) == name:
                return found
        for outer in anonymous:
            inner = self._member(outer.type, name, seen)
            if inner is not None:
                return inner._replace(bit=outer.bit + inner.bit)
        return None

    @cached_property
    def _by_name(self) -> dict[tuple[Kind, bytes], list[int]]:
        self.budget.spend(len(self.types) * _OF_TYPES)
        out: dict[tuple[Kind, bytes], list[int]] = {}
        unpack = struct.Struct(self.prefix + "I").unpack_from
        for number in self._of_kinds(_NAMED):
            (name_at,) = unpack(self.types, self.starts[number])
            if name_at:
                same = out.setdefault((Kind(self.kinds[number]), self._text(name_at)), [])
                if len(same) < _SAME_LIMIT:
                    same.append(number)
                if len(out) == _NAMES_LIMIT:
                    break
        return out

    @cached_property
    def _enumerators(self) -> dict[bytes, set[int]]:
        self.budget.spend(len(self.types) * _OF_TYPES)
        out: dict[bytes, set[int]] = {}
        for number in self._of_kinds({Kind.ENUM, Kind.ENUM64}):
            kind, signed, count, _ = self._record(number)
            if len(out) >= _NAMES_LIMIT:
                break
            self.budget.spend(count * _OF_MEMBERS)
            start = self.starts[number] + 12
            each = _EACH[kind]
            values = self.types[start : start + each * count]
            if kind is Kind.ENUM:
                for name_at, value in struct.iter_unpack(self.prefix + ("Ii" if signed else "II"), values):
                    _add(out, self._text(name_at), value)
            else:
                for name_at, low, high in struct.iter_unpack(self.prefix + ("IIi" if signed else "III"), values):
                    _add(out, self._text(name_at), high << 32 | low)
        return out


def _add(values: dict[bytes, set[int]], name: bytes, value: int) -> None:
    same = values.setdefault(name, set())
    if len(same) < _SAME_LIMIT:
        same.add(value)


def read_btf(data: bytes | memoryview, order: ByteOrder, pointer_size: int, budget: Budget | None = None) -> Btf:
    """Read BTF from its header on; bytes after its end may follow.

    Raises BtfError with what is wrong, and Spent.
    """
    budget = budget or Budget(STEPS)
    prefix = "<" if order == "little" else ">"
    if len(data) < struct.calcsize(prefix + _HEADER):
        raise BtfError("the BTF is shorter than its header")
    magic, version, _, header, type_off, type_len, str_off, str_len = struct.unpack_from(prefix + _HEADER, data)
    if magic != MAGIC or version != 1:
        raise BtfError("no BTF of version 1 is there")
    if header < HEADER_LENGTH or max(type_off + type_len, str_off + str_len) > len(data) - header:
        raise BtfError("the sections of the BTF are outside it")
    if max(type_len, str_len) > SIZE_LIMIT:
        raise BtfError("the BTF is larger than a kernel's")
    budget.spend(type_len * _OF_TYPES)
    types = bytes(data[header + type_off : header + type_off + type_len])
    starts, kinds = _starts(types, prefix)
    strings = bytes(data[header + str_off : header + str_off + str_len])
    return Btf(types, strings, prefix, pointer_size, starts, kinds, budget)


def _starts(types: bytes, prefix: str) -> tuple[array[int], bytes]:
    """Return where each record begins, and of which kind it is.

    Raises BtfError where a kind is unknown or the section ends in a record.
    """
    starts, kinds, at, end = array("I", [0]), bytearray(1), 0, len(types)
    unpack = struct.Struct(prefix + "I").unpack_from
    # One loop over some 130,000 records: what each kind adds is looked up by number.
    extra = [_EXTRA.get(kind, 0) for kind in Kind]
    each = [_EACH.get(kind, 0) for kind in Kind]
    while at < end:
        if at + 12 > end or len(starts) > _TYPE_LIMIT:
            raise BtfError("the types of the BTF end within a record")
        (info,) = unpack(types, at + 4)
        kind = info >> 24 & 31
        if not 0 < kind < len(extra):
            raise BtfError(f"type {len(starts)} of the BTF is of an unknown kind, {kind}")
        starts.append(at)
        kinds.append(kind)
        at += 12 + extra[kind] + each[kind] * (info & 0xFFFF)
    if at != end:
        raise BtfError("the types of the BTF end within a record")
    return starts, bytes(kinds)
