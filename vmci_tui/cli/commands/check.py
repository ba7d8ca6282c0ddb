"""`vmci check`: print findings, and the verdict of every reader."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from vmci_tui.cli.chosen_readers import Choice, choose, missing_text
from vmci_tui.cli.output import print_json, print_lines, warn_if_interrupted
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import FileTaken, OpenError, UsageError
from vmci_tui.common.safe_text import visible
from vmci_tui.document.document import Document
from vmci_tui.findings.judgement import Judgement
from vmci_tui.layers.file import FileSource, refuse_other
from vmci_tui.opening.open_file import open_document
from vmci_tui.readers.file_view import View
from vmci_tui.readers.verdicts import NAMES, VerdictPair, judge_file
from vmci_tui.render import verdict_report as report_readers
from vmci_tui.render.check_report import Checked, check_json, check_text
from vmci_tui.render.ticket_page import ticket_page
from vmci_tui.repair.next_commands import next_commands
from vmci_tui.saving.new_file import write_new


def run(options: argparse.Namespace) -> int:
    """Run the command; return 1 on an error. With --for: on one that concerns these readers, or a refusal."""
    if options.report is not None and os.path.lexists(options.report):
        raise FileTaken(f"{visible(options.report)} exists", "name a new file for the report, or remove that one")
    warn_if_interrupted(options.file)
    chosen, choice = _chosen(options.readers), choose(options)
    try:
        document = open_document(options.file, options.blob)
    except OpenError:
        _print_unopened(options, choice)
        raise
    with document:
        return _checked(options, document, chosen, choice)


def _checked(options: argparse.Namespace, document: Document, chosen: tuple[str, ...], choice: Choice) -> int:
    checked = _check(options, document, chosen, choice)
    if options.json:
        out = check_json(checked) | {"installed": choice.installed}
        if options.all_readers:
            out["more_readers"] = report_readers.readers_json(checked.more.now)
        refuse_other(document.source)
        print_json(out)
    else:
        lines = [*_readers_text(checked.both, choice), "", *check_text(checked)]
        refuse_other(document.source)
        print_lines(lines)
    if options.report is not None:
        write_new(options.report, "".join(f"{line}\n" for line in ticket_page(checked)).encode("ascii"))
        say(f"vmci: wrote {visible(options.report)}")
    return int(checked.has_error or (options.readers is not None and checked.refused))


def _check(options: argparse.Namespace, document: Document, chosen: tuple[str, ...], choice: Choice) -> Checked:
    """Judge a document for the chosen readers."""
    judgement = Judgement.of(document, readers=choice.readers)
    found = judgement.found
    if options.readers is not None:
        found = tuple(item for item in found if any(c.reader in chosen for c in item.readers))
    now = {name: verdict for name, verdict in judgement.now.items() if name in chosen}
    more = judgement.more if options.all_readers else VerdictPair({}, {})
    return Checked(judgement, found, now, more, next_commands(judgement, readers=chosen))


def _chosen(names: str | None) -> tuple[str, ...]:
    if names is None:
        return NAMES
    chosen = tuple(name.strip() for name in names.split(","))
    for name in chosen:
        if name not in NAMES:
            raise UsageError(f"unknown reader '{visible(name)}'", f"choose from {', '.join(NAMES)}")
    return chosen


def _readers_text(both: VerdictPair, choice: Choice) -> Iterator[str]:
    yield report_readers.readers_heading(both.now)
    yield from missing_text(choice)
    yield from report_readers.readers_text(both)


def _print_unopened(options: argparse.Namespace, choice: Choice) -> None:
    """Print the verdicts over a file that vmci cannot open, if it is ELF or a reader accepts it."""
    try:
        source = FileSource(options.file)
    except OpenError:
        return
    with source:
        view = View(source)
        verdicts = judge_file(view, choice.readers.dumps)
        if not any(verdict.accepts for verdict in verdicts.values()) and source.read(0, 4) != b"\x7fELF":
            return
        more = judge_file(view, choice.readers.more) if options.all_readers else {}
        if options.json:
            none = dict.fromkeys(("container", "machine", "bits", "byte_order"))
            readers = {"readers": report_readers.readers_json(verdicts), "installed": choice.installed}
            if options.all_readers:
                readers["more_readers"] = report_readers.readers_json(more)
            print_json({"file": source.name, "size": source.size, **none, **readers})
        else:
            verdicts |= more
            print_lines(_readers_text(VerdictPair(verdicts, verdicts), choice))
