"""The head of a dump as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from vmci_tui.common.safe_text import Safe
from vmci_tui.structure.node import Node

NAME, VALUE = 44, 24
"""Cells of the columns of names and values; longer ones are not cut."""


def structure_lines(root: Node, depth: int = 0) -> Iterator[Safe]:
    """Yield a line for every node below `root`: offset, name, value, meaning.

    Of a table in ranges the first range is whole, each other one line: a million program headers are 2,500 lines.
    """
    for number, node in enumerate(root.children):
        name = "  " * depth + node.name
        yield Safe(f"{node.offset:#010x}  {name:<{NAME}} {node.value:<{VALUE}} {node.meaning}".rstrip())
        if not node.is_leaf and not (node.window and number):
            yield from structure_lines(node, depth + 1)
