"""The headless commands about QEMU: what it will do, and what a real one does. No rule lives here."""

from __future__ import annotations

import argparse
import sys

from vmci_tui.core.predict import LINE_LIMIT, predict


def run(options: argparse.Namespace) -> int:
    """Run one parsed command; the exit code."""
    return _predict(options)


def _predict(options: argparse.Namespace) -> int:
    """A line out for a line in, at once: who asks by a pipe may wait for each answer."""
    number = 0
    while line := sys.stdin.buffer.readline(LINE_LIMIT + 1):
        number += 1
        if line.strip():
            print(predict(line, number, options.qemu), flush=True)
    return 0
