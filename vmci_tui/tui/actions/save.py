"""Save a copy or in place; undo the last save in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vmci_tui.common.errors import SaveError, VmciError
from vmci_tui.document.document import Document
from vmci_tui.layers.file import FileSource
from vmci_tui.tui.host import host
from vmci_tui.tui.prompts import choose, say

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.tui.session import Session

_SHOWN = 8
"""Lines of bytes that a question shows at most."""


def save(node: DOMNode, session: Session) -> None:
    """Save a copy of the dump, or of its entry, whichever was edited; ask if both were."""
    document = session.document
    if document.dump is None or not document.entry_unsaved:
        _save(node, session, document, entry=document.dump is None)
    elif not document.dump_unsaved:
        _save(node, session, document.entry_alone(), entry=True)
    else:
        _ask_which(node, session)


def _ask_which(node: DOMNode, session: Session) -> None:
    def chosen(choice: str | None) -> None:
        if choice == "dump":
            _save(node, session, session.document, entry=False)
        elif choice == "entry":
            _save(node, session, session.document.entry_alone(), entry=True)

    choices = (("dump", "Save a copy of the dump"), ("entry", "Save the entry, 16 bytes"))
    choose(node, "The dump and its entry are two files, and both were edited", choices, chosen)


def _save(node: DOMNode, session: Session, document: Document, entry: bool) -> None:
    from vmci_tui.saving.plan import plan_copy
    from vmci_tui.tui.screens.save_screen import SaveOutcome, SaveScreen

    def saved(outcome: SaveOutcome | None) -> None:
        if outcome is None:
            return
        say(node, outcome.words if entry else f"{outcome.words}. N: what now")
        if outcome.in_place:
            session.mark_saved(entry, None)
            host(node).reopen(session.document)
        else:
            session.saved(entry, outcome.path)

    try:
        plan = plan_copy(document)
    except SaveError as error:
        say(node, str(error), "error")
        return
    node.app.push_screen(SaveScreen(document, plan), saved)


def undo_save(node: DOMNode, session: Session) -> None:
    """Undo the last save in place of a file, after a question with its name."""
    from vmci_tui.saving.last_save import last_save_state

    document = session.document
    files: list[tuple[FileSource, bool]] = []
    for source in (document.source, document.blob):
        if isinstance(source, FileSource):
            try:
                now = last_save_state(source.path)[0]
            except VmciError as error:
                say(node, str(error), "error")
                return
            if now not in ("none", "untouched"):
                files.append((source, now == "changed"))
    if not files:
        say(node, "there is no save in place to undo", "warning")
        return
    words = [f"Undo it in {s.name}{', which another program changed since' if forced else ''}" for s, forced in files]
    choices = (("stay", "Leave it unchanged"), *((str(n), item) for n, item in enumerate(words)))

    def chosen(choice: str | None) -> None:
        if choice and choice != "stay":
            source, forced = files[int(choice)]
            if forced:
                _overwrite_and_undo(node, document, source)
            else:
                host(node).undo_last_save(document, source.path)

    hint = "Unsaved edits will be lost." if document.unsaved else ""
    choose(node, "Undo the last save in place?", choices, chosen, hint)


def _overwrite_and_undo(node: DOMNode, document: Document, source: FileSource) -> None:
    """Show the bytes that another program wrote since, and ask again."""
    from vmci_tui.render.undo_report import overwritten_text
    from vmci_tui.saving.last_save import foreign_bytes

    try:
        lines = list(overwritten_text(foreign_bytes(source.path)))
    except VmciError as error:
        say(node, str(error), "error")
        return
    shown = lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} lines more"]

    def chosen(choice: str | None) -> None:
        if choice == "over":
            host(node).undo_last_save(document, source.path, force=True)

    choices = (("stay", "Leave it unchanged"), ("over", "Overwrite these bytes and undo the save"))
    title = "Another program changed the file since: its bytes now (-) and before the save (+)"
    choose(node, title, choices, chosen, "\n".join(shown))


def confirm_unsaved(node: DOMNode, session: Session, proceed: Callable[[], object]) -> None:
    """Call `proceed`; ask first if there are unsaved edits."""
    if not session.document.unsaved:
        proceed()
        return

    def chosen(choice: str | None) -> None:
        if choice == "leave":
            proceed()
        elif choice == "save":
            node.call_later(save, node, session)

    choices = (("stay", "Stay"), ("save", "Save a copy first"), ("leave", "Leave and lose the edits"))
    choose(node, "There are unsaved edits", choices, chosen, "; ".join(session.document.labels[-3:]))
