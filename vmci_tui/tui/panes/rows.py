"""The rows of the panes that are lists, and the bytes that each row is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vmci_tui.common.span import Span
from vmci_tui.document.document import Document
from vmci_tui.formats.fw_cfg_entry import (
    FIELDS,
    FORMAT_ELF,
    FORMAT_NONE,
    LENGTH,
    RESET,
    WHOLE_ENTRY,
    EntryHistory,
    entry_span,
)
from vmci_tui.tui.rows.change_signs import SIGN_STYLES
from vmci_tui.tui.style.cells import Row

if TYPE_CHECKING:
    from vmci_tui.findings import Finding


class RowTarget(NamedTuple):
    """What a row is about: a field of the entry, a write, a note."""

    kind: str
    key: str = ""
    number: int = 0
    span: Span | None = None


def entry_rows(document: Document, wide: bool = True) -> list[tuple[Row, RowTarget]]:
    """Return rows for the four fields and their meaning, then for the writes; two rows each in a narrow pane.

    A sign is in front of what is not saved yet. There are none without an entry.
    """
    history = document.state.entry
    if history is None:
        return []
    whole = RowTarget("entry", span=WHOLE_ENTRY)
    old = document.base.entry if document.entry_unsaved else history
    out = _folded((*_sign("", old, history), *_presence(history)), whole, wide)
    raw = history.entry.pack()
    blob = history.origin == "blob" and len(history.writes) == 1
    there = history.writes[0].length if blob else LENGTH  # a file that is cut off
    for field, value in zip(FIELDS, history.entry, strict=True):
        at = range(field.offset, field.offset + field.length)
        octets = " ".join(f"{raw[n]:02x}" if n < there else "--" for n in at)
        same = old is not None and getattr(old.entry, field.name) == value
        row: Row = (
            *_sign("" if same else "~", old, history),
            (f"{field.name:<13}", "key"), (f"{value} = {value:#x}  ", "value"), (f"[{octets}]  ", "dim"),
            _meaning(document, field.name, value),
        )  # fmt: skip
        out += _folded(row, RowTarget("field", field.name, span=entry_span(field.name)), wide)
    if history.origin == "writes" or (document.dump is None and history.origin == "blob"):
        for number in range(len(history.writes)):
            before = old.writes[number : number + 1] if old is not None else ()
            sign = "+" if not before else "" if before[0] == history.writes[number] else "~"
            row = *_sign(sign, old, history), *_write_row(history, number)
            out += _folded(row, RowTarget("write", number=number), wide)
    return out


def _sign(sign: str, old: EntryHistory | None, history: EntryHistory) -> Row:
    """Return the cell in front of a row that says what happened to it; none if no row changed."""
    return () if old is history else ((f"{sign:<2}", SIGN_STYLES.get(sign, "dim")),)


def _folded(row: Row, target: RowTarget, wide: bool) -> list[tuple[Row, RowTarget]]:
    """Return the row; in a narrow pane its last cell, the explanation, is a second row."""
    if wide or len(row) < 2:
        return [(row, target)]
    text, style = row[-1]
    return [(row[:-1], target), ((("   ", "dim"), (text, style)), target)]


def _presence(history: EntryHistory) -> Row:
    if history.never_written:
        return (("never written: ", "warning"), ("QEMU's bytes after a reset", "dim"))
    if history.origin == "derived":
        return (("not known: ", "dim"), ("only QEMU knows what the guest wrote", "dim"))
    if history.present:
        return (("present: ", "good"), ("one full 16-byte write", "dim"))
    return (("not present: ", "error"), (history.outcomes[-1].why, "dim"))


def _meaning(document: Document, name: str, value: int) -> tuple[str, str]:
    """Return the meaning of a field's value, and its style."""
    if name == "host_format":
        return "ignored by QEMU" if value != RESET[0] else "1 is ELF; ignored by QEMU", "dim"
    if name == "guest_format":
        if value == FORMAT_NONE:
            return "switched off: QEMU appends nothing", "warning"
        if value == FORMAT_ELF:
            return "ELF", "good"
        return "unknown: QEMU ignores it, a debugger still sees it", "error"
    if name == "size":
        if not 12 <= value <= 1 << 20:
            return "rejected: QEMU accepts 12 bytes to 1 MiB", "error"
        page = value - 36
        return (
            f"a page of {page} + 36, as Linux writes" if page >= 4096 and page & (page - 1) == 0 else "bytes"
        ), "dim"
    if document.dump is None:
        return "the address of the note in guest memory", "dim"
    offset = document.layout.memory.offset_of(value)
    return (f"in the file at {offset:#x}", "good") if offset is not None else ("not in this dump's memory", "warning")


def _write_row(history: EntryHistory, number: int) -> Row:
    """Return a write as a line of the timeline: which of the 16 bytes it covers, its result, its bytes."""
    write, outcome = history.writes[number], history.outcomes[number]
    style = {"present": "good", "not present": "warning", "ignored": "dim", "DMA error": "error"}[outcome.result]
    data = "no memory" if write.data is None else write.data.hex()
    covered = range(min(write.offset, LENGTH), min(write.offset + write.length, LENGTH))
    bar = "".join("#" if at in covered else "." for at in range(LENGTH))
    beyond = "+" if write.offset + write.length > LENGTH else " "
    return (
        (f"write {number + 1:<3} ", "key"), (f"[{bar}]{beyond} ", "value"), (f"{outcome.result:<11}  ", style),
        (f"offset {write.offset} length {write.length}: {data[:40]}  ", "value"), (outcome.why, "dim"),
    )  # fmt: skip


_MARKS = {"error": ("error ", "error"), "warning": ("warn  ", "warning"), "info": ("info  ", "info")}


def finding_rows(findings: Sequence[Finding], fixed: Sequence[Finding] = (), repairs: bool = True) -> list[Row]:
    """Return one row for each finding, then one for each that the unsaved edits fixed.

    `repairs`: whether R repairs the file.
    """
    out: list[Row] = []
    for finding in findings:
        searched = repairs and finding.wants_memory
        fix = ("[f] ", "good") if finding.fix else ("[R] ", "good") if searched else ("    ", "dim")
        out.append((_MARKS[finding.severity], (f"{finding.code} ", "dim"), fix, (finding.message, "value")))
    out += [(("fixed ", "good"), (f"{item.code} ", "dim"), (f"    {item.message}", "dim")) for item in fixed]
    return out


def gone(before: Sequence[Finding], now: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of `before` that are gone; one whose words changed is not, if its code is still there."""
    left = Counter(item.code for item in now)
    said = {(item.code, item.message) for item in now}
    out = []
    for item in sorted(before, key=lambda item: (item.code, item.message) not in said):
        if left[item.code]:
            left[item.code] -= 1
        else:
            out.append(item)
    return tuple(out)
