"""Test that the commands to run next do what they say: run each in a shell.

What needs more than a sample holds (a kernel's vmlinux, a debuginfod server, all of a
guest's memory) is run on a whole dump, where there is one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.real.readers import need
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.next_commands import NextCommand, next_commands

_GOOD = "amd64-cut-note.elf"


def _of(path: str) -> dict[str, NextCommand]:
    document = open_document(path)
    return {str(step.command).replace(path, "FILE"): step for step in next_commands(Judgement.of(document))}


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[NextCommand], str]:
    """Run a command in an empty folder; an interactive session ends at once."""

    def run(step: NextCommand) -> str:
        need({"libkdumpfile": "drgn", "vmci": sys.executable}.get(step.reader, step.reader))
        venv = Path(sys.executable).parent
        done = subprocess.run(
            ["bash", "-c", f'PATH="{venv}:$PATH"; {step.command}'], cwd=tmp_path, timeout=120,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout.decode("latin-1")

    return run


def test_every_command_for_a_good_dump(
    sample: Callable[[str], str], tmp_path: Path, shell: Callable[[NextCommand], str]
) -> None:
    hostile = tmp_path / "a b'\x1b[31m.elf"
    shutil.copy(sample(_GOOD), hostile)
    document = open_document(str(hostile))
    steps: dict[str, list[NextCommand]] = {}
    for step in next_commands(Judgement.of(document)):
        steps.setdefault(step.reader, []).append(step)
    assert "6.1.0-56-amd64" in shell(steps["crash"][1])
    assert "6.1.0-56-amd64" in shell(steps["drgn"][0])
    assert "6.1.0-56-amd64" in shell(steps["libkdumpfile"][0])
    assert "VMCOREINFO" in shell(steps["readelf"][0])
    assert "OSRELEASE=6.1.0-56-amd64" in shell(steps["eu-readelf"][0])
    assert "makedumpfile Completed" in shell(steps["makedumpfile"][0])
    assert "Linux version 6.1.0-56-amd64" in Path(str(hostile).replace(".elf", "-dmesg.txt")).read_text()


@pytest.mark.parametrize("name", ["arm64-cut-note.elf", "s390x-cut-note.elf"])
def test_other_machines(sample: Callable[[str], str], shell: Callable[[NextCommand], str], name: str) -> None:
    for step in _of(sample(name)).values():
        if step.reader in ("drgn", "libkdumpfile", "readelf", "eu-readelf"):
            shell(step)


def test_the_offered_repair_makes_a_dump_that_all_readers_accept(
    sample: Callable[[str], str], tmp_path: Path, shell: Callable[[NextCommand], str]
) -> None:
    path = tmp_path / "-no note.elf"
    shutil.copy(sample("x86_64-linux-good.elf"), path)
    document = open_document(str(path))
    first = next_commands(Judgement.of(document))[0]
    shell(first)
    assert not any(step.reader == "vmci" for step in _of(str(tmp_path / "-no note-fixed.elf")).values())
