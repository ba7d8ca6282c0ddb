"""A dump of a running VM through a pipe: whole, or given up with the guest as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.fake_qemu import FakeQemu, event, failed, serving
from tests.paths import SAMPLES
from vmci_tui.common.errors import Cancelled, OpenError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers import open_dump
from vmci_tui.layers.file import FileSource
from vmci_tui.live.session import Refused
from vmci_tui.live.take_dump import take_dump
from vmci_tui.live.vm import running_vm

_DUMP = SAMPLES / "amd64-cut-note.elf"


@pytest.fixture
def fake() -> Iterator[FakeQemu]:
    with FileSource(str(_DUMP)) as file:
        yield FakeQemu(open_dump(file))


def test_the_file_is_what_qemu_wrote(tmp_path: Path, fake: FakeQemu) -> None:
    seen: list[int] = []
    with serving(fake, tmp_path / "q") as path, (tmp_path / "out").open("wb") as out:
        vm = running_vm(f"qmp:{path}")
        taken = take_dump(vm, out.fileno(), _DUMP.stat().st_size, lambda _what, done, _all: seen.append(done))
        vm.close()
    assert (tmp_path / "out").read_bytes() == _DUMP.read_bytes()
    assert taken.size == _DUMP.stat().st_size == seen[-1] and round(taken.stopped_ms, 2) == 0.4
    assert fake.names[1:] == ["query-status", "getfd", "dump-guest-memory", "query-status"]


def test_a_cancelled_dump_closes_the_pipe_and_leaves_the_session(tmp_path: Path, fake: FakeQemu) -> None:
    def stop(_what: str, _done: int, _total: int) -> None:
        raise Cancelled("stopped")

    with serving(fake, tmp_path / "q") as path, (tmp_path / "out").open("wb") as out:
        vm = running_vm(f"qmp:{path}")
        with pytest.raises(Cancelled):
            take_dump(vm, out.fileno(), 1, stop)
        assert fake.names[-1] == "query-status" and vm.stops.times == 1
        vm.close()


def test_a_machine_that_qemu_cannot_dump(tmp_path: Path, fake: FakeQemu) -> None:
    words = "this feature or command is not currently supported"
    fake.lie = lambda request: failed(request, words) if request["execute"] == "dump-guest-memory" else None
    with serving(fake, tmp_path / "q") as path, (tmp_path / "out").open("wb") as out:
        vm = running_vm(f"qmp:{path}")
        with pytest.raises(Refused, match="not currently supported"):
            take_dump(vm, out.fileno(), 1, no_progress)
        assert fake.names[-2:] == ["closefd", "query-status"]
        vm.close()


def test_a_guest_that_is_left_stopped_is_said(tmp_path: Path, fake: FakeQemu) -> None:
    def lie(request: dict[str, object]) -> bytes | None:
        if request["execute"] == "dump-guest-memory":
            fake.status = "paused"
        return None

    fake.lie = lie
    with serving(fake, tmp_path / "q") as path, (tmp_path / "out").open("wb") as out:
        vm = running_vm(f"qmp:{path}")
        with pytest.raises(OpenError, match="running before the dump, and is paused"):
            take_dump(vm, out.fileno(), 1, no_progress)
        vm.close()


def test_a_vm_that_ends_while_it_is_dumped(tmp_path: Path, fake: FakeQemu) -> None:
    fake.lie = lambda request: b"" if request["execute"] == "dump-guest-memory" else None
    with serving(fake, tmp_path / "q") as path, (tmp_path / "out").open("wb") as out:
        vm = running_vm(f"qmp:{path}")
        with pytest.raises(OpenError):
            take_dump(vm, out.fileno(), 1, no_progress)
        vm.close()
    assert os.path.getsize(tmp_path / "out") == 0


def test_events_come_before_the_end(tmp_path: Path, fake: FakeQemu) -> None:
    events = event("STOP", 5) + event("DUMP_COMPLETED", 6)
    answer = b'{"return": {}, "id": 4}\r\n'
    fake.lie = lambda request: events + answer if request["execute"] == "dump-guest-memory" else None
    with serving(fake, tmp_path / "q") as path, (tmp_path / "out").open("wb") as out:
        vm = running_vm(f"qmp:{path}")
        assert take_dump(vm, out.fileno(), 1, no_progress).size == 0
        vm.close()
