"""What QEMU itself knows of a running VM: the entry, and the notes that a dump would have.

Both come by a file without a name, which vmci hands over, so nothing is left on any disk. Through libvirt the entry
comes by a file that vmci makes and removes. QEMU stops the guest for each, less than a millisecond, and lets it go on
by itself, also if vmci is gone by then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.live.commands import (
    ADD_FILE,
    CLOSE_FILE,
    DUMP_HEAD,
    NAME_FILE,
    REMOVE_FILE,
    SAVE_DEVICES,
    SAVE_DEVICES_TO,
)
from vmci_tui.live.session import Refused
from vmci_tui.live.shared_file import shared_file
from vmci_tui.live.virsh import VirshSession
from vmci_tui.live.vm import RunningVm

_LIMIT: Final = 16 << 20
"""Bytes that are read of either file; a VM with a hundred CPUs has some hundred KiB."""


class _Handed(NamedTuple):
    """A file in memory, by two descriptors."""

    file: int
    for_qemu: int
    """Can only be written to, as QEMU wants it (monitor/fds.c)."""


def device_state(vm: RunningVm) -> bytes:
    """Return the state of all devices, as a migration stream without RAM: the entry is in it.

    `xen-save-devices-state` needs no Xen; it writes 13 to 47 KB. Raises OpenError, and Refused where QEMU has no such
    command, or cannot write to the file.
    """
    if not vm.hands_over:
        return _by_name(vm)
    with _handed() as handed, vm as session:
        match session.ask(ADD_FILE, file=handed.for_qemu):
            case {"fdset-id": int(number)} if 0 <= number < 1 << 32:
                pass
            case _:
                raise OpenError(f"{vm.name}: QEMU takes no file", "is this a QEMU?")
        try:
            session.ask(SAVE_DEVICES, number)
        finally:
            if session.usable:
                session.ask(REMOVE_FILE, number)
        return _read(vm, handed.file)


def dump_head(vm: RunningVm, paddr: int) -> bytes:
    """Return an ELF dump of the byte at `paddr`: its head is that of a whole dump, with all notes.

    Raises OpenError, and Refused where QEMU cannot dump this machine.
    """
    with _handed() as handed, vm as session:
        session.ask(NAME_FILE, file=handed.for_qemu)
        try:
            session.ask(DUMP_HEAD, paddr)
        except Refused:
            with suppress(Refused):  # QEMU may have closed it
                session.ask(CLOSE_FILE)
            raise
        return _read(vm, handed.file)


def _by_name(vm: RunningVm) -> bytes:
    """Return the state of all devices, for which QEMU opens a file by its name."""
    with vm as session:
        assert isinstance(session, VirshSession)
        with shared_file(session.owner) as shared:
            session.ask(SAVE_DEVICES_TO, path=shared.path)
            data = _read(vm, shared.file)
    if not data:
        raise Refused(f"{vm.name}: QEMU wrote nothing on this machine: is the domain on another one?")
    return data


def _read(vm: RunningVm, file: int) -> bytes:
    if os.fstat(file).st_size > _LIMIT:
        raise OpenError(f"{vm.name}: QEMU wrote more than {_LIMIT >> 20} MiB", "is this a QEMU?")
    return os.pread(file, _LIMIT, 0)


@contextmanager
def _handed() -> Iterator[_Handed]:
    file = os.memfd_create("vmci", os.MFD_CLOEXEC)
    try:
        for_qemu = os.open(f"/proc/self/fd/{file}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            yield _Handed(file, for_qemu)
        finally:
            os.close(for_qemu)
    finally:
        os.close(file)
