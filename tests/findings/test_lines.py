"""Test the finding about lines that the kernel's tables contradict: one each, or one for a note of another kernel."""

from __future__ import annotations

from tests.opened_files import open_document
from tests.paths import SAMPLES
from vmci_tui.document import edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.edit import Edit
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.kernel.facts.running_kernel import Fact, NotKnown
from vmci_tui.kernel.lines.proved_line import KernelFacts

CODES = {"M13"}
"""The codes whose cases are here."""


def proved_dump() -> Document:
    """Return a dump whose note two witnesses prove."""
    return open_document(str(SAMPLES / "amd64-cut-note.elf"))


def facts_in(document: Document, unknown: tuple[bytes, ...] = ()) -> KernelFacts:
    """Return what the lines of a dump's note say, as what memory says; nothing of the `unknown` keys."""
    text = document.state.vmcoreinfo
    assert text is not None
    pairs = {line.key: line.value for line in text.lines if line.key and line.value is not None}
    return KernelFacts(
        {key: NotKnown("no such type") if key in unknown else Fact(value, "a test") for key, value in pairs.items()}
    )


def contradicted(document: Document, facts: KernelFacts) -> list[Finding]:
    return [item for item in Judgement.of(document, facts=facts).found if item.code == "M13"]


def falsify(document: Document, key: bytes) -> None:
    """Change the value of a line to another number."""
    text = document.state.vmcoreinfo
    value = None if text is None else text.get(key)
    assert value is not None
    document.edit(Edit.of(edit_text.set_key, key, value[:-1] + (b"1" if value[-1:] != b"1" else b"2")))


def test_a_false_line_is_reported_at_its_place_and_its_fix_sets_the_right_value() -> None:
    document = proved_dump()
    facts, before = facts_in(document), document.state.vmcoreinfo
    assert contradicted(document, facts) == []
    falsify(document, b"OFFSET(page.lru)")
    (finding,) = contradicted(document, facts)
    assert finding.severity == "error" and finding.span is not None and finding.fix is not None
    raw = document.read(finding.span.offset, finding.span.length)
    assert raw.startswith(b"OFFSET(page.lru)=")
    document.edit(finding.fix)
    assert contradicted(document, facts) == [] and document.state.vmcoreinfo == before


def test_an_unknown_line_is_never_reported() -> None:
    document = proved_dump()
    facts = facts_in(document, (b"OFFSET(page.lru)",))
    falsify(document, b"OFFSET(page.lru)")
    assert contradicted(document, facts) == []
    document.edit(Edit.of(edit_text.add_key, b"OFFSET(page.new)", b"8"))
    assert contradicted(document, facts) == [], "nor is one that was not looked up"


def test_a_note_of_another_kernel_is_one_finding_without_a_fix() -> None:
    document = proved_dump()
    facts, text = facts_in(document), document.state.vmcoreinfo
    assert text is not None
    for line in text.lines:
        if line.key is not None and line.key.startswith(b"SIZE("):
            falsify(document, line.key)
    (finding,) = contradicted(document, facts)
    assert finding.severity == "warning" and finding.fix is None


def test_what_two_witnesses_set_right_is_reported_once() -> None:
    document = proved_dump()
    facts = facts_in(document)
    falsify(document, b"NUMBER(phys_base)")
    found = Judgement.of(document, facts=facts).found
    codes = [item.code for item in found]
    assert "M05" in codes
    corrections = [item.fix is not None for item in found if item.code == "M05"]
    assert ("M13" in codes) != corrections[0]
