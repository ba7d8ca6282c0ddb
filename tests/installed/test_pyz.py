"""Test `vmci.pyz`, run by a Python without any installed package."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from tests.faults.pty import Terminal
from tests.installed.conftest import Run
from tests.paths import DATA, SAMPLES
from vmci_tui.cli.run import main

_ALONE = (sys.executable, "-I", "-S")
"""Neither the environment's packages nor the user's."""


@pytest.mark.parametrize("name", ["crlf.elf", "amd64-cut-note.elf", "s390x-cut-nonote.elf", "i386-qemu.kdump"])
@pytest.mark.parametrize("command", ["show", "check", "find"])
def test_it_prints_what_an_installed_vmci_prints(
    pyz: Path, started: Run, command: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = started(*_ALONE, pyz, command, SAMPLES / name, "--json")
    code = main([command, str(SAMPLES / name), "--json"])
    assert (ran.returncode, json.loads(ran.stdout), ran.stderr) == (code, json.loads(capsys.readouterr().out), "")


def test_a_dump_is_repaired(pyz: Path, started: Run, tmp_path: Path) -> None:
    assert started(*_ALONE, pyz, "repair", SAMPLES / "amd64-cut-nonote.elf", "-o", "out.elf").returncode == 0
    shown = json.loads(started(*_ALONE, pyz, "show", tmp_path / "out.elf", "--json").stdout)
    assert shown["vmcoreinfo"]["keys"][0]["value"] == "6.1.0-56-amd64"


def test_zlib_is_read_and_other_compressions_are_named(pyz: Path, started: Run, tmp_path: Path) -> None:
    for name in ("zlib", "lzo", "snappy"):
        dump = tmp_path / f"{name}.kdump"
        dump.write_bytes(gzip.decompress((DATA / "compressions" / f"{name}.kdump.gz").read_bytes()))
        ran = started(*_ALONE, pyz, "hex", dump, "--paddr", "0x1000", "--len", "16")
        if name == "zlib":
            assert (ran.returncode, ran.stderr) == (0, "") and ran.stdout.startswith("00001000: ")
        else:
            assert ran.returncode == 3 and f"compressed by {name}" in ran.stderr and "is missing" in ran.stderr


def test_keys_are_explained_and_faults_crafted(pyz: Path, started: Run) -> None:
    assert "uname -r" in started(*_ALONE, pyz, "explain", "OSRELEASE").stdout
    assert started(*_ALONE, pyz, "craft", "--defect", "T02").returncode == 0


def test_the_app_opens_a_dump(pyz: Path, environment: dict[str, str]) -> None:
    command = (*_ALONE, str(pyz), str(SAMPLES / "amd64-cut-note.elf"))
    with Terminal(command, 120, 40, env=environment) as terminal:
        terminal.wait_for("6.1.0-56-amd64")
        terminal.wait_for("1 hint")
        terminal.send("F")
        terminal.wait_for("0x0000019c8000  proved")


def test_the_app_opens_a_sample_and_leaves_no_file(pyz: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """The samples are unpacked while it runs, and removed afterwards."""
    with Terminal((*_ALONE, str(pyz)), 120, 60, env=environment) as terminal:
        terminal.wait_for("Samples")
        assert len(list((tmp_path / "tmp").iterdir())) == 1
        terminal.send("q")
        assert terminal.finish() == 0
    assert list((tmp_path / "tmp").iterdir()) == []
