"""Test the rules of other versions with the programs of other releases, unpacked beside each other.

`VMCI_VERSIONS` names their folder, by default `.versions`: `NAME/run/crash` and so on, scripts that run the programs of
a release with its libraries; `drgn-VERSION`, into which pip installed drgn (`--target`), or a virtual environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.paths import ROOT, SAMPLES
from tests.real.agreement.comparison import hold
from tests.real.agreement.kdump_mutations import MEMORY, kdump_mutants
from tests.real.agreement.mutator import Mutant, mutants
from tests.real.agreement.oracle import Conditions, Oracle
from vmci_tui.readers.installed import installed
from vmci_tui.readers.verdicts import DEFAULT, ChosenReaders

_FOLDER = Path(os.environ.get("VMCI_VERSIONS", ROOT / ".versions"))
_PROGRAMS = sorted({path.parent.resolve() for path in _FOLDER.glob("*/run/crash")})
_DRGNS = sorted(_FOLDER.glob("drgn-*"))
_IN_CI = ("0.0.22", "0.0.31")
"""Those of Debian 12 and 13, which .ci/run installs."""
_READERS = ("crash", "makedumpfile", "readelf", "eu-readelf")
_OF_DRGN = ("drgn", "libkdumpfile")
_MAY_DIFFER = 0.005
"""The share of wrong verdicts of drgn and libkdumpfile, and at least one: some deaths depend on where things are in
memory, and libkdumpfile 0.5.1 finds utsname in an s390x dump of the slice where later ones do not."""
_UNKNOWN = 0.02


def _files(elf: int, kdump: int) -> Iterator[Mutant]:
    """Return damaged ELF dumps and kdump files, and the samples."""
    samples = (path for path in sorted(SAMPLES.iterdir()) if path.suffix in (".elf", ".kdump", ".flat"))
    return chain(
        mutants("versions", elf),
        kdump_mutants("versions", kdump),
        (Mutant(path.name, path.read_bytes(), ["sample"]) for path in samples),
    )


def _hold(
    files: Iterator[Mutant], readers: tuple[str, ...], how: Conditions, models: ChosenReaders
) -> dict[str, list[str]]:
    """Return for each reader the files that it judges otherwise, or of which it shows another release."""
    wrong: dict[str, list[str]] = {name: [] for name in readers}
    with Oracle(readers, how) as oracle:
        tally = hold(files, oracle, models=models)
    unknown = 0
    for item in tally.disagreements:
        unknown += item.predicted == "None"
        if item.field in ("accepts", "osrelease") and item.predicted != "None":
            wrong[item.reader].append(str(item))
    assert unknown <= _UNKNOWN * tally.dumps
    return wrong


def _modules(folder: Path) -> str:
    return str(next(folder.glob("lib/python*/site-packages"), folder))


def _told(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{name} {len(found)}\n  " + "\n  ".join(found[:40]) for name, found in wrong.items())


def _hold_drgn(folder: Path, count: int, files: Iterator[Mutant]) -> None:
    version = folder.name.removeprefix("drgn-")
    models = DEFAULT.at(dict.fromkeys(_OF_DRGN, version))
    wrong = _hold(files, _OF_DRGN, Conditions(MEMORY, modules=_modules(folder)), models)
    assert all(len(found) <= max(1, _MAY_DIFFER * count) for found in wrong.values()), _told(wrong)


@pytest.mark.parametrize("version", _IN_CI)
def test_a_slice_with_two_versions_of_drgn(version: str) -> None:
    folder = _FOLDER / f"drgn-{version}"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing, and CI must have it")
        pytest.skip(f"{folder} is missing: pip install --target {folder} drgn=={version}")
    _hold_drgn(folder, 60, chain(mutants("slice", 40), kdump_mutants("slice", 20)))


@pytest.mark.long
@pytest.mark.parametrize("folder", _DRGNS, ids=lambda path: path.name)
def test_each_version_of_drgn(folder: Path) -> None:
    _hold_drgn(folder, 800, _files(600, 160))


@pytest.mark.long
@pytest.mark.parametrize("folder", _PROGRAMS, ids=lambda path: path.parent.name)
def test_each_release(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as only:
        only.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        versions = {name: version for name, version in installed().items() if name in _READERS and version}
    wrong = _hold(_files(600, 160), _READERS, Conditions(MEMORY, programs=str(folder)), DEFAULT.at(versions))
    assert not any(wrong.values()), f"{versions}\n{_told(wrong)}"
