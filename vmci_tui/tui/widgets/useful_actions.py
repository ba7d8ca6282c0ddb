"""Which actions of the main screen would do something now, for its footer."""

from __future__ import annotations

from typing import Final

from vmci_tui.opening.open_file import names_vm
from vmci_tui.tui.session import Session

_EDITS: Final = frozenset(
    (
        *("append", "edit_value", "add_key", "delete_line", "set_right", "fix", "rename_note", "retype_note"),
        *("drop_note", "edit_entry", "add_write", "templates", "delete_write", "overwrite"),
    )
)
"""The actions with a key in a footer that edit what is open."""


def is_refused(action: str, session: Session) -> bool:
    """Return whether an action would edit a running VM, which no edit changes."""
    return session.document.runs and action in _EDITS


def is_useful(action: str, session: Session) -> bool:
    """Return whether an action would do something to the file, or show something of it."""
    document = session.document
    dump = document.dump
    match action:
        case "save" | "next_change":
            return document.unsaved
        case "undo":
            return document.can_undo
        case "redo":
            return document.can_redo
        case "repair":
            return _may_repair(session)
        case "find" | "memory" | "log":
            return dump is not None and dump.guest_memory.size > 0
        case "append":
            return dump is not None and not is_refused(action, session)
        case "next" | "structure":
            return dump is not None
        case "refresh":
            return document.path is not None and names_vm(document.path)
        case "screen.open_entry":
            return dump is not None and document.state.entry is None and not document.modified
        case "matrix":
            return document.state.vmcoreinfo is not None
        case _:
            return True


def _may_repair(session: Session) -> bool:
    """Return whether a repair would change the state, or may: it is being tried."""
    ahead = session.ahead
    tried = ahead.repair_of(session.document.state) if ahead is not None else None
    if tried is not None:
        return bool(tried.steps)
    running = ahead is not None and ahead.running
    document = session.document
    return (
        document.dump is not None
        and not document.runs
        and (running or any(finding.fix is not None for finding in session.found))
    )
