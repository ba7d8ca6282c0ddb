"""`vmci unflatten`: write the plain file of a flattened one."""

from __future__ import annotations

import argparse

from vmci_tui.cli.consent import agreed, print_harm, print_leftovers, print_missing_consent
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.common.sizes import size_text
from vmci_tui.layers.file import FileSource
from vmci_tui.render.verdict_report import harm_json
from vmci_tui.saving.harm import harm_of_plain
from vmci_tui.saving.unflatten import plain_of, unflatten


def run(options: argparse.Namespace) -> int:
    """Run the command; return 1 if the file is damaged: all before the damage is written."""
    if options.output is None and not options.dry_run:
        raise UsageError("missing output", "use -o OUT")
    given = agreed(options)
    with FileSource(options.file) as source:
        plain = plain_of(source)
        harm = harm_of_plain(source, plain)
        unasked = harm.unasked(given)
        if unasked or options.dry_run:
            size, faults, written = plain.size, plain.faults, sum(b - a for a, b in plain.data_ranges(0, plain.size))
        else:
            print_leftovers(options.output)
            done = unflatten(source, options.output, shown_progress())
            size, faults, written = done.size, done.faults, done.written
    if options.json:
        plan = {"way": "copy", "bytes_written": written, "steps": []}
        print_json({"file": source.name, "size": size, "faults": faults, "plan": plan} | harm_json(harm))
    elif options.dry_run:
        print_lines([f"plan: copy, {written} bytes of the records, to a plain file of {size} bytes"])
    print_harm(harm, given)
    print_missing_consent(unasked)
    if not (unasked or options.dry_run):
        say(f"saved {visible(options.output)}: {size_text(size)}")
    for fault in faults:
        say(f"vmci: {fault}")
    return int(bool(unasked or faults))
