"""The devices' state of a running VM: QEMU's own view of the entry.

`xen-save-devices-state` (it needs no Xen) writes the state of all devices without RAM, 13 to 47 KB. QEMU stops the
guest for it, about a millisecond, and lets it go on by itself, also if vmci is gone by then. It writes to a file
without a name that vmci hands over, so nothing is left on any disk.
"""

from __future__ import annotations

import os
from typing import Final

from vmci_tui.common.errors import OpenError
from vmci_tui.live.commands import ADD_FILE, REMOVE_FILE, SAVE_DEVICES
from vmci_tui.live.vm import RunningVm

_LIMIT: Final = 16 << 20
"""Bytes of the state that are read; a VM with a hundred CPUs has some hundred KiB."""


def device_state(vm: RunningVm) -> bytes:
    """Return the devices' state, as a QEMU stream without RAM. Raises OpenError, and Refused where QEMU has none."""
    file = os.memfd_create("vmci", os.MFD_CLOEXEC)
    try:
        # QEMU wants a descriptor that can only be written to (monitor/fds.c).
        only_written = os.open(f"/proc/self/fd/{file}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            return _saved(vm, only_written, file)
        finally:
            os.close(only_written)
    finally:
        os.close(file)


def _saved(vm: RunningVm, handed: int, file: int) -> bytes:
    with vm:
        match vm.ask(ADD_FILE, file=handed):
            case {"fdset-id": int(number)} if 0 <= number < 1 << 32:
                pass
            case _:
                raise OpenError(f"{vm.name}: QEMU takes no file", "is this a QEMU?")
        try:
            vm.ask(SAVE_DEVICES, number)
        finally:
            vm.ask(REMOVE_FILE, number)
    if os.fstat(file).st_size > _LIMIT:
        raise OpenError(f"{vm.name}: the state of its devices has more than {_LIMIT >> 20} MiB")
    return os.pread(file, _LIMIT, 0)
