"""A running VM as a document: its entry, its notes and its memory, within a hundred pages."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.fake_qemu import FakeQemu, failed, serving, with_entry
from tests.paths import DATA, SAMPLES
from vmci_tui.adoption.choose import search
from vmci_tui.cli.run import main
from vmci_tui.common.errors import OpenError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers import open_dump
from vmci_tui.containers.guest import guest_of
from vmci_tui.formats.fw_cfg_entry import Entry
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.kernel.cpus.cpu import cpus_of
from vmci_tui.layers.file import FileSource
from vmci_tui.live.open_vm import entry_in
from vmci_tui.opening.open_file import names_vm, open_document

_NOTE = 0x19C8000
"""Where the memory of amd64-cut-nonote.elf has the note."""
_DUMP = SAMPLES / "amd64-cut-note.elf"


@pytest.fixture
def fake() -> Iterator[FakeQemu]:
    with FileSource(str(_DUMP)) as file:
        yield FakeQemu(open_dump(file))


def test_the_notes_and_the_entry_are_qemus(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path, open_document(f"qmp:{path}") as document:
        dump, history = document.dump, document.state.entry
        assert dump is not None and fake.dump is not None and history is not None
        assert (dump.container, dump.machine, dump.bits, dump.order) == ("qmp", "x86_64", 64, "little")
        assert [note.desc for note in dump.notes] == [note.desc for note in fake.dump.notes]
        assert history.entry == Entry(0, 1, 4132, 0x1414000) and history.present and history.origin == "vm"
        assert fake.pages == []


def test_without_the_device_no_state_of_devices_is_asked_for(tmp_path: Path, fake: FakeQemu) -> None:
    fake.named = []
    with serving(fake, tmp_path / "q") as path, open_document(f"qmp:{path}") as document:
        assert document.state.entry is None and document.dump is not None and document.dump.notes
    assert "xen-save-devices-state" not in fake.names


def test_without_a_stop_the_registers_are_those_that_qemu_prints(tmp_path: Path, fake: FakeQemu) -> None:
    choice = ImageChoice(stop=False)
    with serving(fake, tmp_path / "q") as path, open_document(f"qmp:{path}", choice=choice) as document:
        assert document.dump is not None and document.dump.machine == "x86_64" and fake.dump is not None
        ours, theirs = (cpus_of(dump.notes, "x86_64") for dump in (document.dump, fake.dump))
        assert [[one.value(name) for name in ("rip", "cs", "cr3")] for one in ours] == [
            [one.value(name) for name in ("rip", "cs", "cr3")] for one in theirs
        ]
        assert document.state.entry is None and "entry is not known" in "".join(document.dump.doubts)
    assert not {"stop", "xen-save-devices-state", "dump-guest-memory", "add-fd", "getfd"} & set(fake.names)


def test_without_a_stop_the_kernels_own_pointers_lead_to_its_note(tmp_path: Path) -> None:
    (tmp_path / "dump.elf").write_bytes(lzma.decompress((DATA / "kernels" / "amd64-61.elf.xz").read_bytes()))
    with FileSource(str(tmp_path / "dump.elf")) as file:
        fake = FakeQemu(open_dump(file))
        choice = ImageChoice(stop=False)
        with serving(fake, tmp_path / "q") as path, open_document(f"qmp:{path}", choice=choice) as document:
            assert document.dump is not None
            (found,) = search(guest_of(document.dump), no_progress)
    assert (found.found_by, found.proof.proved) == ("kernel", True)
    assert len(fake.pages) < 4096 and len(fake.asked) < 800, "several pages a request"
    assert set(fake.names) == {"qmp_capabilities", "query-status", "qom-list", "query-target", "human-monitor-command"}


def test_qemu_without_the_command_and_a_machine_that_it_cannot_dump(tmp_path: Path, fake: FakeQemu) -> None:
    refused = ("xen-save-devices-state", "dump-guest-memory")
    fake.lie = lambda request: failed(request, "not here") if request["execute"] in refused else None
    with serving(fake, tmp_path / "q") as path, open_document(f"qmp:{path}") as document:
        assert document.dump is not None
        assert [doubt.split(":")[0] for doubt in document.dump.doubts] == [
            "the entry is not known", "the registers are not known",
            "the registers are as QEMU prints them, one CPU after the other",
        ]  # fmt: skip
    assert fake.names[-2:] == ["query-target", "human-monitor-command"]


_MAPS: dict[str, Any] = {"another type": 7, "no view": "", "too much memory": (
    'FlatView #0\n AS "memory", root: system\n  ' + "0" * 16 + "-" + "f" * 16 + " (prio 0, ram): x\n"
)}  # fmt: skip


@pytest.mark.parametrize("name", _MAPS)
def test_a_map_that_none_has(tmp_path: Path, fake: FakeQemu, name: str) -> None:
    fake.map = _MAPS[name]
    with serving(fake, tmp_path / "q") as path, pytest.raises(OpenError, match="where guest memory is"):
        open_document(f"qmp:{path}")


@pytest.mark.parametrize("command", ["query-status", "query-target", "human-monitor-command", "add-fd"])
@pytest.mark.parametrize("answer", [b'{"return": []}\r\n', b'{"return": {"arch": "vax", "fdset-id": -1}}\r\n', b""])
def test_a_lie_while_it_is_opened(tmp_path: Path, fake: FakeQemu, command: str, answer: bytes) -> None:
    fake.lie = lambda request: answer if request["execute"] == command else None
    choice = ImageChoice(stop=command != "query-target")
    with serving(fake, tmp_path / "q") as path, pytest.raises(OpenError) as raised:
        open_document(f"qmp:{path}", choice=choice)
    assert raised.value.exit_code == 3 and "\n" not in str(raised.value)


def test_the_entry_in_the_state_of_devices() -> None:
    state = FakeQemu().devices
    assert entry_in(state.replace(b"vmcoreinfo", b"vmcoreinfX")) is None
    at = state.index(b"vmcoreinfo") + 18
    reset = state[:at] + b"\0" + b"\0\1" + bytes(14) + state[at + 17 :]
    history = entry_in(reset)
    assert history is not None and history.never_written


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names_vm("qmp:x") and names_vm("virsh:x") and not names_vm("x:qmp:")
    (tmp_path / "qmp:x").write_bytes(_DUMP.read_bytes())
    assert not names_vm("qmp:x")
    with open_document("qmp:x") as document:
        assert document.container == "elf"


@pytest.mark.parametrize(
    "command",
    ["repair VM -o out", "set VM A=1 --in-place", "strip VM -o out", "append VM --from-memory -o out"],
)
def test_a_vm_is_not_changed(command: str, tmp_path: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(command.replace("VM", f"qmp:{path}").replace("out", str(tmp_path / "out")).split()) == 2
    err = capsys.readouterr().err
    assert "only `vmci convert` copies all its memory" in err and "stop" not in err, "it may be paused"
    assert fake.asked == [] and not (tmp_path / "out").exists()


def test_the_option_reaches_the_vm(tmp_path: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(["show", f"qmp:{path}", "--no-stop"]) == 0
        assert "xen-save-devices-state" not in fake.names
        assert main(["check", f"qmp:{path}"]) in (0, 1)
        assert "xen-save-devices-state" in fake.names
    assert "not known" in capsys.readouterr().out


def test_entry_note_proof_and_log_take_a_hundred_pages_at_most(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileSource(str(SAMPLES / "amd64-cut-nonote.elf")) as file:
        fake = FakeQemu(open_dump(file))
        fake.devices = with_entry(fake.devices, _NOTE)
        with serving(fake, tmp_path / "q") as path:
            assert main(["find", f"qmp:{path}", "--json"]) == 0
            said = json.loads(capsys.readouterr().out)
            (found,) = said["candidates"]
            assert (found["paddr"], found["proved"]) == (_NOTE, True)
            assert sum(" xp " in command for command in said["live"]["commands"]) == len(fake.pages)
            assert main(["log", f"qmp:{path}"]) == 0
    assert len(fake.pages) <= 100
    assert "Linux version" in capsys.readouterr().out


def test_a_cut_of_a_vm_has_the_pages_that_were_read(
    tmp_path: Path, fake: FakeQemu, capsys: pytest.CaptureFixture[str]
) -> None:
    """The readers, the proof and the log say of it what they say of the dump of that guest."""
    small, fake.devices = str(tmp_path / "small"), with_entry(fake.devices, _NOTE)
    with serving(fake, tmp_path / "q") as path:
        said = json.loads(_out(["cut", f"qmp:{path}", "-o", small, "--json"], capsys))
    assert said["cut"]["pages"] <= len(fake.pages) <= 100 and set(said["after"].values()) == {True}
    assert sum(" xp " in command for command in said["live"]["commands"]) == len(fake.pages)
    assert said["remarks"] == ["The guest ran while it was read: the pages are not all of one moment."]
    assert '"proved": true' in _out(["find", small, "--json"], capsys)
    assert _out(["log", small], capsys) == _out(["log", str(_DUMP)], capsys) != ""


def _out(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    main(words)
    return capsys.readouterr().out


def test_a_running_vm_is_not_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FileSource(str(SAMPLES / "amd64-cut-nonote.elf")) as file:
        fake = FakeQemu(open_dump(file))
        with serving(fake, tmp_path / "q") as path:
            assert main(["find", f"qmp:{path}", "--all", "--no-stop"]) == 0
    assert len(fake.pages) <= 100 and "not searched" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "code"), [("symbols", 3), ("log", 3), ("prove", 3)])
def test_its_kernel_is_not_searched(
    command: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeQemu()
    with serving(fake, tmp_path / "q") as path:
        assert main([command, f"qmp:{path}"]) == code
    err = capsys.readouterr().err
    assert "not searched" in err and "`vmci convert` makes a dump" in err and len(fake.pages) < 100


@pytest.mark.parametrize("name", ["vm", "image"])
def test_what_a_missing_note_wants_is_a_conversion(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ram").write_bytes(bytes(1 << 20))
    with serving(FakeQemu(), tmp_path / "q") as path:
        main(["check", f"qmp:{path}" if name == "vm" else f"{tmp_path}/ram@0"])
    said = capsys.readouterr().out
    assert "vmci convert" in said and "vmci repair" not in said


def test_check_takes_few_pages(tmp_path: Path, fake: FakeQemu) -> None:
    with serving(fake, tmp_path / "q") as path:
        assert main(["check", f"qmp:{path}"]) in (0, 1)
    assert len(fake.pages) <= 100
