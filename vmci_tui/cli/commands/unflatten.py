"""`vmci unflatten`: the plain file of a flattened one. No rule lives here."""

from __future__ import annotations

import argparse

from vmci_tui.cli.consent import agreed, tell_harm, tell_left, tell_question
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import tell
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.layers.file import FileSource
from vmci_tui.render.verdict_report import harm_json
from vmci_tui.saving.harm import harm_of_plain
from vmci_tui.saving.unflatten import plain_of, unflatten


def run(options: argparse.Namespace) -> int:
    """Exit code 1 where the file is broken: what comes before the fault is written all the same."""
    if options.output is None:
        raise UsageError("where to?", "-o OUT names the plain file")
    given = agreed(options)
    with FileSource(options.file) as source:
        plain = plain_of(source)
        harm = harm_of_plain(source, plain)
        unasked = harm.unasked(given)
        if unasked or options.dry_run:
            size, faults, written = plain.size, plain.faults, sum(b - a for a, b in plain.data_ranges(0, plain.size))
        else:
            tell_left(options.output)
            done = unflatten(source, options.output, shown_progress())
            size, faults, written = done.size, done.faults, done.written
    if options.json:
        plan = {"way": "copy", "bytes_written": written, "steps": []}
        print_json({"file": source.name, "size": size, "faults": faults, "plan": plan} | harm_json(harm))
    elif options.dry_run:
        print_lines([f"plan: copy, {written} bytes of the records, to a plain file of {size} bytes"])
    tell_harm(harm, given)
    tell_question(unasked)
    if not (unasked or options.dry_run):
        tell(f"saved {visible(options.output)}: {size} bytes")
    for fault in faults:
        tell(f"vmci: {fault}")
    return int(bool(unasked or faults))
