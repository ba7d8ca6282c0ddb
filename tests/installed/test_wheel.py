"""Test the wheel, installed into an empty environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.serving import OUTSIDE_SCRIPT, served
from tests.installed.conftest import Run
from tests.paths import ROOT, SAMPLES
from vmci_tui import __version__


def _package(installed: Path) -> Path:
    (package,) = installed.glob("lib/python3.*/site-packages/vmci_tui")
    return package


def test_a_bundled_sample_is_checked(installed: Path, started: Run) -> None:
    sample = _package(installed) / "sample_dumps" / "crlf.elf"
    ran = started(installed / "bin" / "vmci", "check", sample, "--json")
    said = json.loads(ran.stdout)
    assert (ran.returncode, ran.stderr, said["schema"]) == (1, "", 1)
    assert "T02" in [finding["code"] for finding in said["findings"]]


def test_both_programs_are_installed(installed: Path, started: Run) -> None:
    for name in ("vmci", "vmci-tui"):
        assert started(installed / "bin" / name, "--version").stdout == f"vmci {__version__}\n"


def test_contents_of_the_wheel(installed: Path) -> None:
    """The wheel has all code and data files, the licence and the attribution of the samples, without the tests."""
    package = _package(installed)
    for folder, inside in ((ROOT / "vmci_tui", package), (SAMPLES, package / "sample_dumps")):
        files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        wanted = {name for name in files if "__pycache__" not in name.parts}  # tests that run meanwhile write there
        assert {name for name in wanted if not (inside / name).is_file()} == set()
    assert not (package.parent / "tests").exists()
    (about,) = package.parent.glob("vmci_tui-*.dist-info")
    assert {path.name for path in about.glob("licenses/**/*") if path.is_file()} == {"LICENSE", "ATTRIBUTION.md"}


async def test_a_session_of_serve_opens_nothing_outside_its_folder(installed: Path, tmp_path: Path) -> None:
    secret, scratch = tmp_path / "secret", tmp_path / "scratch"
    scratch.mkdir()
    secret.write_bytes((SAMPLES / "good.entry").read_bytes())
    async with (
        served(scratch, "missing-note", program=(str(installed / "bin" / "vmci"),)) as serve,
        serve.visit() as visitor,
    ):
        await visitor.wait_for("1/4", "N01")
        await visitor.press("a", "enter")
        await visitor.wait_for("Append the note of")
        await visitor.press(str(secret), "enter")
        await visitor.wait_for("outside the lesson's folder")


@pytest.mark.parametrize("isolated", [(), ("-I",)])
def test_python_refuses_files_outside_the_folder(
    installed: Path, started: Run, tmp_path: Path, isolated: tuple[str, ...]
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    ran = started(installed / "bin" / "python", *isolated, "-c", OUTSIDE_SCRIPT, inside, tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
