"""Test the choice of reader versions: --reader, the settings, and the programs of this machine."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.command_result import CommandResult, Vmci
from tests.dumps import factory
from vmci_tui.cli.run import main
from vmci_tui.readers import installed
from vmci_tui.readers.verdicts import NAMES
from vmci_tui.settings.settings import config_file

_ENTRY = bytes.fromhex("00000100241000000010000000000000")


@pytest.fixture
def vmci(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vmci:
    """Return a function that runs a command in a folder with a dump."""
    monkeypatch.chdir(tmp_path)
    Path("dump.elf").write_bytes(factory.elf((factory.note(),)))

    def run(*arguments: str) -> CommandResult:
        code = main(arguments)
        return CommandResult(code, *capsys.readouterr())

    return run


def versions(ran: CommandResult) -> dict[str, str]:
    return {name: one["version"] for name, one in ran.json["readers"].items()}


def test_by_default_each_reader_is_named_once_with_its_version(vmci: Vmci) -> None:
    ran = vmci("check", "dump.elf", "--json")
    assert versions(ran) == {
        "qemu": "7.2.22", "crash": "8.0.2 (x86-64)", "drgn": "0.3.0", "libkdumpfile": "0.5.6 in drgn 0.3.0",
        "makedumpfile": "1.7.2", "readelf": "2.40", "eu-readelf": "0.188",
    }  # fmt: skip
    assert ran.json["installed"] is None
    assert all(one["remark"] is None and one["by_version"] == [] for one in ran.json["readers"].values())
    text = vmci("check", "dump.elf").out
    heading = text.splitlines()[0]
    assert all(f"{name} {version}" in heading for name, version in versions(ran).items())
    assert text.count("2.40") == 1


def test_reader_chooses_a_version_and_says_if_it_was_not_checked(vmci: Vmci) -> None:
    ran = vmci("check", "dump.elf", "--json", "--reader", "crash=9.0", "--reader", "readelf=3.1.4")
    crash, readelf = ran.json["readers"]["crash"], ran.json["readers"]["readelf"]
    assert (crash["version"], crash["remark"]) == ("9.0 (x86-64)", None)
    assert (readelf["version"], readelf["remark"]) == ("3.1.4", "checked up to 2.47.50")
    lines = vmci("check", "dump.elf", "--reader", "readelf=3.1.4", "--for", "readelf,crash").out.splitlines()
    assert lines[0] == "readers: crash 8.0.2 (x86-64), readelf 3.1.4"
    assert lines[3].strip() == "checked up to 2.47.50"
    repaired = vmci("repair", "dump.elf", "--json", "--dry-run", "-o", "o.elf", "--reader", "drgn=0.0.22")
    assert repaired.json["versions"]["drgn"] == "0.0.22" and repaired.json["installed"] is None


@pytest.mark.parametrize("words", ["crash", "crash=", "crash=new", "nobody=1", "crash=1.2.3-4", "=1", "crash=\x1b[31m"])
def test_an_unknown_reader_or_version_is_one_clear_line(vmci: Vmci, words: str) -> None:
    for command in (("check", "dump.elf"), ("repair", "dump.elf", "-o", "o.elf"), ("predict",)):
        ran = vmci(*command, "--reader", words)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1) and ran.err.removesuffix("\n").isprintable()


def test_the_settings_choose_and_reader_comes_first(vmci: Vmci) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text('[readers]\ncrash = "8.0.6"\neu-readelf = "0.192"\nqemu = "11.1"\n')
    chosen = versions(vmci("check", "dump.elf", "--json", "--reader", "crash=9.0.2"))
    assert (chosen["crash"], chosen["eu-readelf"], chosen["qemu"]) == ("9.0.2 (x86-64)", "0.192", "11.1")
    config_file().write_text('[readers]\nsomebody = "1"\n')
    ran = vmci("check", "dump.elf", "--json")
    assert versions(ran)["crash"] == "8.0.2 (x86-64)" and "unknown reader 'somebody'" in ran.err


def test_installed_asks_this_machine(vmci: Vmci, monkeypatch: pytest.MonkeyPatch) -> None:
    here = dict.fromkeys(NAMES, "1.2") | {"readelf": None}
    monkeypatch.setattr(installed, "installed", lambda: here)
    ran = vmci("check", "dump.elf", "--json", "--reader", "installed", "--reader", "crash=8.0.6")
    assert ran.json["installed"] == here
    assert versions(ran) == dict.fromkeys(NAMES, "1.2") | {
        "crash": "8.0.6 (x86-64)", "libkdumpfile": "0.5.6 in drgn 1.2", "readelf": "2.40",
    }  # fmt: skip
    text = vmci("check", "dump.elf", "--reader", "installed").out
    assert text.splitlines()[1] == "  not installed: readelf"


def test_differing_versions_are_reported(vmci: Vmci) -> None:
    """QEMU 7.2 does not swap the header of a note of a big-endian guest, 10.0 does."""
    note = factory.note(order="big")
    memory = factory.Load(0x1000, note.ljust(0x2000, b"\0"))
    Path("big.elf").write_bytes(factory.elf((note,), (memory,), 32, "big", factory.ARM))
    Path("entry").write_bytes(_ENTRY)
    for version, accepts in (("7.2", False), ("10.0", True)):
        ran = vmci("check", "big.elf", "--blob", "entry", "--json", "--reader", f"qemu={version}")
        assert ran.json["readers"]["qemu"]["accepts"] is accepts
        assert ran.json["readers"]["qemu"]["by_version"] == [
            {"since": "7.2", "accepts": False}, {"since": "10.0", "accepts": True},
        ]  # fmt: skip
    text = vmci("check", "big.elf", "--blob", "entry").out
    assert "refuses before 10.0, accepts from 10.0 on" in text


def test_predict_takes_either_option(vmci: Vmci, monkeypatch: pytest.MonkeyPatch) -> None:
    region = factory.note(b"NUMBER(phys_base)=z\n").hex()
    case = {"machine": 62, "bits": 64, "byte_order": "little", "entry": _ENTRY.hex(), "region": region}
    for options, words in (
        ((), "Failed to read NUMBER(phys_base)="),
        (("--qemu", "11.1"), "failed to parse NUMBER(phys_base)= in VMCOREINFO: 'z'"),
        (("--reader", "qemu=11.1"), "failed to parse NUMBER(phys_base)= in VMCOREINFO: 'z'"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(case).encode())))
        assert json.loads(vmci("predict", *options).out)["warnings"] == [words]
