"""Test the rules of other versions with the programs of other releases, unpacked beside each other.

`VMCI_VERSIONS` names their folder, by default `.versions`: `NAME/run/crash` and so on, scripts that run the programs of
a release with its libraries; `drgn-VERSION`, into which pip installed drgn (`--target`), or a virtual environment.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.paths import ROOT, SAMPLES
from tests.real.agreement.comparison import verdicts_of
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
"""The share of wrong verdicts of drgn and libkdumpfile: some deaths depend on where things are in memory."""
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
    files: list[Mutant], readers: tuple[str, ...], how: Conditions, models: ChosenReaders
) -> tuple[dict[str, list[str]], Counter[str]]:
    """Return for each reader the files that it accepts or refuses otherwise, and the number of unknown verdicts."""
    wrong: dict[str, list[str]] = {name: [] for name in readers}
    unknown: Counter[str] = Counter()
    with Oracle(readers, how) as oracle:
        for file, answers in zip(files, oracle.ask_many([file.data for file in files]), strict=True):
            verdicts = verdicts_of(file.data, readers, models)
            for name in readers:
                verdict, answer = verdicts[name], answers[name]
                unknown[name] += verdict.accepts is None
                release = "" if verdict.osrelease is None else str(verdict.osrelease)
                same = verdict.accepts is answer.accepts and (not answer.accepts or release == (answer.osrelease or ""))
                if verdict.accepts is not None and not same:
                    wrong[name].append(f"{file.name} {file.what}: {verdict.says!r} {answer.says[-200:]!r}")
    return wrong, unknown


def _modules(folder: Path) -> str:
    return str(next(folder.glob("lib/python*/site-packages"), folder))


def _told(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{name} {len(found)}\n  " + "\n  ".join(found[:40]) for name, found in wrong.items())


def _hold_drgn(folder: Path, files: list[Mutant]) -> None:
    version = folder.name.removeprefix("drgn-")
    models = DEFAULT.at(dict.fromkeys(_OF_DRGN, version))
    wrong, unknown = _hold(files, _OF_DRGN, Conditions(MEMORY, modules=_modules(folder)), models)
    assert all(len(found) <= _MAY_DIFFER * len(files) for found in wrong.values()), _told(wrong)
    assert unknown.total() <= _UNKNOWN * len(files)


@pytest.mark.parametrize("version", _IN_CI)
def test_a_slice_with_two_versions_of_drgn(version: str) -> None:
    folder = _FOLDER / f"drgn-{version}"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing, and CI must have it")
        pytest.skip(f"{folder} is missing: pip install --target {folder} drgn=={version}")
    _hold_drgn(folder, [*mutants("slice", 40), *kdump_mutants("slice", 20)])


@pytest.mark.long
@pytest.mark.parametrize("folder", _DRGNS, ids=lambda path: path.name)
def test_each_version_of_drgn(folder: Path) -> None:
    _hold_drgn(folder, list(_files(600, 160)))


@pytest.mark.long
@pytest.mark.parametrize("folder", _PROGRAMS, ids=lambda path: path.parent.name)
def test_each_release(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as only:
        only.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        versions = {name: version for name, version in installed().items() if name in _READERS and version}
    files = list(_files(600, 160))
    wrong, unknown = _hold(files, _READERS, Conditions(MEMORY, programs=str(folder)), DEFAULT.at(versions))
    assert not any(wrong.values()), f"{versions}\n{_told(wrong)}"
    assert unknown.total() <= _UNKNOWN * len(files)
