"""Report a conversion: what the source holds, what is proved and for which memory, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vmci_tui.common.sizes import size_text
from vmci_tui.layers.range_table import Range
from vmci_tui.render.candidate_report import repair_json, repair_text
from vmci_tui.render.dump_report import entry_json
from vmci_tui.render.headline import contents
from vmci_tui.render.image_report import remarks
from vmci_tui.repair.conversion import Conversion

Json = dict[str, Any]
SHOWN: Final = 16
"""The most ranges of memory that are listed."""


def conversion_json(made: Conversion) -> Json:
    """Return what the source holds, the repair, and the indices of the ranges of memory that the proof is about."""
    dump = made.document.dump
    assert dump is not None
    return {
        "container": dump.container,
        "machine": dump.machine,
        "entry": entry_json(made.document) if made.document.state.entry else None,
        "doubts": list(dump.doubts),
        "missing": dump.missing or None,
        "unread": [{"paddr": item.paddr, "length": item.length} for item in made.unread],
        "witnessed": list(made.witnessed),
        **repair_json(made.done),
    }


def conversion_text(made: Conversion) -> Iterator[str]:
    """Yield what was converted, how far that is proved, and what every reader says before and after."""
    dump = made.document.dump
    assert dump is not None
    yield f"{contents(made.document)}, from {made.document.container_title}"
    yield from (f"  {sentence}" for sentence in remarks(dump))
    if made.by_entry:
        yield "the note is the one that the entry names; memory does not prove it"
    yield from repair_text(made.done)
    yield from witnessed_text(made)


def witnessed_text(made: Conversion) -> Iterator[str]:
    """Yield for which ranges of memory the note is proved, and which have no witness; nothing if it is not proved."""
    dump = made.document.dump
    assert dump is not None
    if not made.witnessed:
        return
    ranges = dump.memory.ranges
    yield f"proved for {len(made.witnessed)} of {len(ranges)} ranges of memory"
    for index in made.witnessed[:SHOWN]:
        yield f"  proved      {range_text(ranges[index])}"
    known = set(made.witnessed)
    rest = [index for index in range(min(len(ranges), SHOWN + len(known))) if index not in known]
    for index in rest[:SHOWN]:
        yield f"  no witness  {range_text(ranges[index])}"
    if len(ranges) > min(len(made.witnessed), SHOWN) + min(len(rest), SHOWN):
        yield "  and more; --json lists all"


def range_text(item: Range) -> str:
    """Return the first and the last address of a range, and its length."""
    return f"{item.paddr:#x}-{item.end - 1:#x}, {size_text(item.length)}"
