"""The rows of a tree that is partly open, as a list: opening and closing a row, and the row of a byte."""

from __future__ import annotations

from typing import NamedTuple

from vmci_tui.structure.node import Node


class Row(NamedTuple):
    """A node in the list; `depth` is 0 for the children of the root."""

    node: Node
    depth: int
    is_open: bool = False


Rows = tuple[Row, ...]


def first_rows(root: Node) -> Rows:
    """Return the rows of the closed tree."""
    return tuple(Row(node, 0) for node in root.children)


def opened(rows: Rows, at: int) -> Rows:
    """Return the rows with the children of one of them below it; the same rows if it is open or has none."""
    row = rows[at]
    if row.is_open or row.node.is_leaf:
        return rows
    below = tuple(Row(node, row.depth + 1) for node in row.node.children)
    return (*rows[:at], row._replace(is_open=True), *below, *rows[at + 1 :])


def closed(rows: Rows, at: int) -> Rows:
    """Return the rows without all below one of them."""
    row, end = rows[at], at + 1
    while end < len(rows) and rows[end].depth > row.depth:
        end += 1
    return (*rows[:at], row._replace(is_open=False), *rows[end:])


def parent_of(rows: Rows, at: int) -> int:
    """Return the index of the row above whose child this one is; its own if it has none."""
    return next((up for up in range(at - 1, -1, -1) if rows[up].depth < rows[at].depth), at)


def find(rows: Rows, root: Node, offset: int) -> tuple[Rows, int]:
    """Return the rows, open down to the byte, and the index of the row that holds it.

    A byte in no node, as those of guest memory, has the last row of the root that begins before it.
    """
    at = depth = 0
    for number in root.path(offset):
        if depth:
            rows = opened(rows, at)
            at += 1
        for _ in range(number):  # over the children before it, and what is open below them
            at = _next_sibling(rows, at)
        depth += 1
    if not depth:
        before = [n for n, row in enumerate(rows) if not row.depth and row.node.offset <= offset]
        at = before[-1] if before else 0
    return rows, at


def _next_sibling(rows: Rows, at: int) -> int:
    depth, at = rows[at].depth, at + 1
    while at < len(rows) and rows[at].depth > depth:
        at += 1
    return at
