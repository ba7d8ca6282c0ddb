"""QEMU's monitor through the `qemu.qmp` package, for callers that are not asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar

from vmci_tui.common.safe_text import visible
from vmci_tui.common.signals import signals_blocked
from vmci_tui.qemu import QemuError
from vmci_tui.qemu.process import QemuProcess

try:
    from qemu.qmp import ConnectError, ExecInterruptedError, QMPClient, QMPError
except ImportError:
    raise QemuError("asking QEMU needs the Python package qemu.qmp", "pip install 'vmci-tui[ask]'") from None

KDUMP_HEAD: Final = 1 << 13
"""Bytes that hold both headers of a flattened kdump."""
_ELF_LIMIT: Final = 1 << 23
_PATIENCE: Final = 5
"""Seconds for the client to close its socket."""
_LONGEST_WORDS: Final = 300
"""Characters of an error from QEMU."""

T = TypeVar("T")


class Monitor:
    """A QMP session."""

    def __init__(self, process: QemuProcess) -> None:
        self._process = process
        with signals_blocked():  # a loop that is half made complains on stderr when it goes
            self._loop = asyncio.new_event_loop()
        self._client = QMPClient("vmci")
        # Errors come as exceptions; the client's log lines would go to the user's screen.
        self._client.logger.disabled = True
        # Events are not used, and the client would keep them all.
        self._client.events.event_filter = lambda _event: False

    def close(self) -> None:
        """End the session and its loop, in any state."""
        try:
            self._loop.run_until_complete(self._leave())
        finally:
            self._loop.close()

    async def _leave(self) -> None:
        # QEMU has ended, so this is quick; an error of the session was reported where it happened.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._client.disconnect(), _PATIENCE)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def connect(self) -> tuple[int, int, int]:
        """Connect; return the version of QEMU."""
        sock = self._process.sockets["qmp"]
        sock.setblocking(False)
        self._run(partial(self._client.connect, sock))
        answer: object = self._run(partial(self._client.execute, "query-version"))
        match answer:
            case {"qemu": {"major": int(major), "minor": int(minor), "micro": int(micro)}}:
                if all(number in range(1000) for number in (major, minor, micro)):
                    return major, minor, micro
        raise QemuError("QEMU's monitor does not say its version", "is this a QEMU?")

    def dump_elf(self, begin: int, length: int) -> bytes:
        """Make an ELF dump of a window of guest memory."""
        with tempfile.TemporaryFile() as file:
            self._run(partial(self._dump, file.fileno(), begin=begin, length=length))
            return os.pread(file.fileno(), _ELF_LIMIT, 0)

    def dump_kdump_head(self) -> bytes:
        """Return the first bytes of a flattened kdump of all memory; closing the pipe stops QEMU from writing more."""
        return self._run(self._kdump_head)

    async def _kdump_head(self) -> bytes:
        read, write = os.pipe()
        reader = asyncio.StreamReader()
        transport, _ = await self._loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader, loop=self._loop), os.fdopen(read, "rb", 0)
        )
        dump = asyncio.ensure_future(self._dump(write, format="kdump-zlib"))
        try:
            head = asyncio.ensure_future(reader.readexactly(KDUMP_HEAD))
            await asyncio.wait((dump, head), return_when=asyncio.FIRST_COMPLETED)
            if not head.done():
                dump.result()  # it ended too soon: this raises the reason
            return await head
        finally:
            transport.close()
            os.close(write)
            # QEMU reports the closed pipe as an error; it was intended.
            await asyncio.gather(dump, return_exceptions=True)

    async def _dump(self, file: int, **how: object) -> None:
        self._client.send_fd_scm(file)
        await self._client.execute("getfd", {"fdname": "dump"})
        await self._client.execute("dump-guest-memory", {"paging": False, "protocol": "fd:dump", **how})

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        left = self._process.seconds_left
        with signals_blocked():  # a coroutine that no task has yet complains on stderr when it goes
            task = self._loop.create_task(work())
            bounded = self._loop.create_task(asyncio.wait_for(task, left))
        try:
            return self._loop.run_until_complete(bounded)
        except TimeoutError:
            raise QemuError(f"QEMU did not answer within {self._process.seconds:g} seconds") from None
        except (EOFError, ConnectError, ExecInterruptedError):
            raise self._process.end_error() from None
        except (QMPError, OSError) as error:
            raise QemuError(f"QEMU's monitor: {visible(str(error)[:_LONGEST_WORDS])}") from None
        except (RecursionError, ValueError, asyncio.IncompleteReadError):
            raise QemuError("QEMU's monitor does not speak QMP", "is this a QEMU?") from None
