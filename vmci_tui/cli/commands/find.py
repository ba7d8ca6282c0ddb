"""`vmci find`: print every place of guest memory that looks like the note."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from vmci_tui.adoption import choose as adopt
from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import UsageError
from vmci_tui.containers.guest import Guest, guest_of, raw_guest
from vmci_tui.formats.fw_cfg_entry import parse_number
from vmci_tui.layers.file import FileSource, Source, refuse_other
from vmci_tui.render import dump_report as report
from vmci_tui.render.candidate_report import candidates_json, candidates_text


def run(options: argparse.Namespace) -> int:
    """Print the candidates, best first; return 0 with and without any."""
    with _searched(options) as (source, guest, head):
        judged = adopt.search(guest, shown_progress(), options.all)
        refuse_other(source)
        first = head()
    if options.json:
        print_json(first | {"candidates": candidates_json(judged)})
        return 0
    print_lines(candidates_text(judged))
    if any(item.found_by != "search" for item in judged) and not guest.runs:
        say("memory was not searched for other notes; --all searches every byte")
    if not judged and guest.runs:
        say("no note was found: memory of a running VM is not searched. `vmci convert` makes a dump of it")
    elif not judged:
        more = "" if options.all else ". --all searches every byte, not only page starts"
        say(f"no note was found in this memory{more}")
    return 0


@contextmanager
def _searched(options: argparse.Namespace) -> Iterator[tuple[Source, Guest, Callable[[], dict[str, Any]]]]:
    """Yield the file, its guest memory, and what returns the first keys of the JSON: those of a VM grow."""
    if options.raw_at is not None:
        with FileSource(options.file) as file:
            none = dict.fromkeys(("machine", "bits", "byte_order"))
            head = {"file": file.name, "size": file.size, "container": "raw", **none}
            yield file, raw_guest(file, parse_number(options.raw_at)), lambda: head
        return
    with open_named(options) as document:
        if document.dump is None:
            raise UsageError(
                f"{document.name} is an entry, which has no memory", "name a dump, or a flat image with --raw-at PADDR"
            )
        yield document.source, guest_of(document.dump), partial(report.head_json, document)
