"""The screen of readers: each one's verdict in its own words, the rule behind it, what would change it."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from vmci_tui.findings import Finding
from vmci_tui.readers.rule import Verdict
from vmci_tui.readers.verdicts import VerdictPair, more_verdicts
from vmci_tui.render.explained.reader_verdict import verdict_lines
from vmci_tui.repair.fix_for_reader import fixes_for
from vmci_tui.repair.next_commands import NextCommand
from vmci_tui.tui.background import Background
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.live.vm_actions import refuses_repair
from vmci_tui.tui.prompts import ask, say
from vmci_tui.tui.screens.matrix_screen import show_matrix
from vmci_tui.tui.session import Session
from vmci_tui.tui.style.cells import Row, plain
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.line_list import LineList
from vmci_tui.tui.widgets.status_line import StatusLine

_NAME, _NOW = 14, 11
"""Cells of a reader's name, and of its verdict now; its verdict after saving follows."""
_HEADS = f"{'Readers':<{_NAME - 2}}{'now':<{_NOW}}saved"
"""The heads of the columns, in the border, whose text begins two cells further to the right."""
_STYLES = {"accepts": "good", "opens": "warning", "refuses": "error", "unknown": "dim"}


class ReadersScreen(Guarded, Screen[Finding | Literal["repair"] | None]):
    """Shows all verdicts; ends with the finding to go to, with "repair", or with None."""

    lesson_name = "readers"

    SCOPED_CSS = False
    DEFAULT_CSS = """
    ReadersScreen #verdicts { width: 38; border: round $surface-lighten-2; height: 1fr; }
    ReadersScreen #verdicts:focus { border: round $accent; border-title-color: $accent; }
    ReadersScreen #told { border: round $surface-lighten-2; padding: 0 1; height: 1fr; }
    ReadersScreen #told:focus { border: round $accent; }
    """
    about = "Readers: the verdict of each program that reads such files, in its own words, and why."
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("enter", "go", "Show bytes", "Show the bytes that make it refuse", "readers.go"),
        bind("f", "fix", "Fix for it", "Apply the fixes that help it to accept", "readers.fix"),
        bind("R", "repair", "Repair", "Apply all safe fixes in one go", "readers.repair"),
        bind("m", "matrix", "Values", "Show each reader's value for each key", "readers.matrix"),
        bind("c", "copy", "Copy command", "Copy this reader's next command", "readers.copy"),
        bind("plus", "all", "More", "Show what further programs, such as gdb, make of it", "readers.all"),
        bind("V", "version", "Version", "Choose the version whose rules judge", "readers.version"),
        bind("escape,v,q", "dismiss", "Back", "Back to the file", "readers.back"),
    ]

    def __init__(self, session: Session, reader: str | None) -> None:
        """`session` must have a judgement; the cursor starts on `reader`."""
        super().__init__()
        assert session.judgement is not None
        self.session, self._judgement = session, session.judgement
        self._steps = session.next_commands()
        self._more: VerdictPair | None = None
        """The verdicts of the programs that judge only on request, while they are shown."""
        self._job: Background[VerdictPair] | None = None
        """That finds these verdicts."""
        self._names = list(self._judgement.now)
        self._first = self._names.index(reader) if reader in self._names else self._worst()

    def _worst(self) -> int:
        """Return the index of the first reader that refuses, else that reads no memory, else that accepts."""
        said = [self._judgement.now[name].state for name in self._names]
        return next((said.index(state) for state in ("refuses", "opens", "accepts") if state in said), 0)

    def compose(self) -> ComposeResult:
        yield StatusLine(" How each reader reads this file", id="title")
        with Horizontal():
            yield LineList(id="verdicts")
            with VerticalScroll(id="told"):
                yield Static(id="verdict")
        yield KeyFooter()

    def on_mount(self) -> None:
        listed = self.query_one("#verdicts", LineList)
        listed.border_title = _HEADS
        self._show()
        listed.select(self._first)
        self._show_verdict()
        listed.focus()

    def _show(self) -> None:
        self._judgement = self.session.settled() or self._judgement
        self.query_one("#title", StatusLine).set_text(
            " How each reader reads this file", self.session.shell_words("check FILE READERS")
        )
        self.query_one("#verdicts", LineList).set_rows([self._row(name) for name in self._names])
        self._show_verdict()

    def _pair(self, name: str) -> tuple[Verdict, Verdict]:
        """Return the verdict of a reader over the file on disk, and over the one that saving would write."""
        both = self._judgement.both if self._more is None or name not in self._more.now else self._more
        return both.now[name], both.after[name]

    def _row(self, name: str) -> Row:
        now, then = (verdict.state for verdict in self._pair(name))
        unknown = "not asked" if name == "qemu" else "can't tell"
        shown = [unknown if state == "unknown" else state for state in (now, then)]
        return (f"{name:<{_NAME}}", "key"), (f"{shown[0]:<{_NOW}}", _STYLES[now]), (shown[1], _STYLES[then])

    @property
    def _chosen_name(self) -> str:
        return self._names[self.query_one("#verdicts", LineList).cursor]

    @on(LineList.Moved, "#verdicts")
    def _show_verdict(self) -> None:
        words = "\n".join(verdict_lines(*self._pair(self._chosen_name), self._judgement.found, self._mine(), self._way))
        self.query_one("#verdict", Static).update(plain(words))
        self.query_one("#told").scroll_home(animate=False)

    def _mine(self) -> list[NextCommand]:
        return [step for step in self._steps if step.reader == self._chosen_name]

    def action_copy(self) -> None:
        """Copy the reader's first next command; N on the main screen lists all."""
        mine = self._mine()
        if mine:
            self.app.copy_to_clipboard(mine[0].command)
            self.notify(f"copied: {mine[0].command}", markup=False)
        else:
            self.notify("there is no next command for this reader", severity="warning", markup=False)

    def action_all(self) -> None:
        """Show what the programs that judge only on request make of the file, or hide it again."""
        if self._more is None:
            self._ask_more()
        else:
            self._show_more(None)

    def _ask_more(self) -> None:
        app, session = host(self), self.session
        self._job = app.background()
        job = partial(more_verdicts, session.document.snapshot(), session.readers)
        self._job.ask(job, self._show_more, app.failed, session.patience)

    def _show_more(self, more: VerdictPair | None) -> None:
        self._more = more
        self._names = [*self._judgement.now, *(more.now if more else ())]
        if stands(self):
            self._show()

    def on_unmount(self) -> None:
        if self._job is not None:
            self._job.stop()

    def action_version(self) -> None:
        """Ask for the version of this reader whose rules judge."""
        name = self._chosen_name
        reader = self._pair(name)[0].reader
        hint = f"Checked with {', '.join(reader.known)}. `installed`: all as on this machine"
        ask(self, f"Judge as this version of {name} does", self._use_version, reader.version, hint)

    def _use_version(self, typed: str) -> None:
        typed, name = typed.strip(), self._chosen_name
        if typed == "installed":
            self.session.choose_installed(self._show_installed)
        else:
            self.session.choose_version(name, typed)
            self._show_again()

    def _show_installed(self, missing: tuple[str, ...]) -> None:
        if missing:
            say(self, f"not installed: {', '.join(missing)}", "warning")
        if self.is_mounted:
            self._show_again()

    def action_fix(self) -> None:
        """Apply every fix that helps this reader to accept."""
        reader = self._chosen_name
        if self._more is not None and reader in self._more.now:
            say(self, f"no fix is for {reader} alone; R repairs the file for the readers above")
            return
        done = self.session.fix_for(reader)
        count = len(done.labels)
        what = f"{count} fix{'' if count == 1 else 'es'}: {'; '.join(done.labels)}. " if count else ""
        if done.accepts:
            say(
                self,
                f"{what}{reader} accepts the file once it is saved (s)" if what else f"{reader} accepts it already",
            )
        else:
            words = f"{what}{reader} would still refuse: {done.left or 'no rule says why'}. {self._way}"
            say(self, words, "warning")
        self._show_again()

    def _show_again(self) -> None:
        """Show a new judgement; what the further programs make of it follows."""
        if self._more is not None:
            self._ask_more()
        self._show()

    @on(LineList.Chosen, "#verdicts")
    def action_go(self) -> None:
        """Go to the finding that makes this reader refuse; without one, focus the reader's text."""
        mine = fixes_for(self._chosen_name, self._judgement.found)
        if mine:
            self.dismiss(mine[0])
        else:
            self.query_one("#told").focus()

    def action_matrix(self) -> None:
        show_matrix(self, self.session)

    @property
    def _way(self) -> str:
        """How guest memory is searched."""
        if self.session.document.runs:
            return "vmci convert makes a dump of the VM, and searches its memory"
        return "Press R to search guest memory"

    def is_useful(self, action: str) -> bool:
        """Return whether an action makes sense now, for the footer."""
        return action != "repair" or not self.session.document.runs

    def action_repair(self) -> None:
        """Go back to the file and open the repair screen."""
        if not refuses_repair(self, self.session):
            self.dismiss("repair")
