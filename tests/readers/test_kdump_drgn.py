"""drgn's and libkdumpfile's rules over kdump files, each with a file made for it; `tests/real` runs the programs."""

from __future__ import annotations

import pytest

from tests.real.agreement.kdump_cases import Case, cases
from tests.real.agreement.kdump_mutations import kdump_mutants
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers import drgn, libkdumpfile
from vmci_tui.readers.file_view import View
from vmci_tui.readers.libkdumpfile.kdump_rules import KDUMP_RULES
from vmci_tui.readers.rule import judge

_CASES = cases()


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_the_rule_that_decides(case: Case) -> None:
    verdict = judge(drgn.READER, View(BytesSource(case.data)))
    assert verdict.accepts is case.accepts, verdict.says
    fired = [item.rule.name for item in verdict.fired]
    if case.rule is None:
        assert not fired
    elif case.accepts:
        assert case.rule in fired
    else:
        assert next(item.rule.name for item in verdict.fired if item.rule.refuses) == case.rule


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_both_take_the_same_way(case: Case) -> None:
    view = View(BytesSource(case.data))
    one, two = judge(drgn.READER, view), judge(libkdumpfile.READER, view)
    assert [f.rule.name for f in one.fired] == [f.rule.name for f in two.fired]
    assert (one.accepts, one.says, one.stage, one.osrelease, one.note, one.text) == (
        two.accepts,
        two.says,
        two.stage,
        two.osrelease,
        two.note,
        two.text,
    )


def test_every_rule_has_its_file() -> None:
    wanted = {rule.name for rule in KDUMP_RULES if rule.observed and rule.until is None}
    assert wanted <= {case.rule for case in _CASES}


def test_the_note_lies_where_the_verdict_says() -> None:
    for case in _CASES:
        view = View(BytesSource(case.data))
        verdict = judge(drgn.READER, view)
        if verdict.note is not None and case.accepts and verdict.note.length > 500 and "version" not in case.name:
            raw = view.read(verdict.note.offset, verdict.note.length)
            assert raw[12:23] == b"VMCOREINFO\0", case.name


def test_spans_lie_in_the_file() -> None:
    for mutant in kdump_mutants("spans", 150):
        verdict = judge(drgn.READER, View(BytesSource(mutant.data)))
        for item in verdict.fired:
            if item.span is not None:
                assert 0 <= item.span.offset <= len(mutant.data), (mutant.name, item)
