"""Test the process that decides which note a dump should have."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dumps.factory import note
from tests.opened_files import open_document
from tests.proof.synthetic import Ram
from vmci_tui.adoption.apart.parent import consider_apart
from vmci_tui.adoption.choose import consider
from vmci_tui.common.errors import Cancelled
from vmci_tui.common.progress import no_progress
from vmci_tui.findings.judgement import Judgement

Sample = Callable[[str], str]


def _go_on() -> None:
    """Do not stop."""


@pytest.mark.parametrize("name", ["amd64-cut-nonote.elf", "amd64-cut-note.elf", "i386-qemu.kdump"])
def test_it_decides_as_this_process_does(sample: Sample, name: str) -> None:
    document = open_document(sample(name))
    here = consider(Judgement.of(document), no_progress)
    assert consider_apart(document, {}, no_progress, _go_on) == here


def test_a_file_that_was_replaced_is_not_decided_about(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "dump.elf"
    shutil.copy(sample("amd64-cut-nonote.elf"), path)
    document = open_document(str(path))
    shutil.copy(sample("amd64-cut-note.elf"), tmp_path / "other.elf")
    os.replace(tmp_path / "other.elf", path)
    assert consider_apart(document, {}, no_progress, _go_on) is None


def test_a_stop_ends_the_process(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-nonote.elf"))

    def stop() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        consider_apart(document, {}, no_progress, stop)


def test_without_a_process_there_is_no_decision(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    document = open_document(sample("amd64-cut-nonote.elf"))
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    assert consider_apart(document, {}, no_progress, _go_on) is None


def test_it_decides_about_a_memory_image_as_the_user_named_it(tmp_path: Path) -> None:
    ram = Ram()
    text = ram.kernel(0x10000000)
    kernel, noted = tmp_path / "kernel.bin", tmp_path / "note.bin"
    first, last = min(ram.pages), max(ram.pages)
    kernel.write_bytes(b"".join(bytes(ram.pages.get(number, bytes(4096))) for number in range(first, last + 1)))
    noted.write_bytes(note(text.text))
    with open_document(f"{kernel}@{first * 4096:x}\0{noted}@100000") as document:
        apart = consider_apart(document, {}, no_progress, _go_on)
    assert apart is not None and apart.chosen is not None and apart.chosen.candidate.paddr == 0x100000
