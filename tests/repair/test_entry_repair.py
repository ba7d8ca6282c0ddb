"""Test the repair of an entry that is open alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.opened_files import open_document
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.entry_repair import repair_entry
from vmci_tui.repair.safe_fixes import Choice

Sample = Callable[[str], str]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("15-bytes.entry", ["E01"]),
        ("two-halves.write.json", ["E01"]),
        ("guest-format-0.entry", ["E03"]),
        ("guest-format-7.entry", ["E04"]),
        ("big-endian.entry", ["E10"]),
        ("good.entry", []),
    ],
)
def test_qemu_no_longer_refuses_a_repaired_entry(sample: Sample, name: str, codes: list[str]) -> None:
    document = open_document(sample(name))
    refused = Judgement.of(document).now["qemu"].accepts is False
    done = repair_entry(document)
    assert [step.code for step in done.steps] == codes and not done.left
    assert refused == bool(codes) and (done.readers.now["qemu"].accepts is False) == refused
    assert done.readers.after["qemu"].accepts is not False
    for _ in done.steps:
        document.undo()
    assert document.state == document.opened


@pytest.mark.parametrize(("name", "code"), [("size-0.entry", "E05"), ("never-written.entry", "E02")])
def test_what_has_no_fix_is_left_with_its_cure(sample: Sample, name: str, code: str) -> None:
    document = open_document(sample(name))
    done = repair_entry(document)
    assert not done.steps and done.left[0].startswith(code) and not document.unsaved


def test_only_the_chosen_findings_are_fixed(sample: Sample) -> None:
    done = repair_entry(open_document(sample("guest-format-7.entry")), Choice(only=frozenset({"E01"})))
    assert not done.steps and done.left
