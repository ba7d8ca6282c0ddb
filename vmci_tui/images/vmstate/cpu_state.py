"""Read the state of one CPU in a QEMU stream: numbers by the names of QEMU's own fields."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vmci_tui.images.vmstate.description import DeviceLayout

_ELEMENT: Final = re.compile(r"(.*)\[(\d{1,9})\]")


class CpuState(NamedTuple):
    """The bytes of a CPU's section, and where its fields are in them; numbers are big-endian, whatever the machine."""

    instance: int
    """The number of the CPU, from 0."""
    data: bytes
    layout: DeviceLayout

    def has(self, name: str) -> bool:
        """Return whether the stream has a field of this name, or the array of that element."""
        return self._place(name) is not None

    def has_part(self, prefix: str) -> bool:
        """Return whether the CPU has a subsection, named with its slash."""
        return any(name.startswith(prefix) for name in self.layout.fields)

    def wide(self, name: str) -> bool:
        """Return whether a field, or an element of an array, has 64 bits."""
        found = self.layout.fields.get(name)
        return found is not None and found.size == 8

    def number(self, name: str) -> int:
        """Return the value of a field or of an array's element (`env.regs[3]`), unsigned; 0 if the CPU has none."""
        place = self._place(name)
        return 0 if place is None else int.from_bytes(self.data[place[0] : sum(place)], "big")

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return the values of an array, as far as the section has its bytes; () if the CPU has none."""
        found = self.layout.fields.get(name)
        if found is None or not found.size:
            return ()
        count = min(found.elements, max(len(self.data) - found.at, 0) // found.size)
        ends = (found.at + found.size * number for number in range(count))
        return tuple(int.from_bytes(self.data[at : at + found.size], "big") for at in ends)

    def _place(self, name: str) -> tuple[int, int] | None:
        """Return offset and length of a field or element; None if there is none, or its bytes are missing."""
        found, number = self.layout.fields.get(name), 0
        if found is None and (element := _ELEMENT.fullmatch(name)):
            found, number = self.layout.fields.get(element[1]), int(element[2])
        if found is None or number >= found.elements:
            return None
        at = found.at + number * found.size
        return (at, found.size) if at + found.size <= len(self.data) else None
