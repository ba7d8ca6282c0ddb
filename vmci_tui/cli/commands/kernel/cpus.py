"""`vmci cpus`: print the registers of each CPU, and what it was doing."""

from __future__ import annotations

import argparse

from vmci_tui.adoption.kernel_symbols import placed_symbols
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import Guest, guest_of
from vmci_tui.document.state import State
from vmci_tui.kernel.backtrace.trace import suspect, traces_of
from vmci_tui.kernel.cpus.survey import survey
from vmci_tui.render.dump_report import head_json
from vmci_tui.render.kernel.cpu_report import LocatedCpus, cpus_json, cpus_text


def run(options: argparse.Namespace) -> int:
    """Print the CPUs; return 0 with and without any. Raises UsageError."""
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(f"{document.name} is an entry, which has no CPUs", "name a dump")
        located = _located(document.state, guest_of(document.dump))
        head = head_json(document)
    if options.json:
        print_json(head | {"cpus": cpus_json(located)})
        return 0
    print_lines(cpus_text(located, options.registers, options.stack))
    if not located.found.cpus:
        say("the notes of this dump have no registers of a CPU (NT_PRSTATUS) that vmci knows")
    elif options.stack and not located.traces:
        say("vmci: memory in this dump has no symbols of the kernel (kallsyms), without which no stack can be read")
    return 0


def _located(state: State, guest: Guest) -> LocatedCpus:
    """Return the CPUs, and where each was if one was in a kernel whose symbols are in memory.

    Where the notes do not name the page tables, memory is searched for a text that says where the kernel is.
    """
    text, note = state.vmcoreinfo, state.note
    found = survey(guest, text)
    inside = [one for one in found.cpus if one.doing.where == "kernel"]
    if not inside or (note is not None and note.is_windows):
        return LocatedCpus(found, (), found.suspect)
    kernels, text = placed_symbols(text, guest, shown_progress())
    if not kernels or not kernels[0].runs:
        return LocatedCpus(found, (), found.suspect)
    found = survey(guest, text)
    traces = traces_of(found.cpus, kernels[0].table)
    return LocatedCpus(found, traces, suspect(found, traces))
