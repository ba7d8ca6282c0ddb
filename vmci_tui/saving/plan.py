"""Plan a save: what is written where, and why, to be shown before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from vmci_tui.common.errors import SaveError
from vmci_tui.document.document import Document
from vmci_tui.formats import entry_writes_json as writes
from vmci_tui.formats.fw_cfg_entry import LENGTH, EntryHistory
from vmci_tui.layers.file import FileSource, Source
from vmci_tui.layers.image import Image, ImageChange, NewBytes, SourceBytes, diff

Strategy = Literal["overwrite", "lift", "copy", "append", "none"]


class PlanStep(NamedTuple):
    """One range of the target: the action, and its reason."""

    do: str
    offset: int
    length: int
    why: str


_CHOICE = {
    "none": "the file already has these bytes",
    "copy": "copy, to a new file: the open file is not changed",
    "overwrite": "overwrite: the changes fit into their places, so nothing else has to move",
    "lift": "lift: the new headers and notes do not fit before memory, so its first bytes go to the end of the file; "
    "crash would refuse notes at the end",
    "append": "append: the notes go to the end of the file",
}


@dataclass(frozen=True)
class Plan:
    """The difference between the file and the wanted image, and the strategy to write it."""

    strategy: Strategy
    steps: tuple[PlanStep, ...]
    changes: tuple[ImageChange, ...]
    image: Image
    reasons: tuple[str, ...]
    base: Source | None = None
    """The source of the image; None for the open file."""

    @property
    def choice(self) -> str:
        """The reason for this strategy."""
        return _CHOICE[self.strategy]

    @property
    def bytes_written(self) -> int:
        """The most bytes that are written; holes and shared blocks need fewer."""
        return sum(step.length for step in self.steps)

    @property
    def empty(self) -> bool:
        return self.strategy == "none"


def plan_copy(document: Document, target: str = "") -> Plan:
    """Plan a new file with the state; the plan is empty if the file would equal the old one.

    An entry is saved as the guest's writes if the target's name is one for writes.
    """
    if document.dump is None:
        return _plan_writes(document) if writes.is_named_so(target) else _plan_entry(document)
    layout = document.saved_layout
    base = layout.base or document.source
    changes = diff(base, layout.image)
    if base is document.source and not changes and layout.image.size == document.source.size:
        return Plan("none", (), (), layout.image, ())
    why_head = "; ".join((*document.labels, *layout.reasons)) or "the headers in the order that readers need"
    steps = []
    for offset, extent in layout.image.placed():
        if isinstance(extent, NewBytes):
            steps.append(PlanStep("write the headers", offset, extent.length, why_head))
        else:
            moved = "" if extent.offset == offset else f", from {extent.offset:#x}"
            steps.append(PlanStep("copy", offset, extent.length, f"guest memory, unchanged{moved}"))
    return Plan("copy", tuple(steps), changes, layout.image, layout.reasons, layout.base)


def plan_in_place(document: Document) -> Plan:
    """Plan the changes of the open file itself: its headers and notes, and memory that they grow into."""
    if document.dump is None:
        history = document.state.entry
        if history is not None and history.needs_list and not history.present:
            # The 16 bytes alone would be a note that is present.
            raise SaveError("16 bytes cannot keep the list of writes", "save a copy as NAME.write.json")
        plan = _plan_entry(document)
        return plan if plan.empty else replace(plan, strategy="overwrite")
    layout = document.dump.layout(document.state.of_dump._replace(in_place=True))
    changes = diff(document.source, layout.image)
    if not changes and layout.image.size == document.source.size:
        return Plan("none", (), (), layout.image, ())
    lifted = layout.image.size > document.source.size and any(isinstance(c.extent, SourceBytes) for c in changes)
    steps = []
    for change in sorted(changes, key=lambda change: change.offset < document.source.size):
        if isinstance(change.extent, SourceBytes):
            why = f"the first bytes of memory, from {change.extent.offset:#x}: the headers grow into their place"
            steps.append(PlanStep("lift", change.offset, change.extent.length, why))
        else:
            why = "; ".join((*document.labels, *layout.reasons)) or "the headers in the order that readers need"
            do = "append the notes" if change.offset >= document.source.size else "write the headers"
            steps.append(PlanStep(do, change.offset, change.extent.length, why))
    appended = layout.image.size > document.source.size and layout.appends
    strategy: Strategy = "lift" if lifted else "append" if appended else "overwrite"
    return Plan(strategy, tuple(steps), changes, layout.image, layout.reasons)


def _plan_entry(document: Document) -> Plan:
    history = document.state.entry
    if history is None:
        raise SaveError("there is no entry to save", "open one, or make one: vmci new entry -o BLOB")
    raw = history.entry.pack() if history.origin == "blob" else history.raw
    image = Image((NewBytes(raw),))
    why = "; ".join(document.labels) or "an entry is 16 bytes"
    if not isinstance(document.source, FileSource):
        # Hand-crafted, or left by writes: no file exists that could already be right.
        if history.origin == "writes":
            why = "the 16 bytes that the writes left; to keep the list of writes, save as NAME.write.json"
            if not history.present:
                why += "; a blob cannot record that the note is not present"
        return Plan("copy", (PlanStep("write the entry", 0, LENGTH, why),), (), image, ())
    changes = diff(document.source, image)
    if not changes and document.source.size == LENGTH:
        return Plan("none", (), (), image, ())
    return Plan("copy", (PlanStep("write the entry", 0, LENGTH, why),), changes, image, ())


def _plan_writes(document: Document) -> Plan:
    history = document.state.entry or EntryHistory("writes")
    data = writes.encode(history)
    why = "; ".join((*document.labels, f"the guest's writes, {len(history.writes)}, as JSON"))
    return Plan("copy", (PlanStep("write the list", 0, len(data), why),), (), Image((NewBytes(data),)), ())
