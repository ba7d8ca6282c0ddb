"""Test the commands on saved VMs in other files: what they show, and the choice of a snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.paths import DATA
from tests.zstd import zstd
from vmci_tui.cli import main


def _unpacked(folder: Path, name: str) -> str:
    path = folder / name
    path.write_bytes(zstd.decompress((DATA / "wrapped" / f"{name}.zst").read_bytes()))
    return str(path)


def test_a_snapshot_is_chosen_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = _unpacked(tmp_path, "pc-savevm-7.2.qcow2")
    assert main(["show", disk, "--snapshot", "snap1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["container"], shown["entry"]["origin"], shown["entry"]["paddr"]) == (
        "qemu-stream",
        "stream",
        0x1414000,
    )
    assert (shown["stream"]["wrapped"], shown["stream"]["cpus"]) == ("qcow2", 2)
    for words in (
        ["show", disk, "--snapshot", "snap2"],
        ["check", disk, "--snapshot", "snap2"],
        [disk, "--snapshot", "x"],
    ):
        assert main(words) == 3
        assert "it has: snap1" in capsys.readouterr().err


def test_the_cpus_and_the_log_of_a_save_are_those_of_the_guest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = _unpacked(tmp_path, "lv-zstd.save")
    assert main(["cpus", save, "--json"]) in (0, 1)
    cpus = json.loads(capsys.readouterr().out)["cpus"]
    assert [cpu["pc"]["address"] for cpu in cpus] == [0xFFFFFFFFA22592EB]


def test_a_save_is_never_changed_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save = _unpacked(tmp_path, "lv-zstd.save")
    before = Path(save).read_bytes()
    assert main(["strip", save, "--in-place"]) == 2
    assert "convert" in capsys.readouterr().err
    assert Path(save).read_bytes() == before and len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def devices(tmp_path: Path) -> str:
    """What `xen-save-devices-state` writes of a running VM: no memory, no description."""
    path = tmp_path / "vm.devices"
    path.write_bytes(zstd.decompress((DATA / "wrapped" / "pc-10.0.devices.zst").read_bytes()))
    return str(path)


def test_the_devices_of_a_vm_are_its_entry_and_nothing_else(devices: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", devices, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["container"], shown["entry"]) == ("entry", _ENTRY | {"origin": "stream"})
    assert main(["check", devices]) == 0


def test_the_devices_of_a_vm_are_never_changed(devices: str, tmp_path: Path) -> None:
    before, out = Path(devices).read_bytes(), tmp_path / "out.blob"
    for words in (["set", devices, "entry.paddr=0x1000", "--in-place"], ["repair", devices, "--in-place"]):
        assert main(words) in (2, 4)
    assert main(["set", devices, "entry.paddr=0x1000", "-o", str(out)]) == 0
    assert (Path(devices).read_bytes(), len(out.read_bytes())) == (before, 16)


def test_a_saved_vm_beside_a_dump_is_its_entry(
    devices: str, sample: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for saved in (devices, _unpacked(tmp_path, "pc-savevm-7.2.qcow2")):
        assert main(["show", sample("amd64-cut-note.elf"), "--blob", saved, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["entry"] == _ENTRY | {"origin": "stream"}


_ENTRY = {"host_format": 0, "guest_format": 1, "size": 4132, "paddr": 0x1414000, "present": True}
