"""The parts of a file in their order, where they are and where they will be once it is saved. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from vmci_tui.changes.changed_bytes import ChangedBytes
from vmci_tui.common.safe_text import Safe, visible
from vmci_tui.common.span import Span
from vmci_tui.containers import Layout
from vmci_tui.document.document import Document

_REGIONS: Final = 512
"""Regions that are looked at: flattened files have one for each record; what follows them is one part."""
_PARTS: Final = 64
"""Parts of a map, at most."""
_GAP: Final = 4096
"""Bytes of the smallest gap that is a part: shorter ones only fill up a page."""


class MapPart(NamedTuple):
    """A header, a table, notes, or memory."""

    name: Safe
    before: Span | None
    """Its bytes in the file; None if it is new."""
    after: Span | None
    """Its bytes in the file as it would be saved; None if it is removed."""
    sign: str = ""
    """`+` new, `-` removed, `~` with other bytes; empty for the same bytes, also if they move."""


def file_map(document: Document, changed: ChangedBytes) -> tuple[MapPart, ...]:
    """Return the parts by their place, then those that are removed; `changed` are the bytes that no file has yet."""
    after = _parts(document.layout, document.state.index)
    before = _parts(document.base_layout, document.base.index) if document.unsaved else after
    out = [
        MapPart(name, before.get(name), span, _sign(before.get(name), span, changed)) for name, span in after.items()
    ]
    return (*out, *(MapPart(name, span, None, "-") for name, span in before.items() if name not in after))


def _sign(before: Span | None, after: Span, changed: ChangedBytes) -> str:
    if before is None:
        return "+"
    end = after.offset + after.length
    return "~" if before.length != after.length or any(changed.within(after.offset, end)) else ""


def _parts(layout: Layout, index: int | None) -> dict[Safe, Span]:
    """Return the bytes of each part by its name; `index` is the note that readers use."""
    out: dict[Safe, Span] = {}
    last = Safe("")
    for name, span in _named(layout, index):
        if name == last:
            out[name] = out[name].through(span)
        elif len(out) < _PARTS:
            last = Safe(f"{name} ({len(out)})") if name in out else name
            out[last] = span
    return out


def _named(layout: Layout, index: int | None) -> Iterator[tuple[Safe, Span]]:
    """Yield the regions, and what is between them."""
    at, notes = 0, {offset: number for number, offset in enumerate(layout.note_offsets)}
    for region in layout.regions[:_REGIONS]:
        yield from _between(layout, at, region.offset)
        several = region.record and region.length > region.record
        name = visible(f"{region.label}s" if several else region.label)
        if region.kind == "note":
            name = Safe("VMCOREINFO note" if notes.get(region.offset, -1) == index else "notes")
        yield name, Span(region.offset, region.length)
        at = max(at, region.end)
    yield from _between(layout, at, layout.image.size)


def _between(layout: Layout, start: int, end: int) -> Iterator[tuple[Safe, Span]]:
    """Yield what no region has: memory, which may come after a gap."""
    if start < end and layout.memory.paddr_of(start) is None:
        _, after = layout.memory.gap_around(start, start, end)
        if after - start >= _GAP:
            yield Safe("unused"), Span(start, after - start)
        start = after
    if start < end:
        yield Safe("guest memory"), Span(start, end - start)
