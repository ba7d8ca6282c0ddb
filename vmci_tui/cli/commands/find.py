"""The command `find`: every place of guest memory that looks like the note. No rule lives here."""

from __future__ import annotations

import argparse

from vmci_tui.adoption import choose as adopt
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import tell
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import guest_of, raw_guest
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.layers.file import FileSource, Source, refuse_other
from vmci_tui.opening.open_file import open_document
from vmci_tui.render import dump_report as report
from vmci_tui.render.candidate_report import candidates_json, candidates_text


def run(options: argparse.Namespace) -> int:
    """Print the candidates, best first; 0 also where there is none."""
    if options.raw_at is not None:
        file = FileSource(options.file)
        source: Source = file
        guest = raw_guest(source, parse_number(options.raw_at))
        head = {
            "file": file.name,
            "size": file.size,
            "container": "raw",
            "machine": None,
            "bits": None,
            "byte_order": None,
        }
    else:
        document = open_document(options.file)
        if document.dump is None:
            raise UsageError(
                f"{document.name} is an entry, it has no memory", "name a dump, or --raw-at PADDR for a flat image"
            )
        source, guest, head = document.source, guest_of(document.dump), report.head_json(document)
    judged = adopt.search(guest, shown_progress(), options.all)
    refuse_other(source)
    if options.json:
        print_json(head | {"candidates": candidates_json(judged)})
        return 0
    print_lines(candidates_text(judged))
    if not judged:
        tell(
            "no note lies in this memory"
            + ("" if options.all else "; --all looks at every byte, not only at page starts")
        )
    return 0
