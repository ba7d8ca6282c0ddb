"""Read QEMU's own state of the fw_cfg entry from a stream: the section `vmcoreinfo` (QEMU hw/misc/vmcoreinfo.c)."""

from __future__ import annotations

import struct
from typing import Final

from vmci_tui.formats.fw_cfg_entry import FORMAT_ELF, Entry, EntryHistory

NAME: Final = "vmcoreinfo"
LENGTH: Final = 17
"""Bytes of the state: has_vmcoreinfo, then the four fields, big-endian."""
_STATE: Final = struct.Struct(">?HHIQ")


def entry_of(state: bytes) -> EntryHistory | None:
    """Return the entry that the state of the device has; None without one.

    The fields are little-endian in QEMU's memory, and a big-endian host writes them without a change.
    """
    if len(state) < LENGTH:
        return None
    present, *fields = _STATE.unpack(state[:LENGTH])
    swapped = fields[1] == FORMAT_ELF << 8
    raw = state[1:LENGTH] if swapped else Entry(*fields).pack()
    history = EntryHistory.of_blob(raw, "stream")
    return EntryHistory(history.origin, history.writes, present)
