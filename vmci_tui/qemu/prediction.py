"""Predict what QEMU will do with cases: one JSON object a line, as in `tests/data/qemu-cases.jsonl.gz`.

A case has `machine` (e_machine), `bits` and `byte_order` of the dump, the guest's `write` to the entry (or a list
of writes, or null), and `region`: hex of the guest memory at `paddr`, without the zeros that follow. `entry`, the
16 bytes that QEMU has afterwards, can be given as well as the write, or alone. Other keys are ignored.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.formats.elf_note import ByteOrder
from vmci_tui.formats.entry_writes_json import history_of
from vmci_tui.formats.fw_cfg_entry import LENGTH, RESET, EntryHistory
from vmci_tui.machines.lookup import machine_facts, machine_name
from vmci_tui.readers.qemu import warnings
from vmci_tui.readers.qemu.entry_reading import DumpTarget, QemuReading, RegionBytes

LINE_LIMIT: Final = 1 << 23
"""Bytes of the longest line that is read: a region of 1 MiB takes 2 MiB as hex."""
CASE: Final = 'a case is {"machine": 62, "bits": 64, "byte_order": "little", "write": {...}, "region": "0b00..."}'
_ORDERS: Final[dict[object, ByteOrder]] = {"little": "little", "big": "big"}


def predict(line: bytes, number: int, version: str) -> str:
    """Return the answer to one case, as a line of JSON. Raises OpenError with the line's number."""
    try:
        case = _case(line)
        reading = _reading(case, version)
    except OpenError as error:
        raise OpenError(f"line {number}: {error.message}", error.hint) from None
    return json.dumps({"id": case.get("id")} | answer(reading), separators=(",", ":"))


def answer(reading: QemuReading) -> dict[str, object]:
    """Return what QEMU prints and appends, and the phys_base of a kdump."""
    note = reading.appended
    return {
        "warnings": list(warnings(reading)),
        "appended_length": 0 if note is None else len(note),
        "appended_sha256": None if note is None else sha256(note).hexdigest(),
        "phys_base": hex(reading.phys_base),
    }


def _case(line: bytes) -> dict[str, object]:
    if len(line) > LINE_LIMIT:
        raise OpenError(f"the line has more than {LINE_LIMIT} bytes", "a region has at most 1 MiB")
    try:
        case = json.loads(line)
    except (ValueError, RecursionError):
        raise OpenError("this is not JSON, or it is cut off", CASE) from None
    if not isinstance(case, dict):
        raise OpenError("this is not an object", CASE)
    return case


def _reading(case: dict[str, object], version: str) -> QemuReading:
    machine, bits, order = case.get("machine"), case.get("bits"), _ORDERS.get(_key(case.get("byte_order")))
    if not isinstance(machine, int) or isinstance(machine, bool):
        raise OpenError("`machine` is not a number: use the e_machine of the dump", CASE)
    if bits not in (32, 64) or not isinstance(bits, int):
        raise OpenError("`bits` is neither 32 nor 64", CASE)
    if order is None:
        raise OpenError("`byte_order` is neither little nor big", CASE)
    name = machine_name(machine, bits)
    guest = DumpTarget(name, bits, order, machine_facts(name).qemu.ram_base)
    return QemuReading(_history(case), RegionBytes(_hex(case.get("region"), "region")), guest, version)


def _key(value: object) -> object:
    return value if isinstance(value, str) else None


def _history(case: dict[str, object]) -> EntryHistory:
    entry = _hex(case["entry"], "entry") if case.get("entry") is not None else None
    if entry is not None and len(entry) != LENGTH:
        raise OpenError(f"`entry` has {len(entry)} bytes, an entry {LENGTH}", CASE)
    if "write" not in case:
        if entry is None:
            raise OpenError("there is neither a `write` nor an `entry`", CASE)
        return EntryHistory.of_blob(entry)
    history = history_of(case["write"])
    if entry is None or not history.present or history.raw == entry:
        return history  # the bytes of a note that is not present do not matter: they may be older than these writes
    if entry == RESET:
        return EntryHistory("writes")  # the machine was reset after the write
    raise OpenError("`entry` is not what the write leaves", "leave one of the two out")


def _hex(value: object, name: str) -> bytes:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else bytes.fromhex("?")
    except ValueError:
        raise OpenError(f"`{name}` is not hex digits", CASE) from None
