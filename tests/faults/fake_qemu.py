"""A fake QEMU: it answers by QMP and qtest up to a point, then sends something hostile.

Run as `fake_qemu.py KIND ARGUMENTS...`, with the arguments that vmci gives to QEMU.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from itertools import repeat
from typing import Any

ESCAPES = "\x1b]0;taken\x07\x1b[31mred\u202e\x9b1m\\x1b"
GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ESCAPES}, "capabilities": []}}
VERSION = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ESCAPES}


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def flood(channel: socket.socket, part: bytes) -> None:
    for item in repeat(part):
        channel.sendall(item)


def answering(version: object) -> Callable[[socket.socket], None]:
    """Serve a monitor with this answer to query-version; send an `error` as an error."""

    def talk(channel: socket.socket) -> None:
        channel.sendall(line(GREETING))
        while request := channel.recv(65536):  # the client ends no line, and waits for each answer
            asked: dict[str, Any] = json.loads(request)
            answer: object = {} if asked["execute"] == "qmp_capabilities" else version
            kind = "error" if isinstance(answer, dict) and "class" in answer else "return"
            channel.sendall(line({kind: answer, "id": asked.get("id")}))

    return talk


def saying(*parts: bytes, ever: bool = False) -> Callable[[socket.socket], None]:
    """Serve a channel that answers any request with these parts, and repeats the last one without end."""

    def talk(channel: socket.socket) -> None:
        for part in parts:
            channel.sendall(part)
        if ever:
            flood(channel, parts[-1])

    return talk


def die(_channel: socket.socket) -> None:
    sys.stderr.write(f"first\n{ESCAPES}\n")
    os._exit(1)


def shout(_channel: socket.socket) -> None:
    while True:
        os.write(2, b"warning: " + ESCAPES.encode() + b"\n" + b"x" * 60_000)


def shout_and_die(channel: socket.socket) -> None:
    threading.Timer(0.2, channel.close).start()
    threading.Timer(0.3, os._exit, (1,)).start()
    shout(channel)


Kind = dict[str, Callable[[socket.socket], None]]
GOOD: Kind = {"qmp": answering(VERSION)}
EVENT = line({"event": ESCAPES, "data": {"a": ESCAPES}, "timestamp": {"seconds": 1, "microseconds": 1}})
ERROR = {"class": "GenericError", "desc": ESCAPES + "x" * 100_000}
KINDS: dict[str, Kind] = {
    "dies with escapes": {"qmp": die},
    "shouts and dies": {"qmp": shout_and_die},
    "greets with escapes": {"qmp": saying(ESCAPES.encode() + b"\n")},
    "greets with a text": {"qmp": saying(line(ESCAPES))},
    "greets with escapes as keys": {"qmp": saying(line({ESCAPES: {ESCAPES: 5}}))},
    "greets deeply": {"qmp": saying(b"[" * 200_000 + b"\n")},
    "greets with digits": {"qmp": saying(b'{"QMP": ' + b"9" * 5000 + b"}\n")},
    "greets without end": {"qmp": saying(b"x" * 65536, ever=True)},
    "greets with what is not UTF-8": {"qmp": saying(b"\xff\xfe\n")},
    "never says a word": {"qmp": lambda channel: time.sleep(60)},
    "floods events": {"qmp": saying(line(GREETING), EVENT * 100, ever=True)},
    "answers with an error": {"qmp": answering(ERROR)},
    "has a version of text": {"qmp": answering({"qemu": {"major": ESCAPES, "minor": 1, "micro": 1}})},
    "has a giant version": {"qmp": answering({"qemu": {"major": 10**4000, "minor": 1, "micro": 1}})},
    "has no version": {"qmp": answering({})},
    "has a list for a version": {"qmp": answering([ESCAPES])},
    "qtest: escapes": GOOD | {"qtest": saying(ESCAPES.encode() + b"\n")},
    "qtest: only OK": GOOD | {"qtest": saying(b"OK\n" * 100)},
    "qtest: OK and escapes": GOOD | {"qtest": saying(b"OK " + ESCAPES.encode() + b"\n", ever=True)},
    "qtest: no line": GOOD | {"qtest": saying(b"x" * 65536, ever=True)},
    "qtest: no bytes": GOOD | {"qtest": saying(b"OK AA==\n", ever=True)},
}


def main(kind: str, arguments: list[str]) -> None:
    numbers = dict(re.findall(r"socket,id=(\w+),fd=(\d+)", " ".join(arguments)))
    threads = [
        threading.Thread(target=KINDS[kind][name], args=(socket.socket(fileno=int(number)),))
        for name, number in numbers.items()
        if name in KINDS[kind]
    ]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
