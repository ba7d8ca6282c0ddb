"""Findings about the region in the dump's own memory that the entry points at (codes E12 to E14).

E08 says that the region leaves that memory, E11 that the note in it is too large.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.errors import OpenError
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_notes
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.fw_cfg_entry import FORMAT_NONE, NOTE_HEADER, SIZE_LIMIT, entry_span
from vmci_tui.search.entry_region import RegionView, view

_PADDR = entry_span("paddr")


def check(context: Context) -> Iterator[Finding]:
    """Check the region; yield nothing without a dump, or if the entry is switched off or invalid."""
    history, dump = context.state.entry, context.dump
    if dump is None or history is None or history.never_written:
        return
    entry = history.entry
    if entry.guest_format == FORMAT_NONE or not NOTE_HEADER <= entry.size <= SIZE_LIMIT:
        return
    try:
        seen = view(entry, guest_of(dump), context.state)
    except OpenError:  # nothing is known of a region that cannot be read; other checks go on
        return
    if seen.found.kind in ("text", "zeros", "other"):
        yield new_finding("E13", seen.why, _PADDR)
    elif seen.same is False:
        yield new_finding("E12", seen.why, _PADDR, why=_meaning(seen))
    elif seen.found.kind == "note" and context.state.note is None:
        yield _lacking(context, seen)


def _meaning(seen: RegionView) -> str | None:
    """Return the difference in sentences; None: the catalogue's reason is used."""
    said = (*seen.remarks, *(seen.difference.summary if seen.difference and not seen.difference.same else ()))
    return "; ".join(said) or None


def _lacking(context: Context, seen: RegionView) -> Finding:
    assert context.dump is not None and seen.found.candidate is not None
    order = context.dump.order
    append = Edit.of(edit_notes.append_note, seen.found.candidate.note(order), order)
    return new_finding("E14", seen.why, _PADDR, append.named("append the note that the entry points at"))
