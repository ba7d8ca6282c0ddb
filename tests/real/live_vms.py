"""Real VMs for tests of `qmp:SOCKET`: started, asked on a socket of their own, and ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.paths import ROOT

_FOLDER: Final = Path(os.environ.get("VMCI_VERSIONS", ROOT / ".versions"))
_LIMIT: Final = 60.0
"""Seconds for a VM to open its socket, on a busy machine."""


def programs(name: str, machine: str = "") -> list[str]:
    """Return the installed QEMU of this name, and those of other releases in `VMCI_VERSIONS` that have a machine."""
    others = sorted({str(path.resolve()) for path in _FOLDER.glob(f"*/run/{name}")})
    return [name, *(other for other in others if f"{machine} " in _machines(other))]


def _machines(program: str) -> str:
    return subprocess.run([program, "-machine", "help"], capture_output=True, text=True, timeout=_LIMIT).stdout


class Vm(NamedTuple):
    """A VM with two sockets: one for vmci, one for the test, which sees every event."""

    path: str
    watch: socket.socket
    process: subprocess.Popen[bytes]

    def ask(self, command: str, **arguments: object) -> Any:
        """Ask by the test's own socket; return the answer."""
        return self.asked(command, **arguments)[0]

    def asked(self, command: str, **arguments: object) -> tuple[Any, list[dict[str, Any]]]:
        """Return the answer, and the events since the last request."""
        self.watch.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        kept, events = b"", list[dict[str, Any]]()
        while True:
            kept += self.watch.recv(1 << 16)
            while b"\n" in kept:
                line, _, kept = kept.partition(b"\n")
                message = json.loads(line)
                if "event" in message:
                    events.append(message)
                elif "QMP" not in message:
                    return message["return"], events

    def stops(self) -> tuple[int, float]:
        """Return how often and for how many milliseconds it was stopped since the last request."""
        events = self.asked("query-status")[1]
        stops, resumes = ([_milliseconds(e) for e in events if e["event"] == name] for name in ("STOP", "RESUME"))
        assert len(stops) == len(resumes)
        return len(stops), sum(resumes) - sum(stops)

    @property
    def running(self) -> bool:
        """Whether its guest runs, and the VM answers."""
        return bool(self.ask("query-status")["running"])


def _milliseconds(event: dict[str, Any]) -> float:
    at = event["timestamp"]
    return float(at["seconds"] * 1000 + at["microseconds"] / 1000)


@contextmanager
def started(folder: Path, program: str, *arguments: str) -> Iterator[Vm]:
    """Start a VM with two QMP sockets in `folder`, and end it with the block."""
    paths = [str(folder / name) for name in ("vmci.qmp", "test.qmp")]
    sockets = [word for path in paths for word in ("-qmp", f"unix:{path},server=on,wait=off")]
    command = [program, "-nodefaults", "-display", "none", "-accel", "tcg", *arguments, *sockets]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + _LIMIT
        with socket.socket(socket.AF_UNIX) as watch:
            watch.settimeout(_LIMIT)
            while watch.connect_ex(paths[1]):
                assert process.poll() is None and time.monotonic() < end, "the VM did not start"
                time.sleep(0.02)
            vm = Vm(paths[0], watch, process)
            vm.ask("qmp_capabilities")
            yield vm
    finally:
        process.kill()
        process.wait()
        for path in paths:
            Path(path).unlink(missing_ok=True)
