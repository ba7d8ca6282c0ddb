"""Read the description of the devices at the end of a QEMU stream: JSON that names each field and its length.

QEMU writes it after the last device (migration/vmstate.c, vmsd_desc_field_start): `fields` with name, type and
size in bytes; `array_len` elements of that size; `index` where each element of an array has a line of its own; a
struct with the same again, and `subsections`, each with a head in the stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from vmci_tui.common.errors import OpenError

LIMIT: Final = 16 << 20
"""Bytes; that of a machine with 255 CPUs has 3 MB."""
_DEPTH: Final = 24
"""Structs in structs; QEMU's own have 6 at most."""
_STEPS: Final = 1 << 16
"""Fields of one device, those of each struct in an array too; an x86 CPU has 600."""
_WIDEST: Final = 1 << 40
"""More bytes, or elements, than any field has."""
_SUBSECTION: Final = 6
"""Bytes of a subsection's head besides its name: a type, the length of the name, a version of 4 bytes."""


class Field(NamedTuple):
    """A field of a device: `elements` of `size` bytes each, `at` bytes after the start of the device's state."""

    at: int
    size: int
    elements: int = 1


class DeviceLayout(NamedTuple):
    """Where the fields of a device are, by name: `env.segs[0].base`; in a subsection `cpu/fpu/env.fpscr`."""

    fields: Mapping[str, Field]
    """Of two fields of one name the first counts."""
    length: int
    """Bytes of the device's state, without the head and the footer of its section."""


class _Damaged(Exception):
    """Say that the description is not one that QEMU writes."""


@dataclass(frozen=True)
class Description:
    """The devices of a stream, by name and instance."""

    devices: Mapping[tuple[str, int], Mapping[str, Any]] = field(repr=False)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Parse the JSON, at most LIMIT bytes. Raises OpenError if it is damaged."""
        if len(data) > LIMIT:
            raise OpenError(f"the description of the devices has {len(data)} bytes, more than {LIMIT}")
        try:
            listed = json.loads(data)["devices"]
            named = [((str(one["name"]), int(one["instance_id"])), one) for one in listed if isinstance(one, dict)]
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise OpenError("the description of the devices at the end of the stream is damaged") from None
        return cls(dict(reversed(named)))  # of two devices of one name the first counts

    def layout(self, name: str, instance: int) -> DeviceLayout | None:
        """Return where the fields of a device are; None if the description does not have it, or is damaged there."""
        device = self.devices.get((name, instance))
        if device is None:
            return None
        places = _Places()
        try:
            return DeviceLayout(places.fields, places.place(device, 0, ""))
        except _Damaged:
            return None


@dataclass
class _Places:
    """The fields found, and how many steps it took."""

    fields: dict[str, Field] = field(default_factory=dict)
    steps: int = 0

    def place(self, part: Mapping[str, Any], at: int, prefix: str, depth: int = 0) -> int:
        """Add the fields of a device, struct or subsection, and return where its bytes end."""
        self.steps += 1
        if depth > _DEPTH or self.steps > _STEPS:
            raise _Damaged
        for one in _parts(part, "fields"):
            self.steps += 1
            size, count = _number(one, "size", 0), _number(one, "array_len", 1)
            path = f"{prefix}{one.get('name', '')}" + (f"[{one['index']}]" if "index" in one else "")
            inner = one.get("struct", one)
            if not isinstance(inner, dict):
                raise _Damaged
            if "fields" not in inner:
                self.fields.setdefault(path, Field(at, size, count))
            for number in range(count if "fields" in inner else 0):
                name = f"{path}[{number}]" if "array_len" in one else path
                self.place(inner, at + number * size, f"{name}.", depth + 1)
            at += size * count
        for one in _parts(part, "subsections"):
            name = str(one.get("vmsd_name", ""))
            at = self.place(one, at + _SUBSECTION + len(name.encode()), f"{name}/", depth + 1)
        return at


def _parts(part: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    listed = part.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _Damaged
    return iter(listed)


def _number(one: Mapping[str, Any], key: str, other: int) -> int:
    value = one.get(key, other)
    if not isinstance(value, int) or not 0 <= value < _WIDEST:
        raise _Damaged
    return value
