"""`vmci predict`: print what QEMU will do with each case of standard input."""

from __future__ import annotations

import argparse
import sys

from vmci_tui.cli.chosen_readers import choose
from vmci_tui.cli.streams import say
from vmci_tui.common.errors import OpenError
from vmci_tui.layers.file import reason
from vmci_tui.qemu.prediction import CASE, LINE_LIMIT, predict


def run(options: argparse.Namespace) -> int:
    """Print one answer a line, unbuffered: the caller may wait for it before it writes the next case. Return 0."""
    readers = choose(options).readers
    number, version = 0, readers.at({} if options.qemu is None else {"qemu": options.qemu}).qemu
    if sys.stdin.isatty():
        say(f"vmci: reading cases from the terminal, one a line; ctrl+d ends. {CASE}")
    while line := _line(LINE_LIMIT + 1):
        number += 1
        if line.strip():
            print(predict(line, number, version), flush=True)
    return 0


def _line(limit: int) -> bytes:
    try:
        return sys.stdin.buffer.readline(limit)
    except OSError as error:
        raise OpenError(f"cannot read standard input: {reason(error)}", "use vmci predict < CASES.jsonl") from None
