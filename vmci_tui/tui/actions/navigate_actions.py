"""Going to a place, searching, copying, opening another file, leaving."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from textual.worker import get_current_worker

from vmci_tui.document import find_bytes as searching
from vmci_tui.document.addresses import offset_of
from vmci_tui.document.document import Document
from vmci_tui.document.state import State
from vmci_tui.layers.file import FileSource
from vmci_tui.tui.panes.panes import FindingsList, HexPane
from vmci_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from textual.screen import Screen

    from vmci_tui.findings import Finding
    from vmci_tui.findings.judgement import Judgement
    from vmci_tui.tui.app import VmciApp
    from vmci_tui.tui.widgets.dialogs import Accept, Preview

    _Base = Screen[None]
else:
    _Base = object  # each further class of Textual's for one screen is 0.4 ms of the first paint, and there are eleven


class WayActions(_Base):
    """Actions that change nothing in the document."""

    document: Document
    judgement: Judgement | None
    _pattern: bytes | None = None
    _typed = ""
    _searching: bool = False

    @property
    def found(self) -> tuple[Finding, ...]:
        """The findings of what is shown; none while it is being judged."""
        return () if self.judgement is None else self.judgement.found

    @property
    def vmci(self) -> VmciApp:
        return cast("VmciApp", self.app)

    def say(self, words: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """A passing message; its text may hold what a file says, and is never parsed."""
        from vmci_tui.tui.style.cells import safe

        self.notify(safe(words), severity=severity, markup=False)

    def shell_of(self, words: str) -> str:
        """A command with the names of the files that are open; empty where it would say something else."""
        from vmci_tui.repair.next_commands import copy_name, shell_word

        source = self.document.source
        if not isinstance(source, FileSource) or self.document.modified:
            return ""
        copy = shell_word(copy_name(source.path))
        return f"$ vmci {words.replace('COPY', copy).replace('FILE', shell_word(source.path))}"

    def ask(self, title: str, accept: Accept, value: str = "", hint: str = "", preview: Preview | None = None) -> None:
        """Ask for a line of text."""
        from vmci_tui.tui.widgets.dialogs import Ask

        self.app.push_screen(Ask(title, accept, value, hint, self.vmci.settings.blink, preview))

    def choose(
        self, title: str, choices: tuple[tuple[str, str], ...], chosen: Callable[[str | None], None], hint: str = ""
    ) -> None:
        """Ask for one of a few; the first is the safe one."""
        from vmci_tui.tui.widgets.dialogs import Choose

        self.app.push_screen(Choose(title, choices, hint), chosen)

    def action_goto(self) -> None:
        hint = "a file offset (0x790 or 1936), or p and a guest-physical address (p0x1958000)"
        self.ask("Go to", self._goto, hint=hint)

    def _goto(self, typed: str) -> None:
        self._arrive(offset_of(typed, self.document.layout), 1)

    def _arrive(self, offset: int, length: int) -> None:
        view = self.query_one(HexPane)
        view.go(offset)
        view.set_mark(offset, length)
        view.post_message(HexPane.Moved(offset))

    def action_search(self) -> None:
        hint = r"text (\xNN for any byte), or hex: 0x0b000000, or 0b 00 00 00"
        self.ask("Search", self._start_search, self._typed, hint)

    def _start_search(self, typed: str) -> None:
        self._pattern, self._typed = searching.pattern_of(typed), typed
        self._run_search(self.query_one(HexPane).cursor)

    def action_search_next(self) -> None:
        if self._pattern is None:
            self.action_search()
        else:
            self._run_search(self.query_one(HexPane).cursor + 1)

    def _run_search(self, start: int) -> None:
        assert self._pattern is not None
        self._searching = True
        self.run_worker(partial(self._search, self._pattern, start), thread=True, exclusive=True, group="search")

    def _search(self, pattern: bytes, start: int) -> None:
        """In a thread: the document is only read, and widgets are left alone."""
        worker = get_current_worker()
        last = -1

        def progress(at: int) -> bool:
            nonlocal last
            if at >> 28 != last:  # each 256 MiB: four times a second at most
                last = at >> 28
                self.app.call_from_thread(self._search_at, at)
            return not worker.is_cancelled

        try:
            hit = searching.search(self.document, pattern, start, progress)
            if hit is None and start and not worker.is_cancelled:
                self.app.call_from_thread(self.say, "not found from here on: searching from the start")
                hit = searching.search(self.document, pattern, 0, progress)
        except Exception as error:  # the worker's edge
            self.app.call_from_thread(self._search_failed, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._search_ended, hit, len(pattern))

    def _search_at(self, at: int) -> None:
        total = max(self.query_one(HexPane).total, 1)
        self.query_one("#status", StatusLine).tell(f"searching at {at:#x}, {100 * at // total} %  (ESC stops)")

    def _search_failed(self, error: Exception) -> None:
        self._searching = False
        self.vmci.failed(error)

    def _search_ended(self, hit: int | None, length: int) -> None:
        self._searching = False
        if hit is None:
            self.say("not found in the whole file", "warning")
            self.show_place()
        else:
            self._arrive(hit, length)
            self.query_one(HexPane).focus()

    def file_text(self) -> str:
        """The file, its container, and whether it was edited: the end of the status line."""
        document = self.document
        state = "modified" if document.unsaved else "edits saved" if document.modified else "not modified"
        return f"{document.name}  {document.container}  {state}"

    def show_place(self) -> None:
        raise NotImplementedError

    def tell_command(self) -> None:
        raise NotImplementedError

    def group_edits(self, before: State, words: str) -> None:
        raise NotImplementedError

    def action_pane(self, name: str) -> None:
        raise NotImplementedError

    def follow_cursor(self) -> None:
        raise NotImplementedError

    def stop_search(self) -> bool:
        """Stop a search that runs; whether there was one."""
        if not self._searching:
            return False
        self.workers.cancel_group(self, "search")
        self._searching = False
        self.say("search stopped", "warning")
        self.show_place()
        return True

    def action_show_finding(self) -> None:
        """To the pane that holds the bytes of the finding."""
        listed = self.query_one(FindingsList)
        finding = listed.finding()
        if finding is None:
            self.say("there is no finding to show")
            return
        listed.post_message(FindingsList.Moved(listed, listed.cursor))
        if finding.span is None:
            self.say("this finding is about no bytes in particular", "warning")
        elif finding.span.of == "entry":
            self.action_pane("entry")
        else:
            place = self.query_one(HexPane).places
            at = place.at(finding.span.offset) if place is not None else None
            in_text = at is not None and at.line is not None and at.note == self.document.state.index
            self.action_pane("keys" if in_text else "hex")

    def show_one_finding(self, finding: Finding) -> None:
        """To a finding that another screen tells of, and to its bytes."""
        if finding in self.found:
            self.query_one(FindingsList).select(self.found.index(finding))
            self.action_pane("findings")
            if finding.span is not None:
                self.action_show_finding()

    def action_open(self) -> None:
        self._unless_unsaved(self.vmci.show_start)

    def action_leave(self) -> None:
        self._unless_unsaved(self.app.exit)

    def _unless_unsaved(self, go_on: object) -> None:
        assert callable(go_on)
        if not self.document.unsaved:
            go_on()
            return
        edits = "; ".join(self.document.labels[-3:])
        choices = (("stay", "Stay"), ("save", "Save a copy first"), ("leave", "Leave, the edits are lost"))

        def chosen(choice: str | None) -> None:
            if choice == "leave":
                go_on()
            elif choice == "save":
                self.call_later(self.run_action, "save")

        self.choose("There are edits that are not saved", choices, chosen, edits)
