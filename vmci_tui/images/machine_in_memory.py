"""Find out which machine a memory is of, where the image does not say: by the utsname of its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.layers.file import Source
from vmci_tui.layers.memory_map import Memory
from vmci_tui.machines.facts import BIG, MachineFacts
from vmci_tui.machines.lookup import machine_of_uname
from vmci_tui.machines.table import MACHINES
from vmci_tui.proof.witnesses.utsname import LENGTH, uts_of

_SYSNAME: Final = b"Linux".ljust(65, b"\0")
"""The first field of a utsname."""
_PIECE: Final = 1 << 20
_SEARCHED: Final = 256 << 20
"""Bytes of data that are searched, from the lowest address on: opening takes a tenth of a second (warm)."""
_USUAL: Final = "x86_64"
_BIG_ENDIAN: Final = (b"ppc64", b"ppc", b"aarch64_be")
"""What `uname -m` says of the big-endian kernels of machines that run in both byte orders."""


class KernelMachine(NamedTuple):
    """A machine, and how certain that is."""

    facts: MachineFacts
    order: ByteOrder
    doubt: str = ""
    """A sentence if it was assumed."""


def machine_of_memory(source: Source, memory: Memory) -> KernelMachine:
    """Return the machine that a kernel in memory names; without one x86-64, with a doubt."""
    for raw in _utsnames(source, memory):
        uts = uts_of(raw)
        facts = None if uts is None else machine_of_uname(uts.machine)
        if uts is not None and facts is not None:
            return KernelMachine(facts, "big" if facts.orders == BIG or uts.machine in _BIG_ENDIAN else "little")
    doubt = f"the image does not say which machine it is of, and no kernel in it does: {_USUAL} is assumed"
    return KernelMachine(MACHINES[_USUAL], "little", doubt)


def _utsnames(source: Source, memory: Memory) -> Iterator[bytes]:
    left = _SEARCHED
    for item in memory.ranges:
        if item.offset is None:
            continue
        for start, end in source.data_ranges(item.offset, item.offset + item.length):
            while start < end:
                if left <= 0:
                    return
                data = source.read(start, min(_PIECE + LENGTH, end - start))
                found = data.find(_SYSNAME)
                while 0 <= found < _PIECE:
                    yield data[found : found + LENGTH]
                    found = data.find(_SYSNAME, found + 1)
                start += _PIECE
                left -= _PIECE
