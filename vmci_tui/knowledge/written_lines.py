"""Which lines each version of Linux writes in a vmcoreinfo text, and in which order: data in written_lines.toml."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from vmci_tui.common.packaged import packaged_toml
from vmci_tui.knowledge.glossary import explain

Version = tuple[int, int]
"""The first two numbers of a release."""
FIRST, LAST = (5, 10), (7, 2)
"""The oldest and the newest Linux whose lines were seen in guests."""
_ALWAYS: Final = (0, 0)


class WrittenLine(NamedTuple):
    """A line that a kernel writes, on conditions that its version does not decide."""

    key: bytes
    needs: bytes
    """The key of a line without which this one is not written either; empty if there is none."""
    function: bytes
    """A function that each kernel has that writes the line; empty if there is none."""
    string: bytes = b""
    """A string, with a NUL before and after it, that each kernel has that writes the line; empty if there is none."""


def written_lines(machine: str, version: Version) -> tuple[WrittenLine, ...]:
    """Return the lines of a machine's kernel in order; none of a machine or a version that is not known."""
    tables = _tables()
    if machine not in tables["machine"] or not FIRST <= version <= LAST:
        return ()
    rows = (*tables["all"], *tables["machine"][machine])
    return tuple(line for row in rows if (line := _line(row, version)) is not None)


def _line(row: str | dict[str, str], version: Version) -> WrittenLine | None:
    """Return the line of a row; None if this version does not write it."""
    own: dict[str, str] = {"key": row} if isinstance(row, str) else row
    key = own["key"].encode()
    known = explain(key)
    assert known is not None, key
    since, gone_in = own.get("since", known.since), own.get("gone_in", known.gone_in)
    if version < _version(since) or (gone_in is not None and version >= _version(gone_in)):
        return None
    return WrittenLine(key, *(own.get(name, "").encode() for name in ("with", "symbol", "string")))


def _version(text: str | None) -> Version:
    """Return the first two numbers of a version; before all versions if it is not known."""
    if text is None:
        return _ALWAYS
    first, second, *_ = (int(part) for part in text.split("."))
    return first, second


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    return packaged_toml(__package__, "written_lines.toml")
