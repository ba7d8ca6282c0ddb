"""What the key under the cursor means, and what a real QEMU makes of the entry and the note."""

from __future__ import annotations

from functools import partial

from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.formats.elf_note import NAME, build
from vmci_tui.formats.vmcoreinfo import Line
from vmci_tui.tui.actions.judge_actions import JudgeActions
from vmci_tui.tui.panes.panes import KeysPane
from vmci_tui.tui.style.cells import plain

_RESTS = 0.15
"""Seconds that the cursor rests on a key before it is explained: moving stays as cheap as it is without."""


class ExplainActions(JudgeActions):
    """Actions that explain, and change nothing."""

    _explaining = False
    _timer: Timer | None = None

    async def action_explain(self) -> None:
        """Show or hide what the key under the cursor means."""
        self._explaining = not self._explaining
        self.set_class(self._explaining, "explaining")
        if self._explaining:
            self._explain(self.query_one(KeysPane).line())
        else:
            await self.query("#about").remove()  # or a new one, of the same name, would meet it

    def explain_soon(self, line: Line | None) -> None:
        """The cursor moved: explain the key once it rests."""
        if self._timer is not None:
            self._timer.stop()
        if self._explaining:
            self._timer = self.set_timer(_RESTS, partial(self._explain, line))

    def _explain(self, line: Line | None) -> None:
        if not self._explaining:  # the cursor came to rest after it was switched off
            return
        from vmci_tui.render.key_report import explained

        lines = explained(line.key, line.value) if line is not None and line.key else ()
        if lines and line is not None:
            import shlex

            lines = (*lines, "", f"$ vmci explain {shlex.quote(visible(line.body))}")
        words = plain("\n".join(lines) or "Linux writes no key like this one")
        if found := self.query("#about-text"):
            found.first(Static).update(words)
            self.query_one("#about").scroll_home(animate=False)
            return
        # Where the keys have a narrow column, beside them: below the hex view, in the place of the findings.
        home = self.query_one("#right" if self.has_class("-normal") else "#keys-pane")
        home.mount(VerticalScroll(Static(words, id="about-text"), id="about"))

    def action_ask_qemu(self) -> None:
        """Ask the installed QEMU what it does with this entry and this note; takes a second, in a thread."""
        document = self.document
        if document.state.entry is None:
            self.say("QEMU is asked about an entry: b opens the one that belongs to this dump", "warning")
            return
        self.say("asking QEMU")
        self.run_worker(self._ask_qemu, thread=True, exclusive=True, group="ask")

    def _ask_qemu(self) -> None:
        """In a thread: the document is only read, and widgets are left alone."""
        document = self.document
        history, note = document.state.entry, document.state.note
        assert history is not None
        raw = note.raw if note is not None else build(NAME, 0, b"OSRELEASE=6.1.0\n", "little").raw
        machine = document.dump.machine if document.dump else None
        from vmci_tui.tui.widgets.text_dialog import Told

        try:
            from vmci_tui.qemu.answer_report import answer_text
            from vmci_tui.qemu.ask import ask
            from vmci_tui.qemu.targets import TARGETS

            target = machine if machine is not None and machine in TARGETS else "x86_64"
            lines = tuple(answer_text(ask(history, raw, target)))
        except VmciError as error:
            self.app.call_from_thread(self.say, str(error), "error")
            return
        self.app.call_from_thread(self.app.push_screen, Told("What a real QEMU does with this entry and note", lines))
