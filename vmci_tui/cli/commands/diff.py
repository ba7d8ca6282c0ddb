"""`vmci diff`: compare two notes, texts, dumps or candidates, key by key."""

from __future__ import annotations

import argparse

from vmci_tui.cli.output import print_json, print_lines
from vmci_tui.common.safe_text import visible
from vmci_tui.knowledge.text_diff import difference_text, meaning
from vmci_tui.opening.diff_inputs import compared, diff_input


def run(options: argparse.Namespace) -> int:
    """Print the differences; return 0 with and without them."""
    a, b = diff_input(options.a), diff_input(options.b)
    found = compared(a, b)
    if not options.json:
        print_lines((f"a  {a.name}", f"b  {b.name}", "", *difference_text(found)))
        return 0
    keys = [
        {
            "key": visible(item.key),
            "a": None if item.a is None else visible(item.a),
            "b": None if item.b is None else visible(item.b),
            "change": item.change,
            "means": meaning(item),
        }
        for item in found.keys
    ]
    print_json({"a": a.name, "b": b.name, "same": found.same, "summary": list(found.summary), "keys": keys})
    return 0
