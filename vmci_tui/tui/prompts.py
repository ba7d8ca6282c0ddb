"""Show a passing message, ask for a value, make an edit of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from vmci_tui.common.errors import VmciError
from vmci_tui.tui.style.cells import safe

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.document.edit import Edit
    from vmci_tui.tui.session import MakeEdit, Preview, Session
    from vmci_tui.tui.widgets.dialogs import Accept


def say(node: DOMNode, words: str, severity: Literal["information", "warning", "error"] = "information") -> None:
    """Show a passing message; it may have text of a file and is never parsed as markup."""
    node.app.notify(safe(words), severity=severity, markup=False)


def ask(
    node: DOMNode,
    title: str,
    accept: Accept,
    value: str = "",
    hint: str = "",
    preview: Preview | None = None,
    at_once: str = "",
) -> None:
    """Ask for a line of text; `at_once` is one that needs no Enter."""
    from vmci_tui.tui.widgets.dialogs import Ask

    node.app.push_screen(Ask(title, accept, value, hint, preview, at_once))


def choose(
    node: DOMNode,
    title: str,
    choices: tuple[tuple[str, str], ...],
    chosen: Callable[[str | None], None],
    hint: str = "",
) -> None:
    """Ask for one of a few (name, label); the first is the safe choice."""
    from vmci_tui.tui.widgets.dialogs import Choose

    node.app.push_screen(Choose(title, choices, hint), chosen)


def refuses_edit(node: DOMNode, session: Session) -> bool:
    """Return whether a running VM is open, which no edit changes; say then which command makes a dump of it."""
    if session.document.runs:
        say_dump(node, session, "a running VM is not changed")
    return session.document.runs


def say_dump(node: DOMNode, session: Session, why: str) -> None:
    """Say why a key does nothing to a running VM, and the command that makes a dump of it."""
    from vmci_tui.repair.next_commands import conversion

    words = f"{why}: {conversion(session.document)} makes a dump of it (W shows the command)"
    say(node, words, "warning")


def make_edit(node: DOMNode, session: Session, edit: Edit, command: str | None = None) -> bool:
    """Make an edit; say so if it changes nothing. Raises VmciError if it cannot be made or saved."""
    changed = session.edit(edit, command)
    if not changed:
        say(node, "that changes nothing")
    return changed


def try_edit(node: DOMNode, session: Session, edit: Edit, command: str | None = None) -> bool:
    """Make an edit by one key and say so, or show its error; return whether anything changed."""
    if refuses_edit(node, session):
        return False
    try:
        changed = make_edit(node, session, edit, command)
    except VmciError as error:
        say(node, str(error), "error")
        return False
    if changed:
        say(node, f"done: {edit.label}; u takes it back")
    return changed


def ask_edit(node: DOMNode, session: Session, title: str, make: MakeEdit, value: str = "", hint: str = "") -> None:
    """Ask for the value of an edit; the dialog shows every reader's verdict on it while the user types."""

    if refuses_edit(node, session):
        return

    def accept(typed: str) -> None:
        make_edit(node, session, make(typed))

    ask(node, title, accept, value, hint, session.preview(make))


def ask_text(node: DOMNode, session: Session, text: bytes, make: MakeEdit, title: str) -> None:
    """Ask for a whole text in the same way."""
    if refuses_edit(node, session):
        return
    from vmci_tui.tui.widgets.dialogs import EditText

    def accept(typed: str) -> None:
        make_edit(node, session, make(typed))

    node.app.push_screen(EditText(text, accept, title, session.preview(make)))


def is_judged(node: DOMNode, session: Session) -> bool:
    """Return whether the state is judged; if not, say why."""
    if session.judgement is None:
        say(node, f"the file is {session.not_judged}", "warning")
    return session.judgement is not None
