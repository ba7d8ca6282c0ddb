"""Test that drgn reads kernel memory as predicted, with its own reader and with libkdumpfile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data_files import fault
from tests.kit import opened
from tests.real.readers import drgn_text
from vmci_tui.findings.judgement import Judgement

Sample = Callable[[str], str]
_SAMPLES = (
    "amd64-cut-note.elf",
    "amd64-note.elf-win4k",
    "arm64-cut-note.elf",
    "s390x-cut-note.elf",
    "aarch64-be-linux.elf",
    "i386-note.elf-win16k",
    "two-notes.elf",
    "x86_64-linux-good.elf",
)


@pytest.mark.parametrize("library", [False, True], ids=["own", "libkdumpfile"])
@pytest.mark.parametrize("name", _SAMPLES)
def test_reads_of_a_sample_are_predicted(sample: Sample, name: str, library: bool) -> None:
    _same(sample(name), library)


@pytest.mark.parametrize("library", [False, True], ids=["own", "libkdumpfile"])
@pytest.mark.parametrize("name", ["633-armhf.elf", "633-armhf-vaddr.elf"])
def test_reads_of_a_damaged_file_are_predicted(tmp_path: Path, name: str, library: bool) -> None:
    (tmp_path / name).write_bytes(fault(name))
    _same(str(tmp_path / name), library)


def _same(path: str, library: bool) -> None:
    told = Judgement.of(opened(Path(path).read_bytes())).shown["libkdumpfile" if library else "drgn"]
    ran = drgn_text(path, libkdumpfile=library, uts=True)
    assert (ran.code == 0) == (told.state == "accepts"), ran.out
    if told.state == "accepts":
        assert "UTS [b'Linux'" in ran.out and told.reads is not False, ran.out
    elif told.state == "opens":
        # libkdumpfile's own words, between those of drgn's, are not foreseen everywhere.
        first, _, address = told.unread.rpartition(": ")
        assert (first.partition(": ")[0] if library else first) in ran.out and f": {address}\n" in ran.out, ran.out
