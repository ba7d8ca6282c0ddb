"""Test that a judgement with too many steps is reported as unknown, and that a stopped one ends at the next step."""

from __future__ import annotations

import pytest

from tests.odd_numbers import opened
from vmci_tui.common.budget import Budget
from vmci_tui.common.errors import Cancelled, Spent
from vmci_tui.findings.judgement import Judgement
from vmci_tui.proof.prove import proof_of
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import judge_file

_DUMP = "arm64-cut-note.elf"


def test_steps_are_counted_and_long_reads_cost_more() -> None:
    budget = Budget(3)
    budget.spend()
    budget.spend(1 << 16)
    with pytest.raises(Spent, match="given up after 3 steps"):
        budget.spend()
    budget.refill().spend()


def test_a_large_file_has_steps_for_all_its_records() -> None:
    budget = Budget(3).refill(8 << 30)
    for _ in range(2 << 20):
        budget.spend(16)
    budget.refill(1 << 60)
    with pytest.raises(Spent, match="given up after 4194307 steps"):
        budget.spend(1 << 62)


def test_the_verdict_of_a_reader_with_too_many_steps_is_unknown() -> None:
    document = opened(_DUMP)
    for verdict in judge_file(View(document.source, budget=Budget(1))).values():
        assert verdict.accepts is None and verdict.says == "given up after 1 steps", verdict.reader.name


def test_a_proof_with_too_many_steps_proves_nothing() -> None:
    document = opened(_DUMP)
    proof = proof_of(document.state, document.dump, Budget(0))
    assert proof is not None and proof.proved is None and "given up after 0 steps" in proof.why


def test_the_samples_take_a_hundredth_of_the_budget() -> None:
    document = opened(_DUMP)
    both = Judgement.of(document, budget=Budget(1 << 12)).both
    assert not [name for name, verdict in both.now.items() if "given up" in verdict.says]


def test_a_judgement_and_a_proof_are_stopped_from_outside() -> None:
    document = opened(_DUMP)
    stopped = Budget(stopped=lambda: True)
    with pytest.raises(Cancelled):
        Judgement.of(document, budget=stopped).complete()
    with pytest.raises(Cancelled):
        proof_of(document.state, document.dump, stopped)
