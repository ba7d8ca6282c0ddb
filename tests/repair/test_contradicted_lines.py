"""Test that a repair sets the lines that memory contradicts, and only where all else of the note is this kernel's."""

from __future__ import annotations

import pytest

from tests.findings.test_lines import facts_in, falsify, proved_dump
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.next_commands import next_commands
from vmci_tui.repair.repaired import Repair
from vmci_tui.repair.safe_fixes import Prior, repair


def _repaired(keys: tuple[bytes, ...], unknown: tuple[bytes, ...] = ()) -> tuple[Repair, bool]:
    """Return the repair of a note with these lines false, and whether it gives back the true note."""
    document = proved_dump()
    facts, true = facts_in(document, unknown), document.state.vmcoreinfo
    for key in keys:
        falsify(document, key)
    done = repair(document, prior=Prior(facts=facts))
    return done, document.state.vmcoreinfo == true


@pytest.mark.parametrize("key", [b"OFFSET(page.lru)", b"SYMBOL(prb)", b"PAGESIZE", b"KERNELOFFSET", b"BUILD-ID"])
def test_a_false_line_is_set_right(key: bytes) -> None:
    done, same = _repaired((key,))
    assert same and [step.code for step in done.steps].count("M13") <= 1 and not done.left


def test_several_false_lines_are_set_right_in_one_repair() -> None:
    done, same = _repaired((b"OFFSET(page.lru)", b"SIZE(page)", b"OFFSET(zone.free_area)"))
    assert same and [step.code for step in done.steps] == ["M13"] * 3


def test_an_unknown_line_stays_as_it_is() -> None:
    done, same = _repaired((b"OFFSET(page.lru)",), (b"OFFSET(page.lru)",))
    assert not same and done.steps == ()


def test_a_note_of_another_kernel_is_left_alone() -> None:
    keys = tuple(f"SIZE({name})".encode() for name in ("list_head", "page", "pglist_data", "zone", "free_area"))
    document = proved_dump()
    facts = facts_in(document)
    few = type(facts)(dict(list(facts.known.items())[:20]) | {key: facts.known[key] for key in keys})
    for key in keys:
        falsify(document, key)
    assert repair(document, prior=Prior(facts=few)).steps == ()


def test_the_next_commands_are_a_repair_and_what_vmci_prints_of_the_kernel() -> None:
    document = proved_dump()
    facts = facts_in(document)
    ours = [step.command.split()[1] for step in next_commands(Judgement.of(document, facts=facts), readers=())]
    assert ours == ["log", "cpus", "prove"]
    assert next_commands(Judgement.of(document), readers=()) == (), "not where memory has no tables"
    falsify(document, b"OFFSET(page.lru)")
    ours = [step.command.split()[1] for step in next_commands(Judgement.of(document, facts=facts), readers=())]
    assert ours == ["repair", "log", "cpus", "prove"]
