"""`vmci craft`: create a dump, an entry and a note with chosen faults."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from vmci_tui.bench import DEFECTS, Crafted, Defect, chosen, craft
from vmci_tui.bench.manifest import files, manifest, save
from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.findings.catalogue import catalogue
from vmci_tui.readers.verdicts import VerdictPair
from vmci_tui.render import verdict_report as report_readers
from vmci_tui.render.finding_report import findings_text


def run(options: argparse.Namespace) -> int:
    """List the defects, or create a dump with the chosen ones and print its verdicts; save it only with -o."""
    if options.list:
        _list(options.json)
        return 0
    if options.output is not None and options.dry_run:
        raise UsageError("--dry-run and -o cannot be used together", "use one of them")
    words = [word for item in options.defect for word in item.split(",")]
    made = craft(chosen(words), options.machine)
    written = [] if options.output is None else save(made, options.output)
    if options.json:
        print_json(manifest(made))
    else:
        print_lines(crafted_lines(made))
    for path in written:
        say(f"vmci: wrote {visible(path)}")
    if not written:
        say("vmci: nothing was written. -o FOLDER saves " + ", ".join(files(made)))
    return 0


def in_order() -> list[Defect]:
    """Return the defects in the order of their codes."""
    codes = list(catalogue())
    return sorted(DEFECTS, key=lambda item: codes.index(item.code))


def _list(as_json: bool) -> None:
    if as_json:
        keys = ("code", "name", "does", "machines", "beside")
        print_json([{key: getattr(item, key) for key in keys} for item in in_order()])
        return
    print_lines(f"{item.code}  {item.name:<20}  {item.does}" for item in in_order())


def crafted_lines(made: Crafted) -> Iterator[str]:
    """Yield the faults, then the verdicts and the findings."""
    yield f"{'' if made.defects else 'valid '}{made.parts.machine} dump, {len(made.dump)} bytes"
    for item in made.defects:
        yield f"  {item.code} {item.name}: {item.does}"
    yield ""
    yield "readers"
    yield from report_readers.readers_text(VerdictPair(made.verdicts, made.verdicts))
    yield ""
    yield from findings_text(made.findings)
