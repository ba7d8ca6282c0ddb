"""`vmci show`: print the contents of a file."""

from __future__ import annotations

import argparse

from vmci_tui.cli.open_named import open_named
from vmci_tui.cli.output import print_json, print_lines, shown_progress, warn_if_interrupted
from vmci_tui.common.errors import UsageError
from vmci_tui.document.document import Document
from vmci_tui.render import dump_report as report


def run(options: argparse.Namespace) -> int:
    """Print the file; return 0. Raises UsageError."""
    if options.kernel and (options.tree or options.qtest):
        raise UsageError("--kernel is about the first line and the JSON", "leave it out")
    chosen = [f"--{name}" for name in ("tree", "qtest", "keys", "json") if getattr(options, name)]
    if len(chosen) > 1 and chosen != ["--keys", "--json"]:  # the JSON always has the keys
        both = f"{chosen[0]} has no JSON" if options.json else f"{' and '.join(chosen[:2])} are two outputs"
        raise UsageError(both, f"leave out one of {' and '.join(chosen)}")
    with open_named(options) as document:
        warn_if_interrupted(options.file)
        if options.tree:
            from vmci_tui.render.structure_report import structure_lines
            from vmci_tui.structure.head import tree_of

            print_lines(structure_lines(tree_of(document)))
        elif options.qtest:
            from vmci_tui.render.qtest_snippet import qtest_lines

            history = document.state.entry
            if history is None:
                raise UsageError("--qtest needs an entry", "name a blob or NAME.write.json, alone or with --blob")
            print_lines(qtest_lines(history))
        elif options.kernel:
            _with_kernel(options, document)
        elif options.json:
            print_json(report.shown_json(document), None if document.dump is None else document.layout.memory.ranges)
        else:
            print_lines(report.show_text(document, options.keys))
    return 0


def _with_kernel(options: argparse.Namespace, document: Document) -> None:
    """Print what `show` does, with what the kernel's tables and its log in memory say of it."""
    from vmci_tui.adoption.kernel_state import shown_kernel
    from vmci_tui.render.kernel.state_words import kernel_json

    kernel = shown_kernel(document, shown_progress())
    if options.json:
        ranges = None if document.dump is None else document.layout.memory.ranges
        print_json(report.shown_json(document) | {"kernel": kernel_json(kernel)}, ranges)
    else:
        print_lines(report.show_text(document, options.keys, kernel))
