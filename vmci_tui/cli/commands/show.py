"""`vmci show`: print the contents of a file."""

from __future__ import annotations

import argparse

from vmci_tui.cli.output import print_json, print_lines, warn_if_interrupted
from vmci_tui.opening.open_file import open_document
from vmci_tui.render import dump_report as report


def run(options: argparse.Namespace) -> int:
    """Print the file; return 0."""
    with open_document(options.file, options.blob) as document:
        warn_if_interrupted(options.file)
        if options.json:
            print_json(report.shown_json(document), None if document.dump is None else document.layout.memory.ranges)
        else:
            print_lines(report.show_text(document))
    return 0
