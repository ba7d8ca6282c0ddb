"""Open a running VM as a memory image: its map, the entry and the registers as QEMU has them, and its memory."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.containers.elf.dump import ElfDump, open_elf
from vmci_tui.formats.elf_note import ByteOrder, Note, parse_notes
from vmci_tui.formats.fw_cfg_entry import SIZE_LIMIT, Entry, EntryHistory
from vmci_tui.images.guest_image import GuestImage
from vmci_tui.layers.file import BytesSource
from vmci_tui.layers.memory_map import Memory
from vmci_tui.live.commands import DEVICES, MAP, NAMED_DEVICES, REGISTERS, STATUS, TARGET
from vmci_tui.live.flat_view import BlockRange, memory_of, ranges_of
from vmci_tui.live.memory import LiveMemory, VmFacts
from vmci_tui.live.printed_registers import printed_cpus
from vmci_tui.live.qemu_view import device_state, dump_head
from vmci_tui.live.session import Refused
from vmci_tui.live.virsh import TAINT
from vmci_tui.live.vm import RunningVm
from vmci_tui.machines.lookup import machine_facts
from vmci_tui.readers.qemu.entry_reading import DumpTarget, QemuReading, RegionBytes

_ENTRY: Final = re.compile(
    rb"\x04(....)\x0avmcoreinfo\x00{4}\x00\x00\x00\x01([\x00\x01])(..)(..)(.{4})(.{8})\x7e\1", re.DOTALL
)
"""The section of the device in a migration stream, with its footer (hw/misc/vmcoreinfo.c vmstate_vmcoreinfo): whether
there is a note, then the four fields, all big-endian."""
_DEVICE: Final = "child<vmcoreinfo>"
_LONGEST_STATE: Final = 32
"""Characters of the word for a run state."""
_MOST_MEMORY: Final = 1 << 52
"""Bytes of memory; no machine has as many."""


class _Cpus(NamedTuple):
    """What is known of the CPUs of a VM."""

    machine: str | None
    bits: int
    order: ByteOrder
    notes: tuple[Note, ...]


def image_of_vm(vm: RunningVm, stop: bool = True) -> GuestImage:
    """Return what a running VM holds. With `stop` QEMU stops it for each of its registers and its entry, if it has
    one: less than a millisecond.

    Raises OpenError.
    """
    (running, state), device = _run_state(vm), _has_device(vm)
    ranges = _ranges(vm)
    doubts: list[str] = [TAINT] if vm.name.startswith("virsh:") else []
    entry, head = None, None
    if stop:
        # Without the device none has the entry, and those of a pseries have its table of hashed pages: a stop of 50 ms.
        entry = _entry(vm, doubts) if device else None
        head = _head(vm, ranges, doubts) if vm.hands_over else None
    else:
        doubts.append("the entry is not known: it needs a stop of a millisecond")
    if head is None:
        doubts.append("the registers are as QEMU prints them, one CPU after the other")
    cpus = _printed(vm) if head is None else _Cpus(head.machine, head.bits, head.order, head.notes)
    memory = memory_of(ranges)
    # QEMU prints words in the order of the machine, whichever one its guest has chosen.
    order = (machine_facts(cpus.machine).orders or (cpus.order,))[0]
    source = LiveMemory(vm, memory, order, VmFacts(running, state, device, ranges))
    notes = cpus.notes
    if head is None and entry is not None:
        with suppress(OpenError):
            notes += _announced(entry, source, memory, cpus, vm.version)
    known = GuestImage("qmp", cpus.machine, cpus.bits, cpus.order, source, memory, notes, entry, tuple(doubts))
    return replace(known, translate=source.translate)


def _announced(
    history: EntryHistory, source: LiveMemory, memory: Memory, cpus: _Cpus, version: str
) -> tuple[Note, ...]:
    """Return the note that QEMU would append for the entry; none if it would not. Raises OpenError."""
    paddr, size = history.entry.paddr, history.entry.size
    region = RegionBytes(memory.read(source, paddr, size) if size <= SIZE_LIMIT else b"")
    target = DumpTarget(cpus.machine, cpus.bits, cpus.order, memory.ranges[0].paddr)
    raw = QemuReading(history, region, target, version).appended
    return () if raw is None else tuple(parse_notes(raw, cpus.order))


def entry_in(state: bytes) -> EntryHistory | None:
    """Return the entry in the state of all devices; None if no device has one."""
    found = _ENTRY.search(state)
    if found is None:
        return None
    entry = Entry(*(int.from_bytes(found[index], "big") for index in range(3, 7)))
    history = EntryHistory.of_blob(entry.pack(), "vm")
    return history if not history.writes else EntryHistory("vm", history.writes, found[2] == b"\x01")


def _run_state(vm: RunningVm) -> tuple[bool, Safe]:
    match vm.ask(STATUS):
        case {"running": bool(running), "status": str(state)}:
            return running, visible(state[:_LONGEST_STATE])
    raise OpenError(f"{vm.name} does not say whether its guest runs", "is this a QEMU?")


def _has_device(vm: RunningVm) -> bool:
    for command in (DEVICES, NAMED_DEVICES):
        listed = vm.ask(command)
        if isinstance(listed, list) and any(isinstance(d, dict) and d.get("type") == _DEVICE for d in listed):
            return True
    return False


def _ranges(vm: RunningVm) -> tuple[BlockRange, ...]:
    said = vm.ask(MAP)
    ranges = ranges_of(said) if isinstance(said, str) else ()
    if not ranges or sum(item.length for item in ranges) > _MOST_MEMORY:
        raise OpenError(f"{vm.name}: QEMU does not say where guest memory is", "is this a QEMU?")
    return ranges


def _entry(vm: RunningVm, doubts: list[str]) -> EntryHistory | None:
    try:
        return entry_in(device_state(vm))
    except Refused as refused:
        doubts.append(f"the entry is not known: {_reason(vm, refused)}")
        return None


def _head(vm: RunningVm, ranges: tuple[BlockRange, ...], doubts: list[str]) -> ElfDump | None:
    """Return the head of the dump that QEMU would make; None, with a doubt, if it makes none of this machine."""
    try:
        return open_elf(BytesSource(dump_head(vm, ranges[0].paddr)))
    except Refused as refused:
        doubts.append(f"the registers are not known: {_reason(vm, refused)}")
    except OpenError as error:
        doubts.append(f"the registers are not known: QEMU's dump cannot be read: {error.message}")
    return None


def _reason(vm: RunningVm, refused: Refused) -> str:
    return refused.message.removeprefix(f"{vm.name}: ")


def _printed(vm: RunningVm) -> _Cpus:
    """Return the machine, and the registers of its CPUs by what QEMU prints of them."""
    match vm.ask(TARGET):
        case {"arch": str(arch)} if (facts := machine_facts(arch)).bits:
            order = facts.orders[0]
        case {"arch": str(arch)}:
            raise OpenError(f"{vm.name} is a machine that vmci does not know: {visible(arch[:40])}")
        case _:
            raise OpenError(f"{vm.name} does not say which machine it is", "is this a QEMU?")
    printed = vm.ask(REGISTERS)
    machine, notes = printed_cpus(printed if isinstance(printed, str) else "", arch, order)
    return _Cpus(machine, machine_facts(machine).bits or 64, order, notes)
