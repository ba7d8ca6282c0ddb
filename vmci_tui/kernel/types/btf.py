"""Read BTF, the types that a kernel keeps of itself in memory: version 1, both byte orders.

Sources: Documentation/bpf/btf.rst, include/uapi/linux/btf.h of Linux 6.12. All types are in one
section, each a record of 12 bytes (`name_off`, `info`, `size` or `type`) and what its kind adds;
a type's number is its place in the section, 0 is void. Names are offsets into a section of texts.
Linux 7.2 has its types in order: those without a name, then the others by their names.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import compress
from typing import Final, NamedTuple

from vmci_tui.common.budget import Budget
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.kernel.types.names import NameLacking, Names
from vmci_tui.kernel.types.sections import BtfError, sections_of

_TYPE_LIMIT: Final = 1 << 20
"""Debian's kernels have up to 125,000."""
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
_LACKING: Final = "the dump has only some names of the kernel's types, and not this one"
_DEPTH_LIMIT: Final = 32
"""Modifiers, typedefs and arrays within each other; real ones nest less than ten deep."""
_ANONYMOUS_LIMIT: Final = 200
"""Anonymous structs and unions within one struct. `struct page` has about twenty."""
_IN_ORDER: Final = 16
"""Known names of types that show by their order that all are sorted: by chance once in 16!."""


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


class _Order(NamedTuple):
    """The types with a name, sorted by it, as far as their names are known."""

    first: int
    """The first type with a name; all after it have one."""
    texts: list[bytes]
    numbers: list[int]


@dataclass(frozen=True)
class Btf:
    """Types of a kernel. Made by `read_btf`; numbers of types come from the file and may be wrong anywhere.

    All questions raise Spent, and those by a name NameLacking, if the dump lacks the names that would answer it.
    """

    types: bytes
    names: Names
    prefix: str
    """The byte order, as `struct` writes it."""
    pointer_size: int
    """Bytes."""
    starts: array[int]
    """Where each type's record begins in `types`; that of void is 0 and is not read."""
    kinds: bytes
    """The kind of each type; that of void is 0."""
    budget: Budget
    """What each question spends."""

    def ids(self, name: bytes, *kinds: Kind) -> list[int]:
        """Return the numbers of the types of this name; a name may have several."""
        places = self._places(name)
        if not places and not self.names.whole and not self._lacks_type(name):
            raise NameLacking(_LACKING)
        return [number for kind in kinds or _NAMED for at in places for number in self._by_name.get((kind, at), ())]

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
            found = self._member(number, self._places(name), set())
            if found is None:
                return None
            bit, number = bit + found.bit, found.type
        return found and found._replace(bit=bit)

    def enumerators(self, name: bytes) -> frozenset[int]:
        """Return the values of the enumerators of this name.

        Those of 32 bits are as written: before Linux 6.0 BTF does not say whether they have a sign.
        """
        places = self._places(name)
        if not places and not self.names.whole and not all(map(self.names.has, self._enumerators)):
            raise NameLacking(_LACKING)
        return frozenset(value for at in places for value in self._enumerators.get(at, ()))

    def _places(self, name: bytes) -> tuple[int, ...]:
        """Return the offsets of a name, by which types, members and enumerators have it."""
        if name not in self._found:
            self.budget.spend(len(self.names.texts))
            self._found[name] = self.names.places(name)
        return self._found[name]

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

    def _member(self, number: int, places: tuple[int, ...], seen: set[int]) -> Member | None:
        """Look for a name in a struct or union, then in its anonymous members that were not `seen` yet."""
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
            elif name_at in places:
                return found
            elif not places and not self.names.whole and not self.names.has(name_at):
                raise NameLacking(_LACKING)
        for outer in anonymous:
            inner = self._member(outer.type, places, seen)
            if inner is not None:
                return inner._replace(bit=outer.bit + inner.bit)
        return None

    def _lacks_type(self, name: bytes) -> bool:
        """Return whether the names that are known show that no type has one that is not found.

        Where types are sorted, two that follow each other do; else it takes the names of all types.
        """
        order = self._order
        if order is None:
            return all(self.names.has(at) for _, at in self._by_name)
        at = bisect_left(order.texts, name)
        near = order.numbers[max(at - 1, 0) : at + 1]
        before = order.numbers[at - 1] if at else order.first - 1
        after = order.numbers[at] if at < len(order.numbers) else len(self.starts)
        return after - before == 1 and all(self.names.has(self._name_at(number)) for number in near)

    def _name_at(self, number: int) -> int:
        """Return the offset of a type's name; 0 if it has none."""
        found: int = struct.unpack_from(self.prefix + "I", self.types, self.starts[number])[0]
        return found

    @cached_property
    def _found(self) -> dict[bytes, tuple[int, ...]]:
        return {}

    @cached_property
    def _order(self) -> _Order | None:
        """The types by their names; None if the kernel has not sorted them."""
        self.budget.spend(len(self.types) * _OF_TYPES)
        first, texts, numbers = 0, [b""], [0]
        for number in range(1, len(self.starts)):
            at = self._name_at(number)
            first = first or (number if at else 0)
            text = self.names.text(at)
            if (first and not at) or (text and text < texts[-1]):
                return None
            if text:
                texts.append(text)
                numbers.append(number)
        return _Order(first, texts[1:], numbers[1:]) if len(texts) > _IN_ORDER else None

    @cached_property
    def _by_name(self) -> dict[tuple[Kind, int], list[int]]:
        """The numbers of types by their kinds and the offsets of their names."""
        self.budget.spend(len(self.types) * _OF_TYPES)
        out: dict[tuple[Kind, int], list[int]] = {}
        for number in self._of_kinds(_NAMED):
            at = self._name_at(number)
            if at:
                same = out.setdefault((Kind(self.kinds[number]), at), [])
                if len(same) < _SAME_LIMIT:
                    same.append(number)
                if len(out) == _NAMES_LIMIT:
                    break
        return out

    @cached_property
    def _enumerators(self) -> dict[int, set[int]]:
        """The values of enumerators by the offsets of their names."""
        self.budget.spend(len(self.types) * _OF_TYPES)
        out: dict[int, set[int]] = {}
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
                    _add(out, name_at, value)
            else:
                for name_at, low, high in struct.iter_unpack(self.prefix + ("IIi" if signed else "III"), values):
                    _add(out, name_at, high << 32 | low)
        return out


def _add(values: dict[int, set[int]], name_at: int, value: int) -> None:
    same = values.setdefault(name_at, set())
    if len(same) < _SAME_LIMIT:
        same.add(value)


def read_btf(data: bytes | memoryview, order: ByteOrder, pointer_size: int, budget: Budget | None = None) -> Btf:
    """Read BTF from its header on; bytes after its end may follow.

    Raises BtfError with what is wrong, and Spent.
    """
    (types, length), (texts, size) = sections_of(data, order, len(data))
    names = Names(bytes(data[texts : texts + size]))
    return btf_of(bytes(data[types : types + length]), names, order, pointer_size, budget or Budget(STEPS))


def btf_of(types: bytes, names: Names, order: ByteOrder, pointer_size: int, budget: Budget) -> Btf:
    """Read the types of this section, whose names are these. Raises BtfError with what is wrong, and Spent."""
    prefix = "<" if order == "little" else ">"
    budget.spend(len(types) * _OF_TYPES)
    starts, kinds = _starts(types, prefix)
    return Btf(types, names, prefix, pointer_size, starts, kinds, budget)


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
