"""A QMP server for tests: it answers as QEMU does, with the memory of a dump, and counts; or it lies."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.paths import DATA
from vmci_tui.containers import Dump
from vmci_tui.kernel.cpus.cpu import cpus_of

DEVICES: Final = (DATA / "live" / "pc.devices").read_bytes()
"""What QEMU 7.2 wrote for xen-save-devices-state: the entry is 4132 bytes at 0x1414000."""
_GREETING: Final = {
    "QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""}, "capabilities": []}
}

Lie = Callable[[dict[str, Any]], bytes | None]
"""Gets a request, and returns what is sent in place of the answer; None for the true answer, b"" to hang up."""


class FakeQemu:
    """The state of the server: what it was asked for, and what it answers."""

    def __init__(self, dump: Dump | None = None) -> None:
        self.dump = dump
        self.greeting = json.dumps(_GREETING).encode() + b"\r\n"
        self.devices = DEVICES
        self.map = (DATA / "live" / "pc.mtree").read_text() if dump is None else flat_view(dump)
        self.named: list[dict[str, str]] = [{"name": "device[0]", "type": "child<vmcoreinfo>"}]
        self.arch = "x86_64"
        self.registers = "" if dump is None else registers(dump)
        self.translated: dict[str, str] = {}
        """What is printed for a virtual address, by the address as it is asked for."""
        self.status = "running"
        self.asked: list[dict[str, Any]] = []
        self.lie: Lie = lambda _request: None
        self.mutate: Callable[[dict[str, Any], bytes], bytes] = lambda _request, said: said
        """Gets a request and its answer, and returns what is sent."""

    @property
    def names(self) -> list[str]:
        """The names of the commands that came, in order."""
        return [request["execute"] for request in self.asked]

    @property
    def pages(self) -> list[int]:
        """The addresses of the pages that were asked for."""
        lines = [request["arguments"].get("command-line", "") for request in self.asked]
        return [
            int(line.split()[-1], 16) + at
            for line in lines if line.startswith("xp ")
            for at in range(0, _words(line) * 8, 4096)
        ]  # fmt: skip

    def serve(self, connection: socket.socket) -> None:
        """Serve one client until it leaves."""
        connection.sendall(self.greeting)
        kept, files = b"", []
        while True:
            data, more, _, _ = socket.recv_fds(connection, 1 << 16, 4)
            files += more
            if not data:
                break
            kept += data
            while b"\n" in kept:
                line, _, kept = kept.partition(b"\n")
                request = json.loads(line)
                self.asked.append(request)
                said = self.lie(request)
                if said == b"":
                    return
                connection.sendall(said if said is not None else self.mutate(request, self._answer(request, files)))
        for file in files:
            os.close(file)

    def _answer(self, request: dict[str, Any], files: list[int]) -> bytes:
        arguments, out = request["arguments"], list[bytes]()
        match request["execute"]:
            case "qmp_capabilities" | "remove-fd" | "getfd" | "closefd":
                value: object = {}
            case "query-status":
                value = {"status": self.status, "running": self.status == "running", "singlestep": False}
            case "query-target":
                value = {"arch": self.arch}
            case "qom-list":
                value = self.named if arguments["path"] == "/machine/peripheral-anon" else []
            case "dump-guest-memory":
                return self._dump(request, files)
            case "add-fd":
                value = {"fdset-id": 0, "fd": 33}
            case "xen-save-devices-state":
                os.write(files[-1], self.devices)
                out = [self._stops(900)]
                value = {}
            case "human-monitor-command":
                value = self._printed(arguments["command-line"])
            case name:
                return failed(request, f"The command {name} has not been found")
        return b"".join([*out, json.dumps({"return": value, "id": request["id"]}).encode() + b"\r\n"])

    def _dump(self, request: dict[str, Any], files: list[int]) -> bytes:
        """Write the dump that the memory is of, whole, to the file that came last, and close that."""
        data = b"" if self.dump is None else self.dump.source.read(0, self.dump.source.size)
        with os.fdopen(files.pop(), "wb") as file:
            try:
                file.write(data)
                file.flush()
            except BrokenPipeError:
                return self._stops(500) + failed(request, "dump: failed to save memory")
        return self._stops(500) + json.dumps({"return": {}, "id": request["id"]}).encode() + b"\r\n"

    def _stops(self, until: int) -> bytes:
        return event("STOP", 100) + event("RESUME", until) if self.status == "running" else b""

    def _printed(self, line: str) -> str:
        if line == "info mtree -f":
            return self.map
        if line == "info registers -a":
            return self.registers
        command, _, address = line.partition(" ")
        if command == "gva2gpa":
            return self.translated.get(address, "Unmapped\r\n")
        paddr, length = int(line.split()[-1], 16), _words(line) * 8
        data = self.memory(paddr, length).ljust(length, b"\0")
        return printed(paddr, data, "big" if self.arch == "s390x" else "little")

    def memory(self, paddr: int, length: int) -> bytes:
        """Return bytes of memory, fewer where there are no more."""
        return b"" if self.dump is None else self.dump.guest_memory.read(self.dump.guest_source, paddr, length)


def with_entry(devices: bytes, paddr: int) -> bytes:
    """Return the state of devices with another address in the entry."""
    at = devices.index(b"vmcoreinfo") + 27
    return devices[:at] + paddr.to_bytes(8, "big") + devices[at + 8 :]


def _words(line: str) -> int:
    """Return how many words of memory are asked for, as `xp /512xg ADDRESS`."""
    return int(line.removeprefix("xp /").partition("xg")[0])


def registers(dump: Dump) -> str:
    """Return what QEMU prints of the registers of x86-64 CPUs that say what runs where."""
    lines = []
    for cpu in cpus_of(dump.notes, dump.machine):
        values = {name: cpu.value(name) or 0 for name in ("rip", "rsp", "rflags", "cs", "cr0", "cr2", "cr3", "cr4")}
        lines += [
            f"\r\nCPU#{cpu.number}",
            "RIP={rip:016x} RSP={rsp:016x} RFL={rflags:08x} [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1",
            "CS ={cs:04x} 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]",
            "CR0={cr0:08x} CR2={cr2:016x} CR3={cr3:016x} CR4={cr4:08x}",
            "EFER=0000000000000d01",
        ]
        lines[-4:] = [line.format(**values) for line in lines[-4:]]
    return "\r\n".join([*lines, ""])


def printed(paddr: int, data: bytes, order: Any = "little") -> str:
    """Return memory as `xp /512xg` prints it, two words of 8 bytes in a line."""
    words = [f"0x{int.from_bytes(data[at : at + 8], order):016x}" for at in range(0, len(data), 8)]
    lines = (f"{paddr + 8 * at:016x}: {' '.join(words[at : at + 2])}\r\n" for at in range(0, len(words), 2))
    return "".join(lines)


def flat_view(dump: Dump) -> str:
    """Return the map of a guest whose RAM is what the dump has, in whole pages."""
    rows = [
        f"  {item.paddr & ~0xFFF:016x}-{(item.end + 0xFFF & ~0xFFF) - 1:016x} (prio 0, ram): pc.ram @{item.paddr:016x}"
        for item in dump.guest_memory.ranges
    ]
    return "\r\n".join(["FlatView #0", ' AS "memory", root: system', " Root memory region: system", *rows, ""])


def event(name: str, microseconds: int) -> bytes:
    """Return an event at that time of a second."""
    at = {"seconds": 1_700_000_000, "microseconds": microseconds}
    return json.dumps({"event": name, "timestamp": at}).encode() + b"\r\n"


def failed(request: dict[str, Any], words: str) -> bytes:
    """Return QEMU's answer to a request that it refuses."""
    return json.dumps({"error": {"class": "GenericError", "desc": words}, "id": request["id"]}).encode() + b"\r\n"


@contextmanager
def serving(fake: FakeQemu, path: Path) -> Iterator[str]:
    """Serve at a socket until the block ends, one client at a time as QEMU does; yield its path."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(4)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    try:
                        fake.serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield str(path)
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)
