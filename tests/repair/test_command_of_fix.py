"""Test that the command shown for a fix makes exactly this fix: over the findings of all samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.common.errors import VmciError
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.safe_fixes import Choice, command_of_fix, repair

_DUMPS = [path for path in sorted(SAMPLES.iterdir()) if ".elf" in path.name or path.suffix == ".kdump"]


@pytest.mark.parametrize("path", _DUMPS, ids=lambda path: path.name)
def test_the_command_makes_the_same_fix(path: Path) -> None:
    document = open_document(str(path))
    found = Judgement.of(document).found
    for finding in found:
        if finding.fix is None or command_of_fix(finding, found, document.state) is None:
            continue
        by_key, by_command = document.snapshot(), document.snapshot()
        try:
            by_key.edit(finding.fix)
        except VmciError:
            continue  # nor is a command shown
        repair(by_command, Choice(frozenset([finding.code])))
        assert by_command.state == by_key.state, finding.code


def test_the_line_ends_have_a_short_command() -> None:
    document = open_document(str(SAMPLES / "crlf.elf"))
    found = Judgement.of(document).found
    (finding,) = (item for item in found if item.code == "T02")
    assert command_of_fix(finding, found, document.state) == "repair FILE --only T02"
    assert command_of_fix(finding, (finding, finding), document.state) is None, "it would make both"
