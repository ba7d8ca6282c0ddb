"""`vmci convert` of a running VM: asks before the guest stops, and writes what QEMU dumps, repaired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import json_changes
import pytest

from tests.json_shapes import wrong
from tests.live.fake_qemu import FakeQemu, failed, serving, with_entry
from tests.paths import SAMPLES
from vmci_tui.cli.run import main
from vmci_tui.containers import open_dump
from vmci_tui.layers.file import FileSource
from vmci_tui.live.commands import COMMANDS
from vmci_tui.opening.open_file import open_document

_DUMP = SAMPLES / "amd64-cut-nonote.elf"


@pytest.fixture
def fake() -> Iterator[FakeQemu]:
    with FileSource(str(_DUMP)) as file:
        fake = FakeQemu(open_dump(file))
        fake.devices = with_entry(fake.devices, 0x19C8000)
        yield fake


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    return tmp_path / "made" / "vm.elf"


def test_it_wants_consent(tmp_path: Path, out: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out)]) == 2
    assert "--yes stop" in capsys.readouterr().err
    assert fake.names.count("dump-guest-memory") == 1, "of one byte"
    assert list(out.parent.iterdir()) == []


def test_the_dump_is_repaired_and_the_only_file(
    tmp_path: Path, out: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out), "--yes", "stop"]) == 0
    said = capsys.readouterr()
    assert "stood still" in said.err and "proved" in said.out
    assert list(out.parent.iterdir()) == [out]
    with open_document(str(out)) as made, open_document(str(_DUMP)) as before:
        assert made.dump is not None and before.dump is not None and made.state.vmcoreinfo is not None
        for item in before.dump.guest_memory.ranges:
            there = made.dump.guest_memory.read(made.source, item.paddr, item.length)
            assert there == before.dump.guest_memory.read(before.source, item.paddr, item.length)


def test_the_json_has_all_that_was_sent(
    tmp_path: Path, out: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out), "--yes", "stop", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made.pop("schema") == 1 and list(wrong(made, json_changes.Convert)) == []
    assert made["live"]["running"] and made["live"]["stopped_ms"] > 0
    assert [command.partition(" ")[0] for command in made["live"]["commands"]] == fake.names


def test_a_paused_vm_needs_no_consent(tmp_path: Path, out: Path, fake: FakeQemu) -> None:
    fake.status = "paused"
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out)]) == 0
    assert fake.names[-1] == "query-status" and out.exists()


def test_what_will_be_missing_is_said_before(
    tmp_path: Path, out: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.named, fake.devices = [], b"QEVM"
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out)]) == 2
    assert "no vmcoreinfo device" in capsys.readouterr().err


def test_a_dry_run_lists_all_that_can_be_sent_and_stops_nothing(
    tmp_path: Path, out: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out), "--dry-run"]) == 0
        said = capsys.readouterr().out
        assert main(["convert", f"qmp:{path}", "--dry-run", "--json"]) == 0
    assert all(row.shown() in said for row in COMMANDS)
    plan = json.loads(capsys.readouterr().out)
    assert plan.pop("schema") == 1 and list(wrong(plan, json_changes.VmPlan)) == []
    listed = plan["sent"]
    assert [row["command"] for row in listed] == [row.shown() for row in COMMANDS]
    assert not {"xen-save-devices-state", "dump-guest-memory"} & set(fake.names) and not out.exists()


def test_a_dump_that_qemu_refuses(
    tmp_path: Path, out: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.lie = lambda request: failed(request, "no room") if request["execute"] == "dump-guest-memory" else None
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out), "--yes", "stop"]) == 3
    assert "no room" in capsys.readouterr().err and list(out.parent.iterdir()) == []


def test_an_existing_file_stays(tmp_path: Path, out: Path, fake: FakeQemu) -> None:
    out.write_bytes(b"mine")
    with serving(fake, tmp_path / "q") as path:
        assert main(["convert", f"qmp:{path}", "-o", str(out), "--yes", "stop"]) == 4
    assert out.read_bytes() == b"mine" and fake.asked == []
