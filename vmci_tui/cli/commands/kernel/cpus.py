"""`vmci cpus`: print the registers of each CPU, and what it was doing."""

from __future__ import annotations

import argparse

from vmci_tui.adoption.located_cpus import locate_cpus
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import guest_of
from vmci_tui.render.dump_report import head_json
from vmci_tui.render.kernel.cpu_report import cpus_json, cpus_text, unsaid


def run(options: argparse.Namespace) -> int:
    """Print the CPUs; return 0 with and without any. Raises UsageError."""
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no CPUs", "name a dump")
        located = locate_cpus(document.state, guest_of(document.dump), shown_progress())
        head = head_json(document)
    if options.json:
        print_json(head | {"cpus": cpus_json(located)})
        return 0
    print_lines(cpus_text(located, options.registers, options.stack))
    if words := unsaid(located):
        say(f"vmci: {words}")
    if located.found.cpus and options.stack and not located.traces:
        say("vmci: memory in this dump has no symbols of the kernel (kallsyms), without which no stack can be read")
    return 0
