"""A QMP session holds against a server that lies, and sends nothing but rows of the table."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live.fake_qemu import FakeQemu, event, failed, serving
from vmci_tui.common.errors import OpenError
from vmci_tui.common.safe_text import Safe
from vmci_tui.live import session as session_module
from vmci_tui.live.commands import COMMANDS, MAP, PAGE, SAVE_DEVICES, STATUS, Command
from vmci_tui.live.session import Refused, Session
from vmci_tui.live.vm import running_vm

_DEADLY = ("qom-list-types", "stop", "cont", "quit", "system_reset", "device_add", "migrate", "qom-set", "eject")
"""Commands of QEMU that end, stop or change a VM; some of many."""


def _session(path: str) -> Session:
    return Session(path, Safe("qmp:VM"), [])


def test_only_rows_of_the_table_are_sent(tmp_path: Path) -> None:
    fake = FakeQemu()
    with serving(fake, tmp_path / "q") as path, _session(path) as session:
        for command in (Command("stop", ""), Command(STATUS.name, "", (("x", "y"),))):
            with pytest.raises(ValueError, match="table"):
                session.ask(command)
        assert session.ask(STATUS) == {"status": "running", "running": True, "singlestep": False}
    assert fake.names == ["qmp_capabilities", "query-status"]
    assert not {command.name for command in COMMANDS} & set(_DEADLY)


def test_a_number_is_all_that_changes_in_a_request() -> None:
    line = json.loads(PAGE.line(7, 0x1414000))
    assert line == {
        "execute": "human-monitor-command", "arguments": {"command-line": "xp /512xg 0x1414000"}, "id": 7,
    }  # fmt: skip
    assert json.loads(SAVE_DEVICES.line(1, 12))["arguments"] == {"filename": "/dev/fdset/12", "live": False}
    assert PAGE.shown() == "human-monitor-command xp /512xg N"


def test_the_monitor_gets_five_lines_only() -> None:
    lines = [dict(command.arguments)["command-line"] for command in COMMANDS if command.name.startswith("human")]
    reading = ["info mtree -f", "xp /512xg {paddr}", "xp /4096xg {paddr}", "info registers -a"]
    assert lines == [*reading, "gva2gpa {address}"]


_LIES: dict[str, bytes] = {
    "not JSON": b"login: \r\n",
    "a list": b"[1]\r\n",
    "neither": b'{"QMP": 1}\r\n',
    "deep": b"[" * 100_000 + b"\r\n",
    "a number of a million digits": b'{"return": ' + b"9" * 1_000_000 + b"}\r\n",
    "another id": b'{"return": {}, "id": 99}\r\n',
    "events without end": event("BLOCK_JOB_READY", 1) * 1500,
    "a line without end": b" " * (9 << 20),
    "ends": b"",
}


@pytest.mark.parametrize("lie", _LIES)
def test_a_lie_is_one_error(tmp_path: Path, lie: str) -> None:
    fake = FakeQemu()
    fake.lie = lambda request: _LIES[lie] if request["execute"] == "query-status" else None
    with serving(fake, tmp_path / "q") as path, _session(path) as session:
        with pytest.raises(OpenError) as raised:
            session.ask(STATUS)
        assert not isinstance(raised.value, Refused) and not session.usable
        assert "\n" not in str(raised.value) and raised.value.exit_code == 3


@pytest.mark.parametrize("greeting", [b"SSH-2.0\r\n", b"{}\r\n", b'{"QMP": {"version": {"qemu": {"major": "7"}}}}\r\n'])
def test_a_server_that_is_not_qemu(tmp_path: Path, greeting: bytes) -> None:
    fake = FakeQemu()
    fake.greeting = greeting
    with serving(fake, tmp_path / "q") as path, pytest.raises(OpenError):
        _session(path)


def test_a_silent_server_may_serve_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_GREETING", 0.1)
    fake = FakeQemu()
    with serving(fake, tmp_path / "q") as path, _session(path), pytest.raises(OpenError, match="one at a time"):
        _session(path)


def test_an_answer_that_never_comes(tmp_path: Path) -> None:
    fake = FakeQemu()
    fake.lie = lambda request: event("RTC_CHANGE", 5) if request["execute"] == "query-status" else None
    with serving(fake, tmp_path / "q") as path, _session(path) as session:
        began = time.monotonic()
        with pytest.raises(OpenError, match="does not answer"):
            session.ask(STATUS, patience=0.1)
        assert time.monotonic() - began < 2


def test_events_before_an_answer_and_refusals(tmp_path: Path) -> None:
    def lie(request: dict[str, Any]) -> bytes | None:
        if request["execute"] == "query-status":
            answer = json.dumps({"return": 1, "id": request["id"]}).encode()
            return event("STOP", 100) + event("RESUME", 600) + answer + b"\r\n"
        return failed(request, "no\x1b[2J") if "mtree" in str(request) else None

    fake = FakeQemu()
    fake.lie = lie
    with serving(fake, tmp_path / "q") as path, _session(path) as session:
        assert session.ask(STATUS) == 1
        assert (session.stops.times, round(session.stops.milliseconds, 3)) == (1, 0.5)
        with pytest.raises(Refused, match=r"no\\x1b"):
            session.ask(MAP)
        assert session.usable and session.ask(STATUS) == 1


def test_no_socket_and_no_listener(tmp_path: Path) -> None:
    with pytest.raises(OpenError, match="no such file"):
        _session(str(tmp_path / "none"))
    with pytest.raises(OpenError):
        _session("/" + "x" * 200)


def test_closing_does_not_wait_for_a_vm_that_hangs(tmp_path: Path) -> None:
    fake, asked, goes_on = FakeQemu(), threading.Event(), threading.Event()

    def hang(request: dict[str, Any]) -> None:
        if request["execute"] == "query-status":
            asked.set()
            goes_on.wait(60)

    fake.lie = hang
    with serving(fake, tmp_path / "q") as path:
        vm, errors = running_vm(f"qmp:{path}"), list[OpenError]()

        def ask() -> None:
            try:
                vm.ask(STATUS)
            except OpenError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        asked.wait(60)
        vm.close()
        thread.join(60)
        assert len(errors) == 1 and not goes_on.is_set()
        goes_on.set()


@pytest.mark.parametrize(
    ("error", "hint"),
    [(PermissionError(13, "x"), "as the user who runs that QEMU"), (ConnectionRefusedError(111, "x"), "ended")],
)
def test_no_connection(error: OSError, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(socket.socket):
        def connect(self, _: object) -> None:
            raise error

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(OpenError, match=hint) as raised:
        _session(str(tmp_path / "q"))
    assert "\n" not in str(raised.value)
