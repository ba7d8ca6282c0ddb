"""What screens and widgets ask of the app that they are in, whichever class it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from vmci_tui.tui.session import SessionHost

if TYPE_CHECKING:
    from textual.message_pump import MessagePump
    from textual.screen import Screen

    from vmci_tui.document.document import Document
    from vmci_tui.settings.settings import Settings


class Host(SessionHost, Protocol):
    """The app, as what is below it knows it."""

    settings: Settings

    def failed(self, error: BaseException, painting: bool = False) -> None:
        """Say in a line what went wrong."""

    def show_mishaps(self) -> None:
        """Say what went wrong in a judgement, which goes on without the reader in which it did."""

    def refuse_outside(self, path: str) -> None:
        """Raise UsageError for a file that may not be opened or saved here."""

    def open(self, path: str, blob: str | None = None) -> bool:
        """Show a file; False where it cannot be opened, which is said."""

    def open_new(self) -> None:
        """Show an entry as Linux would write it."""

    def ask_open(self) -> None:
        """Ask for a file, and show it."""

    def show_start(self) -> None:
        """Show the samples and recent files, over what is open."""

    def action_craft(self) -> None:
        """Show the fault bench, over what is open."""

    @property
    def lessons_in(self) -> str | None:
        """Return the folder of lessons; None for the bundled ones."""

    def start_lesson(self, path: str) -> None:
        """Begin a lesson."""

    def has_unsaved(self) -> bool:
        """Return whether what is open was edited and not saved."""

    def close_files(self) -> None:
        """Close the files that are open."""

    async def replace_screens(self, screen: Screen[None]) -> None:
        """Show this screen instead of all others."""

    def reopen(self, document: Document) -> None:
        """Show the file anew after it was changed itself."""

    def undo_last_save(self, document: Document, path: str, finishing: bool = False, force: bool = False) -> None:
        """Undo the last save in place, or bring it to its end, and show the file as it is then."""


def host(node: MessagePump) -> Host:
    """Return the app that a screen or widget is in."""
    return cast("Host", node.app)
