"""Tests of the steps of QEMU: they must say what the verdict says."""

from __future__ import annotations

import pytest

from tests.opened_files import open_document
from vmci_tui.common.safe_text import Safe
from vmci_tui.document.document import Document, entry_document
from vmci_tui.document.entry_templates import TEMPLATES
from vmci_tui.formats.fw_cfg_entry import LENGTH, RESET, Entry, EntryHistory, Write
from vmci_tui.layers.file import BytesSource
from vmci_tui.readers.qemu import verdict
from vmci_tui.readers.qemu.dump_steps import VERSIONS, DumpSteps, dump_steps

_ENTRY = Entry(0, 1, 4132, 0x19C8000)


def _document(*writes: Write) -> Document:
    return entry_document(Safe("x"), EntryHistory("writes", writes), BytesSource(RESET))


def _words(steps: DumpSteps) -> dict[str, str]:
    return {step.name: str(step.says) for step in steps.steps}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_the_steps_of_every_template_agree_with_the_verdict(template: object) -> None:
    assert isinstance(template, type(TEMPLATES[0]))
    document = _document(*template.writes(_ENTRY))
    for steps in dump_steps(document):
        judged = verdict(document, steps.version)
        failed = [step for step in steps.steps if step.passes is False]
        if judged.accepts is False:
            assert failed and str(judged.says) == steps.brief == _words(steps)["warns"]
        else:
            assert judged.accepts is None and not failed and steps.brief.startswith("reads ")


@pytest.mark.parametrize(
    ("writes", "name", "words"),
    [
        ((), "present", "no: never written"),
        ((Write(0, 17, bytes(17)),), "present", "no: no write was accepted"),
        ((Write(8, 8, bytes(8)),), "present", "no: 8 bytes at 8, not 16 at 0"),
        ((Write(0, LENGTH, _ENTRY._replace(guest_format=0).pack()),), "present", "no: format 0 withdraws it"),
        ((Write(0, LENGTH, _ENTRY._replace(size=11).pack()),), "size", "11: less than a note header"),
        ((Write(0, LENGTH, _ENTRY._replace(guest_format=2).pack()),), "format", "2: not supported"),
        ((Write(0, LENGTH, _ENTRY.pack()),), "reads", "4132 bytes at paddr 0x19c8000"),
    ],
)
def test_each_check_is_named(writes: tuple[Write, ...], name: str, words: str) -> None:
    oldest, newest = dump_steps(_document(*writes))
    assert (oldest.version, newest.version) == VERSIONS
    assert _words(oldest)[name] == words
    names = list(_words(oldest))
    later = [step for step in oldest.steps if names.index(name) < names.index(step.name) < names.index("appends")]
    if name != "reads":
        assert all(not step.says and step.passes is None for step in later), "QEMU does not get there"


def test_the_note_in_memory_is_read(sample: object) -> None:
    assert callable(sample)
    document = open_document(sample("x86_64-linux-good.elf"), sample("x86_64-linux-good.entry"))
    for steps in dump_steps(document):
        words = _words(steps)
        assert words["note"].startswith("VMCOREINFO") and words["appends"].endswith(" bytes")
        assert words["warns"] == "nothing"
    assert dump_steps(open_document(sample("amd64-cut-note.elf"))) == ()
