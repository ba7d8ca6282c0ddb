"""Test the plans of repairs and saves as lines: nothing is cut, and what happens by the way is said."""

from __future__ import annotations

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.common.progress import bar
from vmci_tui.render.plans.plan_lines import PlanLine, wrapped
from vmci_tui.render.plans.repair_plan import fixes_text, repair_plan
from vmci_tui.repair.safe_fixes import repair


def test_lines_are_wrapped_below_their_text_and_not_cut() -> None:
    words = " ".join(f"word{number}" for number in range(30))
    lines = list(wrapped([PlanLine(f"  N01  {words}", "good", 7)], 40))
    assert len(lines) > 1 and all(len(line.text) <= 40 and line.kind == "good" for line in lines)
    assert all(line.text.startswith(" " * 7 + "word") for line in lines[1:])
    assert " ".join("".join(f"{line.text} " for line in lines).split()) == f"N01 {words}"


def test_a_repair_says_what_it_fixes_by_the_way() -> None:
    done = repair(open_document(str(SAMPLES / "x86_64-bad-phys-base.elf")))
    fixed = {finding.code for finding in done.found_before} - {finding.code for finding in done.judgement.found}
    shown = fixed - {step.code for step in done.steps}
    assert {finding.code for finding in done.by_the_way} == shown
    text = "\n".join(line.text for line in repair_plan(done))
    assert all(f"  {code}  " in text for code in fixed)
    assert fixes_text(done) == ("1 fix" if len(done.steps) == 1 else f"{len(done.steps)} fixes")


def test_a_bar_is_full_only_at_the_end() -> None:
    assert bar(0, 10, 4) == "[....]" and bar(9, 10, 4) == "[###.]" and bar(10, 10, 4) == "[####]"
    assert bar(3, 0, 4) == "[....]"
