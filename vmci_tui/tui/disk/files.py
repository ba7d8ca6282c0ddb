"""The files that the app opens and puts back, in threads: one may be on a server that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.layers.file import FileSource
from vmci_tui.opening.open_file import open_document, opens_slowly
from vmci_tui.saving.last_save import is_cut_short
from vmci_tui.tui.background import Asides, Background
from vmci_tui.tui.disk.save_session import undo_save
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import safe
from vmci_tui.tui.widgets.dialogs import Choose, Waiting

if TYPE_CHECKING:
    from textual.app import App

    from vmci_tui.common.budget import Budget
    from vmci_tui.document.document import Document


class Files:
    """Opens the recent files of an app, and undoes saves in place."""

    patience: ClassVar[float] = 0.05
    """Seconds to wait for the disk: what is done by then is shown at once, without a message before it."""

    def __init__(self, app: App[None]) -> None:
        self._app, self._host = app, host(app)
        self._opens: Background[Document | None] = Background(app.call_later, Asides(), _close)
        self._undoes: Background[str] = Background(app.call_later, Asides())

    def open(self, path: str, blob: str | None) -> None:
        """Show a file; one that is read to its end first in the prompt, which shows the progress."""
        app = self._app
        asked_on = app.screen

        def job(_: Budget) -> Document | None:
            self._host.refuse_outside(path)
            return None if opens_slowly(path) else open_document(path, blob)

        def done(document: Document | None) -> None:
            if app.screen is not asked_on:
                _close(document)
                app.notify(f"{visible(path)} answers now: open it again", markup=False)
            elif document is None:
                self._host.ask_open(path)
            else:
                self._host.show_document(document)

        if not self._opens.ask(job, done, self._failed, self.patience):
            app.notify(f"opening {visible(path)}", markup=False)

    def ask_unfinished(self, document: Document) -> None:
        """Ask about a save in place that was cut short."""
        source = document.source
        if not isinstance(source, FileSource) or document.read_only or not is_cut_short(source.path):
            return
        choices = (("later", "Leave it unchanged"), ("back", "Undo it"), ("finish", "Complete it"))

        def chosen(choice: str | None) -> None:
            if choice in ("back", "finish"):
                self.undo_save(document, source.path, finishing=choice == "finish", force=False)

        hint = "The old bytes are kept, so both are safe."
        self._app.push_screen(Choose("A save in place of this file was interrupted", choices, hint), chosen)

    def undo_save(self, document: Document, path: str, finishing: bool, force: bool) -> None:
        """Undo the last save in place of a file, or complete it, and open the document again."""
        app, source = self._app, document.source
        if not isinstance(source, FileSource) or document.read_only:
            app.notify("the file is open in another vmci, or is not a regular file", severity="error", markup=False)
            return
        document.close()  # it releases the lock, which the undo takes
        waiting = Waiting(f"{'Completing' if finishing else 'Undoing'} the save in place of {visible(path)}")

        def end() -> None:
            while stands(waiting) and waiting in app.screen_stack:  # its help may be over it
                app.pop_screen()
            self._host.reopen(document)

        def done(words: str) -> None:
            app.notify(words, markup=False)
            end()

        def failed(error: Exception) -> None:
            self._failed(error)
            end()

        if not self._undoes.ask(lambda _: undo_save(path, finishing, force), done, failed, self.patience):
            app.push_screen(waiting)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, VmciError):
            self._app.notify(safe(str(error)), severity="error", markup=False)
        else:
            self._host.failed(error)


def _close(document: Document | None) -> None:
    if document is not None:
        document.close()
