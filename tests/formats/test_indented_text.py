"""Test texts with blanks before the keys."""

from __future__ import annotations

from tests.dumps.factory import TEXT_64, cpus, elf, note
from tests.kit import found, opened, saved
from vmci_tui.formats.vmcoreinfo import is_indented, unindented
from vmci_tui.repair.safe_fixes import repair

_CRASH = b"".join(b" " * 22 + line for line in TEXT_64.splitlines(keepends=True))


def test_indented_and_other_texts() -> None:
    assert is_indented(_CRASH) and is_indented(b"\tA=1\n\n  B=2") and is_indented(_CRASH.removesuffix(b"\n"))
    for text in (TEXT_64, b"", b"\n", b"A=1\n B=2\n", b"  prose\n", b"  =1\n"):
        assert not is_indented(text)


def test_only_the_blanks_are_removed() -> None:
    assert unindented(_CRASH) == TEXT_64
    assert unindented(b"A=1\n \t B= 2 \n  prose = x\n\n   \n") == b"A=1\nB= 2 \nprose = x\n\n   \n"


def test_an_indented_note_is_reported_and_repaired() -> None:
    document = opened(elf((cpus() + note(_CRASH),)))
    assert found(document)["T26"].message == "every line is indented"
    done = repair(document)
    assert "T26" in [step.code for step in done.steps]
    text = opened(saved(document)).state.vmcoreinfo
    assert text is not None and text.text == TEXT_64
    some = opened(elf((cpus() + note(TEXT_64 + b"  TITLE=x\n"),)))
    assert found(some)["T26"].message.startswith("1 of ")
