"""Make the notes of a VM's CPUs from what QEMU prints for `info registers -a`: the guest is not stopped for it.

Sources: QEMU 7.2 and 10.0, the functions *_cpu_dump_state of each target. A CPU is read while it runs, so its registers
are of one moment only in a paused VM. QEMU does not print kernel_gs_base of x86, the prefix of s390x, nor dar and dsisr
of PowerPC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from vmci_tui.formats.elf_note import ByteOrder, Note, build
from vmci_tui.formats.registers.other_sets import OTHERS, QEMU_STATE
from vmci_tui.formats.registers.prstatus import PRSTATUS
from vmci_tui.formats.registers.register_set import RegisterSet
from vmci_tui.images.vmstate.cpu_fields import Values
from vmci_tui.machines.table import MACHINES

MOST_CPUS: Final = 8192
"""CPUs whose registers are taken."""
_CPU: Final = re.compile(r"^CPU#[0-9]{1,5}\s*$", re.MULTILINE)
_REGISTER: Final = re.compile(r"\b(?:x[0-9]{1,2}/)?([A-Za-z]{1,8})([0-9]{0,2}) *(?:=| ) *([0-9a-f]{16}|[0-9a-f]{8})\b")
"""Name, number, value."""
_SEGMENT: Final = re.compile(
    r"^(ES|CS|SS|DS|FS|GS|LDT|TR) *=([0-9a-f]{4}) ([0-9a-f]{8,16}) ([0-9a-f]{8}) ([0-9a-f]{8})\b", re.MULTILINE
)
_PARTS: Final = ("selector", "base", "limit", "flags")
_TABLE: Final = re.compile(r"^(GDT|IDT)= +([0-9a-f]{8,16}) ([0-9a-f]{8})\b", re.MULTILINE)
_PSW: Final = re.compile(r"^PSW=mask ([0-9a-f]{16}) addr ([0-9a-f]{16})", re.MULTILINE)
_FOUR: Final = re.compile(r"^GPR([0-9]{2})((?: [0-9a-f]{16}){1,4})", re.MULTILINE)
"""Four registers of PowerPC, after the number of the first."""
_LONG_MODE: Final = 1 << 10
"""A bit of EFER, by which QEMU's own dump is one of x86-64 or of i386."""
_NT_S390_CTRS: Final = 0x304
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "arm": {"psr": "cpsr", "r13": "sp", "r14": "lr", "r15": "pc"},
    "s390x": {f"c{number}": f"cr{number}" for number in range(16)},
    "ppc64": {"cr": "ccr"},
}
"""Names in the notes, by those that QEMU prints, where they differ."""
_WIDTHS: Final = (("eax", "rax"), ("ebx", "rbx"), ("ecx", "rcx"), ("edx", "rdx"), ("esi", "rsi"), ("edi", "rdi"),
                  ("ebp", "rbp"), ("esp", "rsp"), ("eip", "rip"), ("efl", "rfl"))  # fmt: skip
"""What QEMU prints of an x86 CPU in 32-bit code, and in 64-bit code."""


class PrintedCpus(NamedTuple):
    """The CPUs of a VM, by what QEMU prints of them."""

    machine: str
    notes: tuple[Note, ...]


def printed_cpus(text: str, machine: str, order: ByteOrder) -> PrintedCpus:
    """Return the notes of all CPUs, NT_PRSTATUS and what has control registers; none of a machine unknown here.

    `machine` is that of the VM; a 64-bit x86 CPU that is not in long mode has the notes of i386.
    """
    cpus = [_values(part) for part in islice(_CPU.split(text), 1, 1 + MOST_CPUS)]
    if machine in ("x86_64", "i386") and cpus:
        machine = "x86_64" if cpus[0].get("efer", 0) & _LONG_MODE else "i386"
    if machine not in PRSTATUS:
        return PrintedCpus(machine, ())
    registers, names = PRSTATUS[machine], _NAMES.get(machine, {})
    counter = next(name for name, role in registers.roles.items() if role == "pc")
    cpus = [{names.get(name, name): value for name, value in values.items()} for values in cpus]
    known = [values for values in cpus if counter in values]
    return PrintedCpus(machine, tuple(_notes(known, machine, order)) if len(known) == len(cpus) else ())


def _values(text: str) -> dict[str, int]:
    """Return the registers of one CPU, by the names that QEMU prints, without zeros before a number."""
    values = {f"{name.lower()}{int(number) if number else ''}": int(value, 16)
              for name, number, value in _REGISTER.findall(text)}  # fmt: skip
    for segment, *parts in _SEGMENT.findall(text):
        values |= {f"{segment.lower()}.{part}": int(value, 16) for part, value in zip(_PARTS, parts, strict=True)}
        values[segment.lower()] = int(parts[0], 16)
    for table, base, limit in _TABLE.findall(text):
        values |= {f"{table.lower()}.base": int(base, 16), f"{table.lower()}.limit": int(limit, 16)}
    for mask, address in _PSW.findall(text):
        values |= {"pswm": int(mask, 16), "pswa": int(address, 16)}
    for first, numbers in _FOUR.findall(text):
        values |= {f"r{int(first) + at}": int(value, 16) for at, value in enumerate(numbers.split())}
    for pair in _WIDTHS:
        values |= {other: values[name] for name in pair if name in values for other in pair}
    return values | {f"{width}flags": values["rfl"] for width in "re" if "rfl" in values}


def _notes(cpus: Sequence[dict[str, int]], machine: str, order: ByteOrder) -> Iterator[Note]:
    """Yield the notes in QEMU's order: those of each CPU, then its own of each x86 CPU."""
    for number, values in enumerate(cpus):
        pid = {} if machine == "ppc64" else {"pid": number + 1}
        yield _note(b"CORE\0", 1, PRSTATUS[machine], values | pid, order, MACHINES[machine].prstatus)
        if machine == "s390x":
            yield _note(b"LINUX\0", _NT_S390_CTRS, OTHERS[machine, b"LINUX", _NT_S390_CTRS], values, order)
    if machine in ("x86_64", "i386"):
        head = {"version": 1, "size": QEMU_STATE.record(order).size}
        yield from (_note(b"QEMU\0", 0, QEMU_STATE, values | head, order) for values in cpus)


def _note(
    name: bytes, kind: int, registers: RegisterSet, values: Values, order: ByteOrder, length: int | None = None
) -> Note:
    return build(name, kind, registers.encode(values, order, length or registers.record(order).size), order)
