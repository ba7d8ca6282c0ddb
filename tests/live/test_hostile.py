"""Mutated answers of a QMP server: a VM opens, or the answer is one error, and only rows of the table are sent."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.fake_qemu import FakeQemu, serving, with_entry
from tests.live.recorded_vm import RecordedVm
from tests.paths import SAMPLES
from vmci_tui.adoption.choose import search
from vmci_tui.common.errors import VmciError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import guest_of
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import FileSource
from vmci_tui.live import session as session_module
from vmci_tui.live.commands import COMMANDS
from vmci_tui.opening.open_file import open_document
from vmci_tui.search.entry_region import region_of

_SEED = 20261130
_NOTE = 0x19C8000
"""Where the note is in memory."""
_MOST_ASKED = 400
"""Requests to a VM that is opened and whose note is looked for."""
_VALUES: tuple[object, ...] = (
    None, True, -1, 1 << 70, 1.5, "", "\0\x1b[2J", "x" * 70_000, [], [[]], {}, {"return": {}}, {"arch": "s390x"},
    {"fdset-id": 1 << 40}, {"status": 3, "running": "yes"}, "0000000000000000: 0x0000000000000000\r\n" * 300,
)  # fmt: skip


class Mutated:
    """Changes the answers of a server at random: their values, their bytes, or the state of the devices."""

    def __init__(self, fake: FakeQemu, seed: int) -> None:
        self._random = random.Random(seed)
        self._rate = self._random.choice((0.02, 0.12))
        fake.devices = self._damaged(with_entry(fake.devices, _NOTE))
        if self._random.random() < 0.3:
            fake.map = self._damaged(fake.map.encode()).decode("latin-1")
        fake.mutate = self._mutated

    def _damaged(self, data: bytes) -> bytes:
        out = bytearray(data)
        for _ in range(self._random.choice((0, 1, 8, 64))):
            at = self._random.randrange(len(out) + 1)
            out[at : at + self._random.choice((0, 1, 40))] = self._random.randbytes(self._random.choice((0, 1, 9)))
        return bytes(out)

    def _mutated(self, request: dict[str, Any], said: bytes) -> bytes:
        match self._random.random():
            case chance if chance < self._rate / 2:
                return json.dumps({"return": self._random.choice(_VALUES), "id": request["id"]}).encode() + b"\r\n"
            case chance if chance < self._rate:
                return self._damaged(said)
        return said


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PATIENCE", 0.2)
    monkeypatch.setattr(session_module.Session.ask, "__defaults__", (0, None, 0.2))


@pytest.fixture
def dump() -> Iterator[Any]:
    with FileSource(str(SAMPLES / "amd64-cut-note.elf")) as file:
        yield open_dump(file)


@pytest.mark.parametrize("count", [60, pytest.param(5000, marks=pytest.mark.long)])
@pytest.mark.usefixtures("_quick")
def test_mutated_answers(tmp_path: Path, dump: Any, count: int) -> None:
    allowed, opened = {command.name for command in COMMANDS}, 0
    for number in range(count):
        fake = RecordedVm("riscv64-612") if number % 4 == 3 else FakeQemu(dump)
        Mutated(fake, _SEED + number)
        with serving(fake, tmp_path / "q") as path:
            try:
                with open_document(f"qmp:{path}", choice=ImageChoice(stop=number % 2 == 0)) as document:
                    opened += 1
                    region_of(document)
                    assert document.dump is not None
                    for item in search(guest_of(document.dump), no_progress):
                        assert item.proof.proved is not None or item.proof.why, number
            except VmciError as error:
                assert "\n" not in str(error), number
        os.unlink(tmp_path / "q")
        assert set(fake.names) <= allowed, number
        assert len(fake.asked) < _MOST_ASKED, number
    assert 0 < opened < count
