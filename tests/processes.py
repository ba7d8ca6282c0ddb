"""Other processes, as /proc shows them: which are there, and whether they have anything to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Return all descendants of a process."""
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += _children(found[-1])
    return found[1:]


def is_there(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    return _state(Path(f"/proc/{pid}")) not in ("", "Z", "X")


def is_at_work(pid: int) -> bool:
    """Return whether any thread of a process or of its descendants runs, or waits for a processor or a disk."""
    return any(_state(thread) in ("R", "D") for each in (pid, *descendants(pid)) for thread in _threads(each))


def _children(pid: int) -> list[int]:
    found = []
    for thread in _threads(pid):
        try:
            found += [int(word) for word in (thread / "children").read_text().split()]
        except OSError:  # it has ended
            continue
    return found


def _threads(pid: int) -> Iterator[Path]:
    try:
        yield from Path(f"/proc/{pid}/task").iterdir()
    except OSError:  # it has ended
        return


def _state(process: Path) -> str:
    """Return the state letter of /proc's `stat`; empty for a process that does not exist."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
