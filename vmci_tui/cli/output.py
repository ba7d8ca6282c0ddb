"""Data on stdout: JSON, or lines."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vmci_tui.cli.streams import tell
from vmci_tui.common.progress import Pace, Progress, no_progress

if TYPE_CHECKING:
    from vmci_tui.layers.range_table import Range


SCHEMA: Final = 1
"""The version of the JSON of all commands (docs/json.md). A new key leaves it as it is; a key that goes, is
renamed or gets another meaning makes it the next."""


def print_json(value: Mapping[str, object] | Sequence[object], memory: Iterable[Range] | None = None) -> None:
    """Print an object, with the schema's version as its first key, or a list.

    An object gets the ranges of memory as its last key, written one at a time.
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
    """The items of a list, as json has them with one blank for each level; of a million it would take 20 s."""
    comma = end = ""
    for paddr, length, offset in memory:
        where = "null" if offset is None else offset
        yield f'{comma}\n  {{\n   "paddr": {paddr},\n   "length": {length},\n   "offset": {where}\n  }}'
        comma, end = ",", "\n "
    yield end


def tell_unfinished(path: str) -> None:
    """Say that an in-place save of the file was cut short, if so. Costs one look for a name if none was."""
    if not os.path.exists(os.path.realpath(path) + ".vmci-undo"):
        return
    from vmci_tui.saving.last_save import is_cut_short

    if is_cut_short(path):
        tell("vmci: a save in place of this file was cut short; `vmci undo FILE` takes it back, --finish ends it")


def print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(line + "\n" for line in lines)


def shown_progress() -> Progress:
    """What is done, told on one line of stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        return no_progress
    pace, last = Pace(), 0.0

    def told(what: str, done: int, total: int) -> None:
        nonlocal last
        if done < total and time.monotonic() - last < 0.1:
            return
        last = time.monotonic()
        tell(f"\r{pace.words(what, done, total):<60}", end="\n" if done >= total else "")

    return told
