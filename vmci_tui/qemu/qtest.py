"""The qtest protocol: reads and writes of guest memory and of I/O ports, a line each (softmmu/qtest.c)."""

from __future__ import annotations

import base64
import socket
from typing import Final

from vmci_tui.qemu import QemuError
from vmci_tui.qemu.process import QemuProcess

_PIECE: Final = 1 << 16
"""Bytes of memory in one line."""
_LONGEST: Final = 2 * _PIECE
"""Bytes of an answer: a piece in base64, with some room."""
TOP: Final = 1 << 64


class QTest:
    """Guest memory and ports as the guest's CPU sees them, while it is stopped."""

    def __init__(self, process: QemuProcess) -> None:
        self._process = process
        self._socket: socket.socket = process.sockets["qtest"]
        self._held = bytearray()

    def _ask(self, line: str) -> list[str]:
        """Send a line; return the words of the answer after `OK`. Raises QemuError."""
        try:
            self._socket.settimeout(self._process.seconds_left)
            self._socket.sendall(line.encode() + b"\n")
            while b"\n" not in self._held:
                self._socket.settimeout(self._process.seconds_left)
                part = self._socket.recv(1 << 17)
                if not part:
                    raise self._process.end_error()
                self._held += part
                if len(self._held) > _LONGEST:
                    raise QemuError("QEMU's qtest sends a line that does not end", "is this a QEMU?")
        except TimeoutError:
            raise QemuError(f"QEMU did not answer within {self._process.seconds:g} seconds") from None
        except OSError:
            raise self._process.end_error() from None
        answer, _, rest = self._held.partition(b"\n")
        self._held = rest
        words = answer.decode("latin-1").split()
        if not words or words[0] != "OK":
            raise QemuError(f"QEMU's qtest did not accept `{line.split(' ')[0]}`")
        return words[1:]

    def read(self, paddr: int, length: int) -> bytes:
        """Read guest memory; zeros where there is none. After the last address it continues at 0."""
        out = bytearray()
        while len(out) < length:
            at = (paddr + len(out)) % TOP
            count = min(length - len(out), _PIECE, TOP - at)
            part = _decoded(self._ask(f"b64read {at:#x} {count:#x}"))
            if len(part) != count:
                raise QemuError(f"QEMU's qtest was asked for {count} bytes of memory and returned {len(part)}")
            out += part
        return bytes(out)

    def write(self, paddr: int, data: bytes) -> None:
        """Write guest memory; addresses that are not RAM do not keep the bytes."""
        at = 0
        while at < len(data):
            place = (paddr + at) % TOP
            part = data[at : at + min(_PIECE, TOP - place)]
            self._ask(f"b64write {place:#x} {len(part):#x} {base64.b64encode(part).decode()}")
            at += len(part)

    def outl(self, port: int, value: int) -> None:
        self._ask(f"outl {port:#x} {value:#x}")

    def writeq(self, paddr: int, value: int) -> None:
        self._ask(f"writeq {paddr:#x} {value:#x}")


def _decoded(words: list[str]) -> bytes:
    """Decode an answer in base64; empty if it is something else."""
    try:
        return base64.b64decode(words[0], validate=True)
    except (IndexError, ValueError):
        return b""
