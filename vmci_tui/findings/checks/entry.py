"""Findings about the entry and the guest's writes to it (codes E)."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.errors import OpenError
from vmci_tui.common.span import Span
from vmci_tui.containers.guest import guest_of
from vmci_tui.document import edit_entry
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Context, Finding, new_finding
from vmci_tui.formats.elf_note import NAME, align_up, note_header
from vmci_tui.formats.fw_cfg_entry import (
    FORMAT_ELF,
    FORMAT_NONE,
    LENGTH,
    NOTE_HEADER,
    SIZE_LIMIT,
    WHOLE_ENTRY,
    EntryHistory,
    entry_span,
    linux_size,
)

_STORED = ("present", "not present")
"""The results of writes that QEMU stored whole."""
_FORMAT = entry_span("guest_format")
_SIZE = entry_span("size")
_PADDR = entry_span("paddr")


def check(context: Context) -> Iterator[Finding]:
    """Check the open entry; yield nothing if no entry is open."""
    history = context.state.entry
    if history is None:
        return
    if history.never_written:
        yield new_finding("E02", "the entry was never written", WHOLE_ENTRY)
        return
    yield from _writes(history)
    yield from _format(history)
    yield from _size(context, history)
    yield from _region(context, history)


def _writes(history: EntryHistory) -> Iterator[Finding]:
    """Check the last write first. The last that was stored decides, so the readers' rules about writes belong to it."""
    blob = history.origin == "blob"
    stored = (number for number, outcome in enumerate(history.outcomes, 1) if outcome.result in _STORED)
    decides = max(stored, default=len(history.writes))
    numbered = tuple(enumerate(zip(history.writes, history.outcomes, strict=True), 1))
    for number, (write, outcome) in reversed(numbered):
        last = number == len(history.writes)
        place = f"offset {write.offset}, length {write.length}"
        if outcome.result == "DMA error":
            yield new_finding(
                "E09",
                f"this blob is too long: {write.length} bytes" if blob else f"write {number} ({place}) is a DMA error",
                Span(0, write.length if blob else LENGTH, "entry"),
                Edit.of(edit_entry.rewrite_whole) if last else None,
                severity="error" if last else "warning",
                why=outcome.why,
            )
        elif (blob or outcome.result != "ignored") and (write.offset != 0 or write.length != LENGTH):
            yield new_finding(
                "E01",
                f"this blob has {write.length} of {LENGTH} bytes" if blob else f"write {number} is partial ({place})",
                Span(min(write.offset, LENGTH), min(write.length, LENGTH), "entry"),
                Edit.of(edit_entry.rewrite_whole) if number == decides else None,
                severity="error" if number == decides and not outcome.present else "warning",
            )
        elif last and history.has_vmcoreinfo is False and history.entry.guest_format != FORMAT_NONE:
            words = "QEMU holds this entry but treats the note as absent: the last write was not complete"
            yield new_finding("E01", words, WHOLE_ENTRY, Edit.of(edit_entry.rewrite_whole), why=outcome.why)


def _format(history: EntryHistory) -> Iterator[Finding]:
    value = history.entry.guest_format
    fix = Edit.of(edit_entry.set_field, name="guest_format", value=FORMAT_ELF).named("set guest_format to 1 (ELF)")
    if value == FORMAT_NONE and not history.present:  # zeroed by a failed DMA it stays present
        yield new_finding("E03", "guest_format is 0: the note is switched off", _FORMAT, fix)
    elif value not in (FORMAT_NONE, FORMAT_ELF):
        yield new_finding("E04", f"guest_format is {value}: only 1 (ELF) is supported", _FORMAT, fix)


def _size(context: Context, history: EntryHistory) -> Iterator[Finding]:
    size = history.entry.size
    if size < NOTE_HEADER or size > SIZE_LIMIT:
        swapped = int.from_bytes(size.to_bytes(4, "little"), "big")
        if NOTE_HEADER <= swapped <= SIZE_LIMIT:
            yield new_finding(
                "E10", f"size {size} looks byte-swapped: it would be {swapped}", _SIZE, Edit.of(edit_entry.swap_entry)
            )
            return
        yield new_finding(
            "E05" if size < NOTE_HEADER else "E06",
            f"size {size} is less than a note header (12 bytes)"
            if size < NOTE_HEADER
            else f"size {size} is more than 1 MiB: the note is oversized",
            _SIZE,
            _size_fix(context),
            severity="error",
            why="QEMU refuses it, whatever the format",
        )
    elif size == SIZE_LIMIT:
        yield new_finding("E07", "size is exactly 1 MiB", _SIZE, _size_fix(context))
    if NOTE_HEADER <= size <= SIZE_LIMIT:
        yield from _larger(context, history)


def _larger(context: Context, history: EntryHistory) -> Iterator[Finding]:
    """Check the entry's size against the note: the one in the region, which QEMU uses, else the dump's."""
    size = history.entry.size
    found = _in_region(context, history)
    note = context.state.note
    if found is None and note is not None:
        found = note.namesz, note.descsz
    if found is None:
        return
    needed = NOTE_HEADER + align_up(found[0]) + align_up(found[1])
    if needed <= size:
        return
    fits = needed <= SIZE_LIMIT
    yield new_finding(
        "E11",
        f"the note needs {needed} bytes with its padding, but the entry says {size}",
        _SIZE,
        Edit.of(edit_entry.set_field, name="size", value=needed).named(f"set size to {needed}") if fits else None,
    )


def _in_region(context: Context, history: EntryHistory) -> tuple[int, int] | None:
    """Return namesz and descsz of the note at paddr, as QEMU 7.2 reads them; None if no note is there."""
    if context.dump is None:
        return None
    try:
        head = guest_of(context.dump).read(history.entry.paddr, NOTE_HEADER + len(NAME)) or b""
    except OpenError:  # nothing is known of a region that cannot be read; other checks go on
        return None
    if not head.endswith(NAME[:-1] + b"\0"):
        return None
    namesz, descsz, _ = note_header("little").unpack_from(head)
    return namesz, descsz


def _size_fix(context: Context) -> Edit | None:
    text = context.state.vmcoreinfo
    if text is None or text.page_size is None:
        return None
    size = linux_size(text.page_size)
    return Edit.of(edit_entry.set_field, name="size", value=size).named(f"set size to {size}, as Linux does")


def _region(context: Context, history: EntryHistory) -> Iterator[Finding]:
    entry = history.entry
    if context.dump is None or not NOTE_HEADER <= entry.size <= SIZE_LIMIT or entry.guest_format == FORMAT_NONE:
        return
    covered = context.layout.memory.covered(entry.paddr, entry.size)
    if covered == entry.size:
        return
    if covered:
        message = f"the region at {entry.paddr:#x} leaves the dump's memory after {covered} of {entry.size} bytes"
    else:
        message = f"the region at {entry.paddr:#x} is outside the dump's memory"
    yield new_finding("E08", message, _PADDR, severity="warning" if covered >= NOTE_HEADER else "error")
