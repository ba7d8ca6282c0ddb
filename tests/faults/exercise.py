"""Run everything that reads a file over one file, and assert what must hold for any file.

No exception but VmciError; all output is printable ASCII; every fix applies and
removes its finding; appending twice equals appending once; undoing all edits restores the opened state.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from tests.dumps import factory
from tests.kit import become
from vmci_tui.adoption import choose as adopt
from vmci_tui.common.errors import SaveError, VmciError
from vmci_tui.common.progress import no_progress
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_entry, edit_notes, edit_text
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.findings import Finding
from vmci_tui.findings.judgement import Judgement
from vmci_tui.formats.hex_dump import dump_lines
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import open_document
from vmci_tui.render import dump_report as report
from vmci_tui.render.candidate_report import candidates_json, candidates_text, repair_json, repair_text
from vmci_tui.render.finding_report import findings_text
from vmci_tui.repair.repaired import Repair
from vmci_tui.repair.safe_fixes import STEPS, Choice, repair
from vmci_tui.saving.plan import plan_copy

_FIXES: Final = 6
"""The most findings whose fixes are tried one by one, before all are tried in sequence."""


_REPAIRED: Final = 0.25
"""One in this many cases is searched and repaired: that takes as long as all other checks."""


def printable(text: str, what: str) -> None:
    """Assert that a text is one line of printable ASCII; return it."""
    assert text.isascii() and text.isprintable(), f"{what} is not printable ASCII: {text[:200]!a}"


def exercise(path: str, blob: str | None, rng: Random, seen: Counter[str]) -> None:
    """Open `path`, run every check on it, and count the outcome in the counter `seen`."""
    try:
        document = open_document(path, blob)
    except VmciError as error:
        printable(str(error), "the refusal")
        assert error.message, "a refusal has words"
        seen["refused"] += 1
        return
    seen["opened"] += 1
    try:
        found = look(document)
        seen.update(item.code for item in found)
        for item in found if len(found) <= _FIXES else rng.sample(found, _FIXES):
            _fix(document, item, found)
        _fix_all(document, found)
        _edit(document, rng)
        if rng.random() < _REPAIRED:
            _repair(document, rng)
    finally:
        for source in (document.source, document.blob):
            if isinstance(source, FileSource):
                source.close()


def look(document: Document) -> tuple[Finding, ...]:
    """Compute everything that is shown of a document, to its end."""
    for line in report.show_text(document, with_keys=True):
        printable(line, "a line of show")
    _printable_json(report.show_json(document))
    found = Judgement.of(document).found
    for line in findings_text(found):
        printable(line, "a line of check")
    _printable_json(report.findings_json(found))
    layout = document.layout
    at = 0
    for region in layout.regions:
        assert at <= region.offset and region.length > 0, "regions are sorted and disjoint"
        at = region.end
    assert at <= layout.image.size
    for item in found:
        if item.fix is not None:
            printable(item.fix.label, "the label of a fix")
        if item.span is not None:
            assert item.span.offset >= 0 and item.span.length >= 0, (item.code, item.span)
            if item.span.of == "file":
                document.read(item.span.offset, min(item.span.length, 4096))
    for line in dump_lines(document.read(0, 256)):
        printable(line, "a line of hex")
    try:
        plan = plan_copy(document)
    except VmciError as error:
        printable(str(error), "why it cannot be saved")
        return found
    for line in report.plan_text(plan, document.source):
        printable(line, "a line of the plan")
    _printable_json(report.plan_json(plan))
    assert sum(step.length for step in plan.steps) in (0, plan.image.size)
    return found


def _printable_json(value: object) -> None:
    """Assert that strings in JSON are printable before they are escaped: programs may show them."""
    text = json.dumps(value, ensure_ascii=False)
    printable(text, "JSON")


def _after(document: Document, state: State) -> Document:
    fresh = Document(document.name, document.source, document.dump, document.opened, document.blob, document.blob_name)
    fresh.edit(become(state))
    return fresh


def _lines(document: Document) -> int:
    text = document.state.vmcoreinfo
    return 0 if text is None else len(text.lines)


def _fix(document: Document, item: Finding, found: tuple[Finding, ...]) -> None:
    """Assert that a fix is an edit that removes its finding, one of `found`."""
    if item.fix is None:
        return
    same = [f for f in found if f.code == item.code]
    try:
        fixed = _after(document, item.fix.apply(document.state))
    except VmciError as error:
        printable(str(error), "why it cannot be fixed")
        return
    left = [f for f in Judgement.of(fixed).found if f.code == item.code]
    assert fixed.state != document.state, f"the fix of {item.code} ({item.fix.label}) changes nothing"
    # In a shorter text a reader may get further than before: that is a new finding, without a fix.
    fixable = sum(f.fix is not None for f in left) <= sum(f.fix is not None for f in same)
    # After a line is deleted, the next one may have an equal finding, with the same number and message.
    removed = item not in left or _lines(fixed) < _lines(document)
    assert fixable and removed, f"the fix of {item.code} ({item.fix.label}) removes nothing"


def _fix_all(document: Document, found: tuple[Finding, ...]) -> None:
    """Apply all fixes, one after the other, as a user who presses the same key repeatedly."""
    state = document.state
    for _ in range(12):
        item = next((f for f in found if f.fix is not None), None)
        if item is None or item.fix is None:
            break
        try:
            fixed = _after(document, item.fix.apply(state))
        except VmciError:
            break
        state, found = fixed.state, Judgement.of(fixed).found
    look(_after(document, state))


def _repair(document: Document, rng: Random) -> None:
    """Search memory, and repair: each step can be undone, and a second repair changes nothing."""
    if document.dump is None:
        return
    judged = adopt.search(guest_of(document.dump), no_progress, everywhere=rng.random() < 0.5)
    for line in candidates_text(judged):
        printable(line, "a line of find")
    _printable_json(candidates_json(judged))
    other = _after(document, document.state)
    try:
        done = repair(other, Choice(paddr=judged[0].candidate.paddr if judged and rng.random() < 0.3 else None))
    except SaveError as error:  # no file has room for the note
        printable(str(error), "why it cannot be repaired")
        return
    for line in repair_text(done):
        printable(line, "a line of repair")
    _printable_json(repair_json(done))
    assert len(other.labels) == len(done.steps) and not (done.question and done.steps)
    again = repair(_after(other, other.state))
    assert not again.steps or len(done.steps) >= STEPS, f"after {_told(done)} there is still {_told(again)} to do"
    while other.undo():
        pass
    assert other.state == document.state


def _told(done: Repair) -> list[str]:
    return [f"{step.code} {step.edit.label}" for step in done.steps]


def _edit(document: Document, rng: Random) -> None:
    """Apply random edits; appending twice equals appending once; undoing all restores the opened state."""
    order = document.dump.order if document.dump else "little"
    text = rng.choice((factory.TEXT_64, b"OSRELEASE=x", b"", b"\xff\0\x1b[31m\n" * 5))
    of_entry: tuple[Callable[[State], State], ...] = (
        lambda state: edit_entry.set_field(state, rng.choice(("size", "paddr", "\x1b[31m")), rng.getrandbits(40)),
        edit_entry.rewrite_whole,
        edit_entry.swap_entry,
    )
    of_notes: tuple[Callable[[State], State], ...] = (
        lambda state: edit_notes.append_text(state, text, order),
        edit_notes.strip,
        lambda state: edit_text.set_key(state, b"PAGESIZE", b"65536"),
        lambda state: edit_text.set_key(state, b"\x1b]0;", b"\x9b"),
        lambda state: edit_text.delete_key(state, b"OSRELEASE"),
        lambda state: edit_text.set_text(state, text),
        lambda state: edit_notes.rename_note(state, 0, b"VMCOREINFO\0") if state.notes else state,
        lambda state: edit_notes.retype_note(state, 0, rng.getrandbits(33)) if state.notes else state,
        lambda state: edit_notes.drop_note(state, 0) if state.notes else state,
    )
    every = (*of_entry, *of_notes) if document.dump else of_entry
    changed = 0
    for _ in range(3):
        try:
            changed += document.edit(become(rng.choice(every)(document.state)))
        except VmciError as error:
            printable(str(error), "why it cannot be edited")
    if document.dump is not None:
        once = edit_notes.append_text(document.state, text, order)
        assert edit_notes.append_text(once, text, order) == once, "appending twice equals appending once"
    look(document)
    for _ in range(changed):
        assert document.undo() is not None
    assert document.state == document.opened and document.undo() is None
