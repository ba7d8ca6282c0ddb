"""`vmci log`: print the log of the kernel in the dump, as dmesg does."""

from __future__ import annotations

import argparse

from vmci_tui.adoption.text_to_read import text_to_read
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import OpenError, UsageError
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.log.read_log import read_log
from vmci_tui.kernel.log.record import KernelLog
from vmci_tui.render import dump_report as report
from vmci_tui.render.kernel.log_report import levels_named, log_json, log_lines


def run(options: argparse.Namespace) -> int:
    """Print the log; return 0. Raises UsageError for an unknown level, OpenError if the log cannot be read."""
    wanted = levels_named(options.level) if options.level is not None else None
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no memory", "name a dump")
        guest = guest_of(document.dump)
        chosen = text_to_read(document.state.vmcoreinfo, guest, shown_progress())
        log = read_log(chosen.text, guest) if chosen.text is not None else KernelLog((), "")
        head = report.head_json(document)
    remarks = [remark for remark in (chosen.remark, *log.remarks) if remark]
    if not log.form:
        raise OpenError("the log cannot be read. " + " ".join(remarks).removesuffix("."), "see `vmci check FILE`")
    records = [record for record in log.records if wanted is None or record.level in wanted]
    if options.json:
        print_json(head | {"form": log.form, "remarks": remarks, "log": log_json(records)})
        return 0
    for remark in remarks:
        say(f"vmci: {remark}")
    print_lines(line for record in records for line in log_lines(record, options.callers))
    return 0
