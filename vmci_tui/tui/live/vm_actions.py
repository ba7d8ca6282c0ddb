"""What the keys of the app do to a running VM: ask it again, look for its note, and say how its dump is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vmci_tui.adoption.choose import search
from vmci_tui.common.errors import VmciError
from vmci_tui.containers.guest import guest_of
from vmci_tui.images.guest_image import ImageChoice
from vmci_tui.layers.file import FileSource
from vmci_tui.live.vm import RunningVm
from vmci_tui.live.what_changed import what_changed
from vmci_tui.opening.open_file import names_vm, open_document
from vmci_tui.tui.guarded import stands
from vmci_tui.tui.host import host
from vmci_tui.tui.prompts import say, say_dump
from vmci_tui.tui.session import Session

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.common.budget import Budget
    from vmci_tui.document.document import Document
    from vmci_tui.search.candidate import RankedCandidate

_PATIENCE = 0.1
"""Seconds that a key waits for the few pages of a VM where its note may be."""


def refuses_repair(screen: Screen[Any], session: Session) -> bool:
    """Return whether a VM is open; say then which command makes a dump of it, repaired."""
    if session.document.runs:
        say_dump(screen, session, "a running VM is not repaired")
    return session.document.runs


class VmActions:
    """The actions on the VM of one main screen; on a file they do nothing but say so."""

    def __init__(self, screen: Screen[Any], session: Session) -> None:
        self._screen, self._session = screen, session
        self._background = host(screen).background()
        self._asking = host(screen).background()
        """For F5 alone: nothing else stops it, so that the session of what it opens is not left behind."""

    @property
    def _path(self) -> str | None:
        """Return the name of the VM; None for a file."""
        path = self._session.document.path
        return path if path is not None and names_vm(path) else None

    def refresh(self) -> None:
        """Ask the VM again, in the background, and show what it says; what is open stays if it does not answer."""
        document, shown, path = self._session.document, host(self._screen), self._path
        if path is None:
            say(self._screen, "only a running VM is asked again; o opens a file again", "warning")
            return
        if self._asking.busy:
            say(self._screen, "the VM is being asked, and has not answered yet", "warning")
            return
        blob = document.blob.path if isinstance(document.blob, FileSource) else None
        choice = ImageChoice(*document.opened_as[1:]) if document.opened_as is not None else None

        def job(_: Budget) -> Document:
            for file in document.files:
                if isinstance(file, RunningVm):
                    file.rest()  # QEMU serves one session at a time
            return open_document(path, blob, choice)

        def done(again: Document) -> None:
            if not stands(self._screen):
                again.close()  # another file was opened meanwhile
                return
            news = what_changed(document, again)
            shown.show_document(again)
            say(self._screen, f"asked again at {time.strftime('%H:%M:%S')}: {news}", "information")

        if not self._asking.ask(job, done, self._failed, _PATIENCE):
            say(self._screen, "asking the VM again", "information")

    def finds(self, show: Callable[[], object]) -> bool:
        """Return whether a VM is open; `show` its candidates then, or say that its memory is not searched."""
        dump = self._session.document.dump
        if dump is None or not self._session.document.runs:
            return False

        def job(budget: Budget) -> tuple[RankedCandidate, ...]:
            return search(guest_of(dump), lambda *_: budget.refill().spend())

        def done(found: tuple[RankedCandidate, ...]) -> None:
            self._session.candidates = found
            if found:
                show()
            else:
                say_dump(self._screen, self._session, "memory of a running VM is not searched")

        if not self._background.ask(job, done, self._failed, _PATIENCE):
            say(self._screen, "asking the VM where its kernel has the note: some seconds", "information")
        return True

    def _failed(self, error: Exception) -> None:
        if isinstance(error, VmciError):
            say(self._screen, str(error), "error")
        else:
            host(self._screen).failed(error)

    def refuses_save(self) -> bool:
        """Return whether a VM is open; say then by which command its dump is made: the guest stands still for it."""
        if self._path is None:
            return False
        say_dump(self._screen, self._session, "a running VM is not saved here, because it would stop")
        return True
