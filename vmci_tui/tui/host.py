"""The app as its screens and widgets see it; they do not import the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from vmci_tui.tui.session import SessionHost

if TYPE_CHECKING:
    from collections import deque

    from textual.message_pump import MessagePump
    from textual.screen import Screen

    from vmci_tui.document.document import Document
    from vmci_tui.settings.lesson_progress import LessonProgress
    from vmci_tui.settings.settings import Settings


class Host(SessionHost, Protocol):
    """The methods of the app that screens and widgets use."""

    settings: Settings
    messages: deque[str]
    """The last messages, oldest first, each with its time."""
    presses: int
    """Keys and clicks so far."""

    def failed(self, error: BaseException, painting: bool = False) -> None:
        """Report an error in one line; while painting only once, because a report paints too."""

    def show_mishaps(self) -> None:
        """Report readers that failed in a judgement; it continues without them."""

    def refuse_outside(self, path: str) -> None:
        """Raise UsageError for a file that may not be opened or saved here."""

    def load_rest(self) -> None:
        """Import in a thread, once, what the keys open; call it when nothing more urgent is to be done."""

    def open(self, path: str, blob: str | None = None) -> bool:
        """Show a file; report an error and return False if it cannot be opened."""

    def open_recent(self, path: str, blob: str | None) -> None:
        """Show a file once the disk answers; one that is read to its end first in the prompt."""

    def open_file(self, path: str, blob: str | None = None) -> None:
        """Show a file. Raises VmciError if it cannot be opened."""

    def show_document(self, document: Document) -> None:
        """Show a file that was opened elsewhere."""

    def open_new(self) -> None:
        """Show an entry as Linux would write it."""

    def ask_open(self, typed: str = "") -> None:
        """Ask for a file and open it; `typed` is what the user typed already."""

    def show_start(self) -> None:
        """Show the start screen over the open file."""

    def action_craft(self) -> None:
        """Show the fault bench over the open file."""

    @property
    def lesson(self) -> object:
        """Return the running lesson; None if there is none."""

    @property
    def lessons_in(self) -> str | None:
        """Return the folder of lessons; None for the bundled ones."""

    @property
    def lesson_progress(self) -> LessonProgress:
        """Return which lessons are done, and whether they go on by themselves."""

    def switch_advance(self) -> None:
        """Let the next step of a lesson follow by itself, or no longer."""

    def start_lesson(self, path: str) -> None:
        """Start a lesson; report an error if it cannot be loaded."""

    def has_unsaved(self) -> bool:
        """Return whether there are unsaved edits."""

    def close_files(self) -> None:
        """Close the open files."""

    async def replace_screens(self, screen: Screen[None]) -> None:
        """Replace all screens by this one."""

    def reopen(self, document: Document) -> None:
        """Open the file again after it was changed on disk."""

    def undo_last_save(self, document: Document, path: str, force: bool = False) -> None:
        """Undo the last save in place, and open the file again."""


def host(node: MessagePump) -> Host:
    """Return the app that a screen or widget is in."""
    return cast("Host", node.app)
