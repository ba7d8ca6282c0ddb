"""The pane of the findings: the list, and the chosen finding in full."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from vmci_tui.common.safe_text import Safe
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.panes.copy import entry_bytes, file_bytes
from vmci_tui.tui.panes.rows import finding_rows, gone
from vmci_tui.tui.prompts import say, try_edit
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.useful_actions import is_refused

if TYPE_CHECKING:
    from vmci_tui.findings import Finding
    from vmci_tui.render.copy_formats import CopiedBytes


class FindingsList(LineList):
    """The list of findings."""

    enter_action = "show_finding"

    about = (
        "Findings: what is wrong or worth knowing, worst first. Each has a code, its bytes, why it matters and "
        "which readers reject the file because of it; [f] marks those with an automatic fix, [R] those that a note "
        "from memory removes."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "show_finding", "Show", "Go to the bytes of this finding"),
        bind("f", "fix", "Fix", "Apply the fix for this finding"),
    ]

    def is_useful(self, action: str) -> bool:
        """Return whether an action would do something with the finding under the cursor."""
        finding = self.finding()
        if is_refused(action, self.session):
            return False
        if action == "show_finding":
            return finding is not None and finding.span is not None
        return action != "fix" or (finding is not None and finding.fix is not None)

    class ShowWanted(Message):
        """The user wants to see the bytes of a finding."""

        def __init__(self, finding: Finding) -> None:
            self.finding = finding
            super().__init__()

    def __init__(self, session: Session) -> None:
        super().__init__(id="findings")
        self.session = session
        self._before: tuple[Finding, ...] = ()
        """Those of the state that a file has."""
        self.fixed: tuple[Finding, ...] = ()
        """Those that the unsaved edits made go away; below the others."""

    def show_judgement(self) -> None:
        """Show the findings of the state, or why none is shown."""
        self.empty = "no findings" if self.session.judgement is not None else self.session.not_judged
        session = self.session
        if session.judgement is not None and not session.document.unsaved:
            self._before = session.found
        self.fixed = () if session.judgement is None else gone(self._before, session.found)
        self.set_rows(finding_rows(session.found, self.fixed, not session.document.runs))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self.has_focus:
            self.screen.refresh_bindings()  # which keys are useful depends on the finding

    def finding(self) -> Finding | None:
        """Return the finding under the cursor."""
        return self.session.found[self.cursor] if self.cursor < len(self.session.found) else None

    def selected_text(self) -> str:
        """Return the finding under the cursor in one line."""
        finding = self.finding()
        return (
            f"{finding.code} {finding.severity}: {finding.message}" if finding is not None else super().selected_text()
        )

    def selection_reader(self) -> Callable[[], CopiedBytes | None]:
        """Return what reads the bytes of the finding under the cursor."""
        finding = self.finding()
        if finding is None or finding.span is None:
            return lambda: None
        document, span = self.session.document, finding.span
        if span.of == "entry":
            return partial(entry_bytes, document, span)
        return partial(file_bytes, document, span.offset, span.length, Safe(f"the bytes of {finding.code}"))

    def action_show_finding(self) -> None:
        finding = self.finding()
        if finding is None:
            say(self, "there is no finding to show")
        else:
            self.post_message(self.ShowWanted(finding))

    def action_fix(self) -> None:
        finding = self.finding()
        if finding is None:
            say(self, "there is nothing to fix")
        elif finding.fix is None and (finding.wants_memory or self.session.document.runs):
            self.screen.call_later(self.screen.run_action, "repair")
        elif finding.fix is None:
            say(self, "no automatic fix for this finding: R tries to repair the whole file", "warning")
        else:
            from vmci_tui.repair.safe_fixes import command_of_fix

            command = command_of_fix(finding, self.session.found, self.session.document.state)
            try_edit(self, self.session, finding.fix, command)


class FindingsPane(Guarded, Vertical):
    """The list, and below it the chosen finding in full."""

    DEFAULT_CLASSES = "pane"

    def __init__(self, session: Session) -> None:
        super().__init__(id="findings-pane")
        self.session = session

    def compose(self) -> ComposeResult:
        yield FindingsList(self.session)

    def on_click(self) -> None:
        self.query_one(FindingsList).focus()

    def show_judgement(self) -> None:
        """Show the findings of the state."""
        self.query_one(FindingsList).show_judgement()
        self.show_chosen()

    def show_chosen(self) -> None:
        """Show the chosen finding in full; its widget is made for the first one."""
        finding, found = self.query_one(FindingsList).finding(), self.query("#why-text")
        if finding is None:
            self.query("#why").remove()
            return
        from vmci_tui.render.finding_report import reader_lines, to_do

        lines = [finding.message, f"why: {finding.why}", *reader_lines(finding)]
        if what := to_do(finding):
            lines.insert(1, f"{'f: ' if finding.fix else 'to do: '}{what}")
        words = plain("\n".join(lines))
        if found:
            found.first(Static).update(words)
        else:
            self.mount(VerticalScroll(Static(words, id="why-text"), id="why"))


def finding_count(found: tuple[Finding, ...]) -> str:
    """Return a short text with the number of findings."""
    errors = sum(item.severity == "error" for item in found)
    if not errors:
        return f"{len(found)} hint{'' if len(found) == 1 else 's'}" if found else "none"
    word = "error" if errors == 1 else "errors"
    return f"{errors} {word}" + (f" of {len(found)}" if len(found) > errors else "")
