"""Saying something in passing, asking for a value, and making the edit that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from vmci_tui.common.errors import VmciError
from vmci_tui.tui.style.cells import safe

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from vmci_tui.document.edit import Edit
    from vmci_tui.tui.session import Make, Preview, Session
    from vmci_tui.tui.widgets.dialogs import Accept


def say(node: DOMNode, words: str, severity: Literal["information", "warning", "error"] = "information") -> None:
    """Show a passing message; its text may hold what a file says, and is never parsed."""
    node.app.notify(safe(words), severity=severity, markup=False)


def ask(
    node: DOMNode, title: str, accept: Accept, value: str = "", hint: str = "", preview: Preview | None = None
) -> None:
    """Ask for a line of text."""
    from vmci_tui.tui.widgets.dialogs import Ask

    node.app.push_screen(Ask(title, accept, value, hint, preview))


def choose(
    node: DOMNode,
    title: str,
    choices: tuple[tuple[str, str], ...],
    chosen: Callable[[str | None], None],
    hint: str = "",
) -> None:
    """Ask for one of a few (name, label); the first is the safe one."""
    from vmci_tui.tui.widgets.dialogs import Choose

    node.app.push_screen(Choose(title, choices, hint), chosen)


def make_edit(node: DOMNode, session: Session, edit: Edit) -> bool:
    """Make an edit, and say where it changes nothing. Raises VmciError where it cannot be made, or not be saved."""
    changed = session.edit(edit)
    if not changed:
        say(node, "that changes nothing")
    return changed


def try_edit(node: DOMNode, session: Session, edit: Edit) -> bool:
    """Make an edit that a key asks for: what goes wrong is said, not raised. Gives whether anything changed."""
    try:
        return make_edit(node, session, edit)
    except VmciError as error:
        say(node, str(error), "error")
        return False


def ask_edit(node: DOMNode, session: Session, title: str, make: Make, value: str = "", hint: str = "") -> None:
    """Ask for what makes an edit; while it is typed the dialog shows what every reader would say."""

    def accept(typed: str) -> None:
        make_edit(node, session, make(typed))

    ask(node, title, accept, value, hint, session.preview(make))


def ask_text(node: DOMNode, session: Session, text: bytes, make: Make, title: str) -> None:
    """Ask for a whole text, likewise."""
    from vmci_tui.tui.widgets.dialogs import EditText

    def accept(typed: str) -> None:
        make_edit(node, session, make(typed))

    node.app.push_screen(EditText(text, accept, title, session.preview(make)))


def is_judged(node: DOMNode, session: Session) -> bool:
    """Whether the state is judged; where it is not, say why."""
    if session.judgement is None:
        say(node, f"the file is {session.not_judged}", "warning")
    return session.judgement is not None
