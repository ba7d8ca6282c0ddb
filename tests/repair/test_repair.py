"""Test repair: it makes every safe fix, no other one, and asks where needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import kit
from tests.data_files import fault
from tests.dumps import factory
from tests.opened_files import open_document
from vmci_tui.common.errors import Cancelled, EditError
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.repair.safe_fixes import Choice, repair

Sample = Callable[[str], str]
_BARE = "amd64-cut-nonote.elf"
_WITH = "amd64-cut-note.elf"


@pytest.fixture
def bare(sample: Sample) -> Document:
    return open_document(sample(_BARE))


@pytest.fixture
def proved(sample: Sample) -> Document:
    return open_document(sample(_WITH))


def text_of(document: Document) -> bytes:
    assert document.state.vmcoreinfo is not None
    return document.state.vmcoreinfo.text


def changed(document: Document, key: bytes, value: bytes) -> Document:
    """Return the document with another value in the dump's note."""
    return kit.opened(kit.saved(document.with_edit(Edit.of(edit_text.set_key, key, value))))


def test_an_accepted_dump_is_not_changed(proved: Document) -> None:
    done = repair(proved)
    assert done.steps == () and done.left == () and not done.question and not proved.modified
    assert done.candidates == ()  # and memory was not searched
    assert done.proof is not None and done.proof.proved


def test_the_proved_note_of_memory_is_adopted(bare: Document, proved: Document) -> None:
    done = repair(bare)
    assert [step.code for step in done.steps] == ["N01"]
    assert text_of(bare) == text_of(proved)
    assert done.proof is not None and done.proof.proved
    assert all(verdict.accepts for name, verdict in done.readers.after.items() if name != "qemu")
    assert bare.undo() and not bare.modified


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"NUMBER(phys_base)", b"-1677721600"),
        (b"KERNELOFFSET", b"1000000"),
        (b"OSRELEASE", b"5.10.0-1-amd64"),
        (b"SYMBOL(init_uts_ns)", b"ffffffff81000000"),
        (b"SYMBOL(swapper_pg_dir)", b"ffffffff81000000"),
        (b"PAGESIZE", b"4096x"),
    ],
)
def test_a_falsified_note_is_replaced(proved: Document, key: bytes, value: bytes) -> None:
    document = changed(proved, key, value)
    done = repair(document)
    assert text_of(document) == text_of(proved), done
    assert next(step.code for step in done.steps) in ("M05", "M06", "T07", "T20")


def test_the_right_value_is_set_if_the_note_is_not_in_memory(proved: Document) -> None:
    raw = bytearray(kit.saved(proved.with_edit(Edit.of(edit_text.set_key, b"NUMBER(phys_base)", b"4096"))))
    assert proved.dump is not None
    document = without_candidates(kit.opened(bytes(raw)))
    done = repair(document)
    assert text_of(document) == text_of(proved)
    assert [step.code for step in done.steps] == ["M05"] and "phys_base" in done.steps[0].edit.label


def without_candidates(document: Document) -> Document:
    """Return the dump with every note in its memory damaged."""
    assert document.dump is not None
    raw = bytearray(document.source.read(0, document.source.size))
    for item in document.dump.memory.ranges:
        assert item.offset is not None
        part = raw[item.offset : item.offset + item.length]
        raw[item.offset : item.offset + item.length] = part.replace(b"OSRELEASE=", b"osrelease-")
    return kit.opened(bytes(raw))


def test_an_unproved_candidate_needs_consent(sample: Sample) -> None:
    document = open_document(sample("zero-note.elf"))
    done = repair(document)
    assert done.question and done.steps == () and not document.modified
    paddr = done.candidates[0].candidate.paddr
    taken = repair(document, Choice(paddr=paddr))
    assert not taken.question and taken.steps[0].code == "N01"
    assert text_of(document) == done.candidates[0].candidate.text


def test_a_paddr_without_a_candidate_is_refused(bare: Document) -> None:
    with pytest.raises(EditError, match="0x1234000"):
        repair(bare, Choice(paddr=0x1234000))
    assert not bare.modified


def test_without_a_note_in_memory_the_rest_is_repaired_and_reported(sample: Sample) -> None:
    document = open_document(sample("x86_64-no-note.elf"))
    done = repair(document)
    assert not done.question and any(line.startswith("N01") for line in done.left)


def test_only_some_codes(bare: Document) -> None:
    assert repair(bare, Choice(only=frozenset(("C06",)))).steps == ()
    assert not bare.modified


def test_a_windows_header_is_never_removed(sample: Sample) -> None:
    document = open_document(sample("x86_64-windows.elf"))
    repair(document)
    assert document.state.note is not None and document.state.note.is_windows


def test_two_different_notes_are_kept(sample: Sample) -> None:
    document = open_document(sample("two-notes.elf"))
    done = repair(document)
    assert len([note for note in document.state.notes if note.is_vmcoreinfo]) == 2
    assert any(line.startswith("N05") for line in done.left)


def test_text_faults_without_effect_on_values_are_repaired() -> None:
    document = kit.opened(factory.elf((factory.note(factory.TEXT_64.replace(b"\n", b"\r\n")),)))
    done = repair(document)
    assert "T02" in [step.code for step in done.steps] and b"\r" not in text_of(document)


def test_duplicates_with_two_values_need_a_proof() -> None:
    text = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nNUMBER(x)=1\nNUMBER(x)=2\nNUMBER(y)=1\nNUMBER(y)=1\n"
    document = kit.opened(factory.elf((factory.note(text),)))
    repair(document)
    assert text_of(document).count(b"NUMBER(x)") == 2 and text_of(document).count(b"NUMBER(y)") == 1


def test_stopping_changes_nothing(bare: Document) -> None:
    def stop(_what: str, _done: int, _total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        repair(bare, Choice(), stop)
    assert not bare.modified


def test_refused_headers_are_merged_unless_they_must_stay() -> None:
    document = many_headers()
    done = repair(document)
    assert "C11" in [step.code for step in done.steps] and document.state.choice.merged
    other = many_headers()
    repair(other, Choice(keep_segments=True))
    assert not other.state.choice.merged


def many_headers() -> Document:
    first = factory.Load(0, b"x" * 4096)
    loads = [first, *(first._replace(at=0, vaddr=0x1000 * number) for number in range(1, 65540))]
    return kit.opened(factory.elf((factory.note(),), loads=loads))


def test_a_failed_fix_is_tried_again_after_the_others() -> None:
    """With only the last note, of a wrong type, no reader would accept: others are removed after its type is set."""
    document = kit.opened(factory.elf([factory.note(kind=1), factory.note(), factory.note(kind=1 << 31)]))
    assert [step.code for step in repair(document).steps] == ["N09", "N09", "N05"]
    assert len(document.state.notes) == 1 and not repair(document).steps


def test_a_note_of_several_pages_is_found_proved_and_adopted() -> None:
    document = kit.opened(fault("multi-page-in-memory.elf"))
    done = repair(document)
    assert [step.code for step in done.steps] == ["N01"] and done.proof is not None and done.proof.proved
    assert all(done.readers.after[name].accepts for name in ("crash", "drgn", "makedumpfile", "readelf", "eu-readelf"))
    assert document.state.note is not None and len(document.state.note.desc) > 4096
