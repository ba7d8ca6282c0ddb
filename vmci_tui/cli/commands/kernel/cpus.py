"""`vmci cpus`: print the registers of each CPU, and what it was doing."""

from __future__ import annotations

import argparse

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import guest_of
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.opening.open_file import open_document
from vmci_tui.render.dump_report import head_json
from vmci_tui.render.kernel.cpu_report import cpus_json, cpus_text


def run(options: argparse.Namespace) -> int:
    """Print the CPUs; return 0 with and without any. Raises UsageError."""
    with open_document(options.file) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no CPUs", "name a dump")
        found = survey(guest_of(document.dump))
        if options.json:
            print_json(head_json(document) | {"cpus": cpus_json(found)})
            return 0
        print_lines(cpus_text(found, options.registers))
        if not found.cpus:
            say("the notes of this dump have no registers of a CPU (NT_PRSTATUS) that vmci knows")
    return 0
