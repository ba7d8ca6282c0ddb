"""Test that `vmci check --json` reports the verdicts of the models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.real.agreement.comparison import verdicts_of
from tests.real.agreement.mutator import Mutant, mutants
from vmci_tui.cli.run import main

_MUTANTS = tuple(mutants("command", 40))
_NOT_OPENED = 3


@pytest.mark.parametrize("mutant", _MUTANTS, ids=lambda mutant: mutant.name)
def test_the_command_line_gives_the_same_verdicts(
    mutant: Mutant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mutant.elf"
    path.write_bytes(mutant.data)
    code = main(["check", "--json", str(path)])
    out = capsys.readouterr().out
    if code == _NOT_OPENED and not out:
        return
    said = json.loads(out)
    if said["container"] == "entry":  # an empty file is a blob: readers of dumps do not judge it
        assert set(said["readers"]) == {"qemu"}
        return
    readers = said["readers"]
    expected = {
        name: {"accepts": verdict.accepts, "says": verdict.says, "osrelease": verdict.osrelease}
        for name, verdict in verdicts_of(mutant.data).items()
    }
    assert {name: {key: readers[name][key] for key in keys} for name, keys in expected.items()} == expected


def test_most_mutants_can_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = []
    for mutant in _MUTANTS:
        path = tmp_path / mutant.name
        path.write_bytes(mutant.data)
        codes.append(main(["check", "--json", str(path)]))
        capsys.readouterr()
    assert codes.count(_NOT_OPENED) < len(codes) / 5
