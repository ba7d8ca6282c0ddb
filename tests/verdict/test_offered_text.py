"""Test what is said of the text that a dump lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.opened_files import open_document
from vmci_tui.common.safe_text import Safe
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.verdict.offered_text import offered_text
from vmci_tui.verdict.outlook import Looking


def test_a_proved_text_is_offered_with_its_place(sample: Callable[[str], str]) -> None:
    path = sample("amd64-cut-nonote.elf")
    offered = offered_text(repair(open_document(path)))
    assert offered.words == "found at 0x19c8000 and proved: [R] puts it back"
    assert offered.text is not None and offered.start is not None
    assert Path(path).read_bytes()[offered.start :].startswith(offered.text.text)


def test_without_a_proof_or_a_text_the_key_is_another(sample: Callable[[str], str]) -> None:
    done = repair(open_document(sample("amd64-cut-nonote.elf")))
    several = done._replace(proof=None, candidates=done.candidates * 3)
    assert offered_text(several).words == "found at 0x19c8000, and 2 more, not proved: [F] to choose"
    none = offered_text(done._replace(candidates=(), searched=True))
    assert none.text is None and "[a] adds one" in none.words
    assert offered_text(Looking(Safe("3 %"))).words == "searching guest memory for it: 3 %"
    assert not offered_text(None).words
