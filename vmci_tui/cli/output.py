"""Print data to stdout, as JSON or lines, and progress to stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vmci_tui.cli.streams import erase_progress, say, say_progress
from vmci_tui.common.progress import Pace, Progress, no_progress

if TYPE_CHECKING:
    from vmci_tui.layers.range_table import Range


SCHEMA: Final = 1
"""The version of the JSON of all commands (docs/json.md). A new key does not change it; removing or renaming a key,
or changing its meaning, does."""


def print_json(value: Mapping[str, object] | Sequence[object], memory: Iterable[Range] | None = None) -> None:
    """Print an object, with the schema's version as its first key, or a list.

    `memory` becomes the last key of an object, written one range at a time.
    """
    import json

    versioned = {"schema": SCHEMA, **value} if isinstance(value, Mapping) else value
    text = json.dumps(versioned, indent=1, ensure_ascii=True)
    if memory is not None:
        sys.stdout.write(text.removesuffix("\n}") + ',\n "memory": [')
        sys.stdout.writelines(_range_json(memory))
        text = "]\n}"
    print(text)


def _range_json(memory: Iterable[Range]) -> Iterator[str]:
    """Yield the items of a list with the indentation of json, which would take 20 s for a million ranges."""
    comma = end = ""
    for paddr, length, offset in memory:
        where = "null" if offset is None else offset
        yield f'{comma}\n  {{\n   "paddr": {paddr},\n   "length": {length},\n   "offset": {where}\n  }}'
        comma, end = ",", "\n "
    yield end


def warn_if_interrupted(path: str) -> None:
    """Warn if an in-place save of the file was interrupted. Without an undo journal it costs one `stat`."""
    if "\0" in path or not os.path.exists(os.path.realpath(path) + ".vmci-undo"):  # several parts of memory
        return
    from vmci_tui.saving.last_save import is_cut_short

    if is_cut_short(path):
        say("vmci: an in-place save of this file was interrupted. `vmci undo FILE` undoes it, --finish completes it")


def print_lines(lines: Iterable[str]) -> None:
    """Print each line to stdout; on a terminal in colour, and wrapped between words."""
    if sys.stdout.isatty():
        from vmci_tui.cli.terminal_lines import print_wrapped

        print_wrapped(lines)
        return
    sys.stdout.writelines(line + "\n" for line in lines)


def shown_progress() -> Progress:
    """Return a callback that shows progress on one line of stderr, and erases it at the end or before a message.

    It does nothing if stderr is not a terminal.
    """
    if not sys.stderr.isatty():
        return no_progress
    pace, last = Pace(), 0.0

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        if done < total and time.monotonic() - last < 0.1:
            return
        last = time.monotonic()
        if done < total:
            say_progress(pace.words(what, done, total))
        else:
            erase_progress()

    return show
