"""The prompt for a file to open: a path with completion, the recent files, and what is in the folder."""

from __future__ import annotations

import os
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button, Input

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import typed_path, visible
from vmci_tui.common.sizes import size_text
from vmci_tui.opening.folder_listing import FolderItem, FolderListing, completed, list_folder, matching, parted
from vmci_tui.opening.open_file import open_document, opens_slowly
from vmci_tui.settings.settings import RecentFile
from vmci_tui.tui.background import Asides, Background, run_aside
from vmci_tui.tui.disk.files import Files
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.host import host
from vmci_tui.tui.style.cells import Row
from vmci_tui.tui.widgets.dialogs import Dialog, buttons, hint_line, title_line
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.recent_files import RecentFiles
from vmci_tui.tui.widgets.worker_screen import Job

if TYPE_CHECKING:
    from textual.events import Resize

    from vmci_tui.common.budget import Budget
    from vmci_tui.document.document import Document

_HINT: Final = "Tab completes the name, up and down choose a line"
NAME: Final = 32
"""Cells of the first column, with the name."""
_NAME_LEAST: Final = 20
_DETAILS: Final = 28
"""Cells at the right of a name: its size, and what it is."""


class FileChoice(NamedTuple):
    """What a line of the list opens."""

    path: str
    blob: str | None = None
    """The entry that was open beside it."""
    is_folder: bool = False


class _ChoiceList(LineList, can_focus=False):
    """The list below the field, which keeps the focus."""


class OpenScreen(Dialog[bool]):
    """Asks for a file; a folder that is chosen is listed."""

    lesson_name = "ask"
    enter_label = "Open"
    cancelled = False
    SCOPED_CSS = False
    DEFAULT_CSS = """
    OpenScreen .dialog { height: 90%; }
    OpenScreen #choices { height: 1fr; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        Binding("tab", "complete", "Complete", id="open.complete", priority=True),
        Binding("down", "move(1)", show=False, id="open.down"),
        Binding("up", "move(-1)", show=False, id="open.up"),
        Binding("pagedown", "page(1)", show=False, id="open.pagedown"),
        Binding("pageup", "page(-1)", show=False, id="open.pageup"),
    ]

    def __init__(self, typed: str = "") -> None:
        """`typed` is what the user typed already."""
        super().__init__()
        self._typed = typed
        self._folder: str | None = None
        """The folder that is listed, as typed; None before the first listing."""
        self._listing = FolderListing()
        self._choices: list[FileChoice | None] = []
        """What each line opens; None for a heading."""
        self._picked = False
        """Whether the user moved to a line since the last letter."""
        self._recent = RecentFiles(self, self._show)
        self._job = Job(self, self.show_hint)
        """Reads a file that takes long."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield title_line("Open a dump, an image (LiME, saved VM), a VM (qmp:SOCKET) or an entry")
            yield self.line_input(self._typed, "value")
            yield _ChoiceList(id="choices", empty="nothing here begins like that")
            yield hint_line(_HINT)
            yield buttons(("ok", "Open"), ("cancel", "Cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        field = self.query_one(Input)
        field.cursor_position = len(self._typed)
        field.focus()
        if host(self).allowed is None:
            self._recent.look()
        self._changed()

    # The list

    @on(Input.Changed)
    def _changed(self) -> None:
        self._picked = False
        self.show_hint(_HINT)
        folder = parted(self._value)[0]
        if folder == self._folder:
            self._show()
        else:
            run_aside(partial(self._list, folder))

    def _list(self, folder: str) -> None:
        """List a folder, in a thread: it may be on a server that is slow or gone."""
        try:
            host(self).refuse_outside(os.path.expanduser(folder) or ".")
            listing = list_folder(folder)
        except VmciError as error:
            listing = FolderListing(trouble=visible(error.message))
        self.call_later(self._listed, folder, listing)

    def _listed(self, folder: str, listing: FolderListing) -> None:
        if stands(self) and folder == parted(self._value)[0]:
            self._folder, self._listing = folder, listing
            self._show()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """Show what begins as the user typed; recent files too while nothing is typed."""
        folder, start = parted(self._value)
        listed = self.query_one(_ChoiceList)
        width = max(listed.size.width - _DETAILS - 2, _NAME_LEAST)
        rows: list[Row] = []
        self._choices = []

        def add(row: Row, choice: FileChoice | None) -> None:
            rows.append(row)
            self._choices.append(choice)

        if not self._value and (recent := self._recent.files):
            add((("Recent files", "title"),), None)
            for known in recent:
                add(recent_row(known), FileChoice(known.path, known.blob))
        found = matching(self._listing.items, start) if folder == self._folder else ()
        if rows and found:
            add((("This folder", "title"),), None)
        for item in found:
            add(_row(item, width), FileChoice(folder + item.name, None, item.is_folder))
        if self._listing.trouble:
            add(((self._listing.trouble, "warning"),), None)
        listed.set_rows(rows)
        if not self._picked:
            first = next((at for at, choice in enumerate(self._choices) if choice is not None), 0)
            listed.select(first)

    # Keys

    @property
    def _value(self) -> str:
        return self.query_one(Input).value

    def action_move(self, by: int) -> None:
        self._go(by)

    def action_page(self, by: int) -> None:
        self._go(by * max(self.query_one(_ChoiceList).size.height - 1, 1))

    def _go(self, by: int) -> None:
        """Move in the list, over the headings."""
        listed = self.query_one(_ChoiceList)
        lines = [at for at, choice in enumerate(self._choices) if choice is not None]
        if lines:
            now = lines.index(listed.cursor) if listed.cursor in lines else 0
            listed.select(lines[max(0, min(now + by, len(lines) - 1))])
            self._picked = True

    def action_complete(self) -> None:
        """Complete the typed name as far as all names agree, or take the line that the user moved to."""
        folder, start = parted(self._value)
        choice = self._choice() if self._picked else None
        if choice is not None and choice.path.isprintable():
            self._type(choice.path + "/" * choice.is_folder)
        elif folder == self._folder:
            self._type(folder + completed(matching(self._listing.items, start), start))

    def _type(self, text: str) -> None:
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)

    def _choice(self) -> FileChoice | None:
        at = self.query_one(_ChoiceList).cursor
        return self._choices[at] if at < len(self._choices) else None

    @on(LineList.Moved, "#choices")
    def _clicked(self) -> None:
        self._picked = True

    @on(LineList.Chosen, "#choices")
    def _chosen(self) -> None:
        if (choice := self._choice()) is not None:
            self._open(choice)

    @on(Input.Submitted)
    @on(Button.Pressed, "#ok")
    def _submit(self) -> None:
        """Open the line that the user moved to, else the typed path, else the first line that begins like it."""
        typed = self._value.strip()
        choice = self._choice() if parted(self._value)[0] == self._folder else None
        if not self._picked and typed:
            self._look(FileChoice(typed_path(typed)), choice)
        elif choice is not None:
            self._open(choice)

    def _open(self, choice: FileChoice) -> None:
        if choice.is_folder:
            self._type(choice.path.rstrip("/") + "/")
        else:
            self._look(choice, None)

    @cached_property
    def _looks(self) -> Background[Document | FileChoice]:
        return Background(self.app.call_later, Asides(), _close)  # the app's: the dialog may be gone by then

    def _look(self, choice: FileChoice, other: FileChoice | None) -> None:
        """Open a file or a folder, or `other` where there is none; in a thread, because the disk may not answer."""
        self.show_hint(_HINT)

        def look(_: Budget) -> Document | FileChoice:
            """Return the document, or a choice that is a folder, or is read to its end first."""
            path = os.path.expanduser(choice.path)
            host(self).refuse_outside(path)
            if other is not None and not os.path.exists(path):
                return other
            if os.path.isdir(path):
                return choice._replace(is_folder=True)
            return choice if opens_slowly(path) else open_document(path, choice.blob)

        def looked(found: Document | FileChoice) -> None:
            if not isinstance(found, FileChoice):
                self._read(found)
            elif not stands(self):
                return
            elif found is choice:
                path = os.path.expanduser(choice.path)
                work = partial(open_document, path, choice.blob, None, pages=True)
                self._job.start(work, self._read, self._not_read)
            else:
                self._open(found)

        if not self._looks.ask(look, looked, self._not_read, Files.patience):
            self.show_hint(f"opening {visible(choice.path)}")

    def _read(self, document: Document) -> None:
        """Show a file that took long to read, unless the dialog is gone."""
        if not stands(self):
            document.close()
            return
        host(self).show_document(document)
        self.dismiss(True)

    def _not_read(self, error: Exception) -> None:
        if not isinstance(error, VmciError):
            host(self).failed(error)
        self.show_hint(str(error), bad=True)

    def action_cancel(self) -> None:
        if not self._job.stop():
            super().action_cancel()


def _close(found: Document | FileChoice) -> None:
    if not isinstance(found, FileChoice):
        found.close()


def recent_row(item: RecentFile) -> Row:
    """Return the line of a recent file: its name, then its folder and the entry beside it."""
    folder, name = os.path.split(item.path)
    beside = f" with {visible(os.path.basename(item.blob))}" if item.blob else ""
    return ((f"  {visible(name):<{NAME}} ", "key"), (f"in {visible(folder)}{beside}", "dim"))


def _row(item: FolderItem, width: int) -> Row:
    """Return the line of a file or a folder; a long name is cut in its middle, because its end often differs."""
    name = visible(item.name) + "/" * item.is_folder
    if len(name) > width:
        half = (width - 2) // 2
        name = f"{name[:half]}..{name[half + 2 - width :]}"
    size = "" if item.is_folder else size_text(item.size)
    style = "key" if item.kind else "value" if item.is_folder else "dim"
    return ((f"  {name.ljust(width)}", style), (f"{size:>12}  {item.kind or 'folder' * item.is_folder}", "dim"))
