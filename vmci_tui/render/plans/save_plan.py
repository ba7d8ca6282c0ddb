"""The plan of a save in a few sentences: what the new file will be, and what stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vmci_tui.common.sizes import size_text
from vmci_tui.document.document import Document
from vmci_tui.layers.image import NewBytes
from vmci_tui.render.plans.plan_lines import PlanLine
from vmci_tui.render.verdict_report import harm_words
from vmci_tui.saving.harm import Harm
from vmci_tui.saving.plan import Plan

_LABELS: Final = 4
"""Edits that are named; more are counted."""


def copy_summary(document: Document, plan: Plan, harm: Harm, untouched: bool) -> tuple[PlanLine, ...]:
    """Return what a copy will be; `untouched`: nothing was edited since the file was opened."""
    return (*_harm(harm), *_copy(document, plan, untouched))


def in_place_summary(document: Document, plan: Plan, harm: Harm) -> tuple[PlanLine, ...]:
    """Return what a save in place does to the open file."""
    return (*_harm(harm), *_in_place(document, plan))


def _harm(harm: Harm) -> Iterator[PlanLine]:
    yield from (PlanLine(words, "error") for words in harm_words(harm))


def _copy(document: Document, plan: Plan, untouched: bool) -> Iterator[PlanLine]:
    if untouched:
        keys = "f fixes a finding" if document.dump is None else "R repairs the file, f fixes one finding"
        if document.is_image:
            keys = "R repairs the dump that is saved, f fixes one finding"
        yield PlanLine(f"Nothing was changed yet: {keys}.", "warning")
    if document.is_image:
        yield from _dump_of_image(document, plan)
        return
    if plan.empty:
        yield PlanLine(f"The copy would be identical to the open file ({size_text(document.source.size)}).")
        return
    if document.dump is None:
        yield PlanLine(f"New file, {size_text(plan.image.size)}: {'; '.join(step.why for step in plan.steps)}.")
        return
    yield PlanLine(f"New file, about {size_text(plan.image.size)}: {_edits(document, plan)}.")
    yield PlanLine("Guest memory stays as it is, and is compared after the save. The open file is not changed.", "dim")


def _dump_of_image(document: Document, plan: Plan) -> Iterator[PlanLine]:
    """Yield what a save of a memory image writes: a dump with all memory that the image has."""
    dump = document.dump
    assert dump is not None
    note = "with the VMCOREINFO note" if document.state.note is not None else "without a VMCOREINFO note"
    edits = "" if plan.empty else f": {_edits(document, plan)}"
    size = size_text(document.source.size if plan.empty else plan.image.size)
    yield PlanLine(f"An ELF dump of this {document.container_title}, {size}, {note}{edits}.")
    if dump.missing:
        yield PlanLine(f"The dump will lack memory: {dump.missing}.", "warning")
    yield PlanLine("All memory is compared after the save. The image is not changed.", "dim")


def _in_place(document: Document, plan: Plan) -> Iterator[PlanLine]:
    if plan.empty:
        yield PlanLine("No changes: the file already has these bytes.")
        return
    yield PlanLine(f"Writes at most {size_text(plan.bytes_written)} into the file: {_edits(document, plan)}.")
    yield PlanLine(f"{plan.choice[:1].upper()}{plan.choice[1:]}.", "dim")


def _edits(document: Document, plan: Plan) -> str:
    """Return the edits as words, and whether the headers are rewritten."""
    labels = list(document.labels)
    words = labels[:_LABELS]
    if len(labels) > _LABELS:
        words.append(f"{len(labels) - _LABELS} more edits")
    head = sum(change.extent.length for change in plan.changes if isinstance(change.extent, NewBytes))
    return "; ".join([*words, f"headers and notes rewritten ({size_text(head)})"])
