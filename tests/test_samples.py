"""Test that the bundled samples agree with samples.toml and the README."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from tests.real import readers
from vmci_tui.common.samples import Sample, samples

_ROWS: list[dict[str, Any]] = tomllib.loads((SAMPLES / "samples.toml").read_text())["sample"]
_DUMPS = [row for row in _ROWS if "refused_by" in row]


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_each_sample_opens_with_its_blob(sample: Sample) -> None:
    open_document(sample.path, sample.blob)


def test_every_file_in_the_folder_is_described() -> None:
    named = {row["file"] for row in _ROWS} | {row["blob"] for row in _ROWS if "blob" in row}
    there = {path.name for path in SAMPLES.iterdir() if path.is_file()}
    assert there - named == {"ATTRIBUTION.md", "README.md", "make.py", "samples.toml"}
    assert named <= there


def test_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.iterdir() if path.is_file()) < 4 << 20


def test_the_script_makes_the_same_bytes_again() -> None:
    run = subprocess.run(
        [sys.executable, str(SAMPLES / "make.py"), "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert run.returncode == 0, run.stdout.decode()


@pytest.mark.parametrize("row", _DUMPS, ids=lambda row: row["file"])
def test_readers_refuse_the_samples_that_the_table_names(row: dict[str, Any], tmp_path: Path) -> None:
    path = str(SAMPLES / row["file"])
    crash = readers.crash_osrelease(path)
    dmesg = readers.makedumpfile_dmesg(path, tmp_path / "dmesg").out
    accepts = {
        "crash": crash not in ("", "unknown"),
        "drgn": "OSRELEASE=" in readers.drgn_text(path).out,
        "libkdumpfile": "OSRELEASE=" in readers.drgn_text(path, libkdumpfile=True).out,
        "makedumpfile": "VMCOREINFO   :" in dmesg
        and "Invalid data in" not in dmesg
        and "Invalid format in" not in dmesg,
        "readelf": "VMCOREINFO" in readers.readelf_notes(path),
        "eu-readelf": "OSRELEASE=" in readers.eu_readelf_notes(path),
    }
    assert [reader for reader, taken in accepts.items() if not taken] == row["refused_by"]
