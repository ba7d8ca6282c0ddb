"""Take a dump of a running VM: QEMU writes it into a pipe, and vmci into a file.

By the pipe QEMU notices at once when vmci ends, also by SIGKILL: it then gives up the dump and lets the guest go on.
A dump that QEMU writes into a file itself keeps the guest stopped until its end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from typing import Final, NamedTuple

from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import Progress
from vmci_tui.live.commands import CLOSE_FILE, DUMP, NAME_FILE, STATUS
from vmci_tui.live.session import Refused
from vmci_tui.live.vm import AnySession, RunningVm

_PIPE: Final = 1 << 20
"""Bytes of the pipe, as many as Linux allows without rights: QEMU writes pages of 4 KiB."""
_BLOCK: Final = 64 << 10
"""Bytes that become a hole of the file if they are all zero."""
_ZEROS: Final = bytes(_BLOCK)
_PATIENCE: Final = 60.0
"""Seconds without a byte from QEMU, after which the dump is given up."""
_LEAVE: Final = 10.0
"""Seconds for QEMU to notice that the pipe was closed."""
BYTES_A_SECOND: Final = 150 << 20
"""How fast QEMU dumps a running guest, by which the user is told how long it will stand still: 2 GiB in 13 s were
seen on a busy machine."""


class TakenDump(NamedTuple):
    """A dump that QEMU has written."""

    size: int
    stopped_ms: float
    """How long the guest stood still; 0 if it did not run."""


def seconds_for(memory: int) -> float:
    """Return about how many seconds a guest with `memory` bytes stands still for a dump."""
    return memory / BYTES_A_SECOND


def take_dump(vm: RunningVm, file: int, memory: int, progress: Progress) -> TakenDump:
    """Write an ELF dump of all memory into the open file, zeros as holes; `memory` is about its size.

    The guest is stopped meanwhile, and afterwards as it was before. Raises OpenError, OSError, and the error of
    `progress`; the dump is then given up.
    """
    with vm as session:
        before, stopped = run_state(session), session.stops.milliseconds
        try:
            size = _copy(session, file, memory, progress)
        finally:
            if session.usable:
                refuse_other_state(session, before)
        return TakenDump(size, session.stops.milliseconds - stopped)


def run_state(session: AnySession) -> str:
    """Return the run state of the guest, as QEMU names it. Raises OpenError."""
    match session.ask(STATUS):
        case {"status": str(status)}:
            return status if status.isascii() and status.isprintable() else "in an unknown state"
    raise OpenError(f"{session.name} does not say whether its guest runs", "is this a QEMU?")


def refuse_other_state(session: AnySession, before: str) -> None:
    """Raise OpenError if the guest is not in the state in which it was before its dump."""
    if (after := run_state(session)) != before:
        raise OpenError(f"{session.name}: the guest was {before} before the dump, and is {after} now", "see its log")


def _copy(session: AnySession, file: int, memory: int, progress: Progress) -> int:
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # more than the user's share
            fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            session.ask(NAME_FILE, file=theirs)
        finally:
            os.close(theirs)
        session.send(DUMP)
        try:
            size = _drain(session, ours, file, memory, progress)
        except BaseException:
            os.close(ours)
            ours = -1
            with contextlib.suppress(OpenError):  # QEMU reports the closed pipe, which was intended
                session.answer(_LEAVE)
            raise
        try:
            session.answer(_PATIENCE)
        except Refused:
            with contextlib.suppress(Refused):
                session.ask(CLOSE_FILE)
            raise
        return size
    finally:
        if ours >= 0:
            os.close(ours)


def _drain(session: AnySession, pipe: int, file: int, memory: int, progress: Progress) -> int:
    """Write what comes by the pipe until QEMU closes it, or answers instead; return the size of the file."""
    size, kept, buffer = 0, 0, bytearray(_BLOCK)
    view = memoryview(buffer)
    while True:
        ready, _, _ = select.select([pipe, session], [], [], _PATIENCE)
        if not ready:
            raise OpenError(f"{session.name}: nothing of the dump came for {_PATIENCE:.0f} seconds")
        if pipe not in ready and session.answered():
            break
        if pipe not in ready:
            continue
        got = os.readv(pipe, [view[kept:]])
        kept += got
        if got and kept < _BLOCK:
            continue
        if kept:
            if buffer[:kept] != _ZEROS[:kept]:
                os.pwrite(file, view[:kept], size)
            size, kept = size + kept, 0
            progress("dump", size, max(memory, size))
        if not got:
            break
    os.ftruncate(file, size)
    return size
