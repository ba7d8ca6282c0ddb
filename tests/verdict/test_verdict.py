"""Test the verdict on a file: who can use it and why not, and the keys that help, in any width."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit import opened, saved
from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.document import edit_notes, edit_text
from vmci_tui.document.edit import Edit
from vmci_tui.findings.judgement import Judgement
from vmci_tui.repair.safe_fixes import repair
from vmci_tui.verdict.diagnosis import Diagnosis, fitted
from vmci_tui.verdict.judged import diagnosis
from vmci_tui.verdict.outlook import Looking, Outlook

Sample = Callable[[str], str]
KEYS = {"repair": "R", "save": "s", "undo": "u", "next": "W", "find": "F", "append": "a", "readers": "v"}


def said(name: str, sample: Sample, tried: bool = True, edited: bool = False) -> Diagnosis:
    """Return the verdict on a sample, with a tried repair, or after its fixes."""
    document = open_document(sample(name))
    outlook: Outlook = None
    if tried or edited:
        outlook = repair(document.snapshot())
        for step in outlook.steps if edited else ():
            document.edit(step.edit)
    return diagnosis(Judgement.of(document), None if edited else outlook, None)


@pytest.mark.parametrize(
    ("name", "tone", "sentence", "keys"),
    [
        ("amd64-cut-nonote.elf", "error", "No reader can use this dump: its VMCOREINFO note is missing.", ["repair"]),
        ("crlf.elf", "warning", "drgn, libkdumpfile and makedumpfile cannot use this dump:", ["repair"]),
        ("amd64-cut-note.elf", "good", "All 6 readers accept this dump.", ["next"]),
        ("s390x-cut-note.elf", "good", "All 4 readers accept this dump.", ["next"]),
        ("x86_64-windows.elf", "dim", "This dump is of a Windows guest", ["next"]),
        ("i386-qemu.kdump", "error", "No reader can use this dump: the kdump header", ["repair"]),
    ],
)
def test_a_dump_as_it_was_opened(sample: Sample, name: str, tone: str, sentence: str, keys: list[str]) -> None:
    shown = said(name, sample)
    assert shown.tone == tone and shown.sentence[0].startswith(sentence)
    assert [item.action for item in shown.offers] == keys


def test_a_note_found_in_memory_is_offered_with_what_it_brings(sample: Sample) -> None:
    shown = said("amd64-cut-nonote.elf", sample)
    assert shown.detail[0] == "It was found in guest memory and proved (Linux 6.1.0-56-amd64)."
    assert shown.offers[0].words == "Put it back: 6 of 6 readers accept"


def test_fixes_that_win_no_reader_say_so(sample: Sample) -> None:
    assert said("hostile-text.elf", sample).offers[0].words == "Apply the fix: still 4 of 6 readers accept"


def test_a_note_that_is_not_proved_is_a_question(sample: Sample) -> None:
    shown = said("armhf-nonote.elf-win16k", sample)
    assert [item.action for item in shown.offers] == ["find"] and "not proved" in shown.detail[-1]


def test_nothing_is_said_of_a_search_that_has_not_ended(sample: Sample) -> None:
    judgement = Judgement.of(open_document(sample("amd64-cut-nonote.elf")))
    shown = diagnosis(judgement, Looking("scan: 67 of 192 MiB"), None)  # type: ignore[arg-type]
    assert shown.detail[0] == "Looking for it in guest memory: scan: 67 of 192 MiB ..."


def test_a_text_that_memory_contradicts_is_not_good_because_readers_accept_it(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    document.edit(Edit.of(edit_text.set_key, b"OSRELEASE", b"6.1.0-56-amd64x"))
    judgement = Judgement.of(document)
    unsaved = diagnosis(judgement, None, None)
    assert unsaved.tone == "error" and "accept this dump" in unsaved.sentence[0] and ": " in unsaved.sentence[0]
    document.mark_saved(entry=False)
    judgement = Judgement.of(document)
    saved_as = diagnosis(judgement, None, "other.elf")
    assert saved_as.tone == "error" and ", but " in saved_as.sentence[0]


def test_an_edit_is_said_with_what_saving_brings(sample: Sample) -> None:
    shown = said("amd64-cut-nonote.elf", sample, edited=True)
    assert shown.tone == "good"
    accepted = "After saving, 6 of 6 readers accept this dump (now: 0 of 6)"
    assert shown.sentence[:2] == (f"{accepted}; libkdumpfile finds no kernel memory in it.", f"{accepted}.")
    assert [item.action for item in shown.offers] == ["save", "undo"]
    assert shown.detail[0].startswith("Not saved: ")


def test_a_saved_copy_is_named(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-nonote.elf"))
    for step in repair(document.snapshot()).steps:
        document.edit(step.edit)
    document.mark_saved(entry=False)
    shown = diagnosis(Judgement.of(document), None, "/tmp/a-fixed.elf")
    assert shown.sentence[0] == "Saved as /tmp/a-fixed.elf: 6 of 6 readers accept it, 1 finds no memory."
    assert [item.action for item in shown.offers] == ["next"]


def test_an_entry_alone_says_what_qemu_will_do(sample: Sample) -> None:
    shown = said("two-halves.write.json", sample, tried=False)
    assert shown.tone == "error" and shown.sentence[0].startswith("QEMU will add no note to the dump: ")
    assert [item.action for item in shown.offers] == ["repair"]
    good = said("good.entry", sample, tried=False)
    assert good.tone == "good" and good.sentence[0] == "QEMU will read 4132 bytes at paddr 0x19c8000."


@pytest.mark.parametrize("name", ["amd64-cut-nonote.elf", "crlf.elf", "x86_64-bad-phys-base.elf", "good.entry"])
@pytest.mark.parametrize("width", [1, 20, 40, 76, 116, 196])
def test_two_rows_of_any_width_are_cut_only_with_a_mark(sample: Sample, name: str, width: int) -> None:
    shown = said(name, sample, tried=name.endswith("elf"))
    fit = fitted(shown, KEYS, width)
    assert len(fit.sentence) <= width and (fit.sentence in shown.sentence or fit.sentence.endswith("."[:width]))
    row = "  ".join(filter(None, (fit.detail, *(text for _, text in fit.offers))))
    assert len(row) <= width
    if width >= 40:
        assert [item.action for item, _ in fit.offers][:1] == [item.action for item in shown.offers][:1]


def test_a_note_that_memory_cannot_confirm_is_replaced_by_the_proved_one(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-note.elf"))
    document.edit(Edit.of(edit_text.set_key, b"NUMBER(phys_base)", b"4096"))
    wrong = opened(saved(document))
    shown = diagnosis(Judgement.of(wrong), repair(wrong.snapshot()), None)
    assert shown.tone == "warning" and shown.sentence[0].endswith("but guest memory cannot confirm its note.")
    assert shown.offers[0].action == "repair" and "found in guest memory and proved" in shown.detail[0]


def test_an_error_that_no_reader_minds_is_not_shown_as_good(sample: Sample) -> None:
    document = open_document(sample("amd64-cut-nonote.elf"))
    document.edit(Edit.of(edit_notes.append_text, (SAMPLES / "lessons/fabricated.txt").read_bytes(), "little"))
    made = opened(saved(document))
    shown = diagnosis(Judgement.of(made), None, None)
    assert shown.tone == "error" and shown.sentence[0].startswith("All 6 readers accept this dump, but ")
