"""Findings about the records of a flattened file, whatever dump they contain (C21, C24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vmci_tui.containers.elf.flattened import FlatElfDump
from vmci_tui.document import edit_headers
from vmci_tui.document.edit import Edit
from vmci_tui.findings.finding import Check, Context, Finding, new_finding


def through_records(context: Context, checks: Iterable[Check]) -> Iterator[Finding]:
    """Run the checks of a plain dump on the dump in the records; give spans in the flattened file."""
    dump = context.dump
    if not isinstance(dump, FlatElfDump):  # the checks of a kdump file read through its records themselves
        yield from (finding for check_plain in checks for finding in check_plain(context))
        return
    for check_plain in checks:
        for finding in check_plain(context._replace(dump=dump.elf)):
            place = None if finding.span is None else dump.flat.file_offset(finding.span.offset)
            there = None if finding.span is None or place is None else finding.span._replace(offset=place)
            yield finding._replace(span=there)


def check(context: Context) -> Iterator[Finding]:
    """Report that the file is flattened, and what is wrong with its records."""
    dump = context.dump
    if dump is None or (flat := dump.flat) is None:
        return
    if not context.state.choice.plain:
        kind = "ELF" if dump.kind == "elf" else dump.kind
        yield new_finding("C21", f"the {kind} file is flattened", fix=Edit.of(edit_headers.make_plain))
    for fault in flat.faults:
        yield new_finding("C24", fault)
    if flat.overlap:
        yield new_finding("C24", flat.overlap, severity="warning")
