"""Dialogs that ask for a value, a choice or a whole text, or show lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Input, Static, TextArea

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.tui.guarded import Guarded
from vmci_tui.tui.host import host
from vmci_tui.tui.session import BEING_JUDGED, Preview
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.widgets.verdict_strip import VerdictLine

if TYPE_CHECKING:
    from vmci_tui.readers.verdicts import VerdictPair

Result = TypeVar("Result")
_QUICK = 0.016
"""Seconds that a judgement may take at each key; a slower one waits until the user stops typing."""
_REST = 0.2
Accept = Callable[[str], None]
"""Uses the typed text; raises VmciError for an invalid one, and the dialog stays open."""


class Dialog(Guarded, ModalScreen[Result]):
    """The base of all dialogs; its CSS is parsed when the first one opens, after the first paint."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    ModalScreen { align: center middle; background: $background 60%; }
    .dialog { width: 76; max-width: 100%; height: auto; max-height: 100%; }
    .dialog { border: round $accent; background: $surface; padding: 0 1; }
    .dialog.wide { width: 100; height: 90%; }
    .dialog .title { text-style: bold; }
    .dialog .hint { color: $text-muted; height: auto; }
    .dialog .hint.bad { color: $error; }
    .dialog .label { color: $text-muted; }
    .dialog .buttons { height: 1; align-horizontal: right; }
    .dialog .buttons Button, .dialog .choices Button { margin: 0 0 0 2; }
    .dialog .choices { height: auto; padding: 1 0; }
    .dialog #plan { height: 1fr; }
    .dialog #text { height: 1fr; }
    """

    patience: ClassVar[float] = _QUICK
    """Seconds that a key waits for the verdicts on the typed text."""
    _began = _took = 0.0
    _timer: Timer | None = None

    def on_mount(self) -> None:
        self.app.clear_notifications()  # they would cover the buttons

    def judge(self, preview: Preview, typed: str) -> None:
        """Show every reader's verdict on the typed text; if that is slow, once the user stops typing."""
        if self._timer is not None:
            self._timer.stop()
        preview(None, self._show_both, 0)
        if self._took < _QUICK:
            self._judge(preview, typed)
        else:
            self.query_one(VerdictLine).show(None, BEING_JUDGED)
            self._timer = self.set_timer(_REST, partial(self._judge, preview, typed))

    def _judge(self, preview: Preview, typed: str) -> None:
        self._began = perf_counter()
        if not preview(typed, self._show_both, self.patience):
            self._took = perf_counter() - self._began
            self.query_one(VerdictLine).show(None, BEING_JUDGED)

    def _show_both(self, both: VerdictPair | None) -> None:
        self._took = perf_counter() - self._began
        if self.is_attached:
            self.query_one(VerdictLine).show(both)


class Ask(Dialog[bool]):
    """Asks for one line of text; shows an error below it and stays open, so that the user can correct it."""

    lesson_name = "ask"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Cancel", id="dialog.cancel")]

    def __init__(
        self,
        title: str,
        accept: Accept,
        value: str = "",
        hint: str = "",
        preview: Preview | None = None,
    ) -> None:
        super().__init__()
        self._title, self._accept, self._value, self._hint = title, accept, value, hint
        self._preview = preview

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(plain(self._title), classes="title")
            field = Input(self._value, id="value", select_on_focus=False)
            field.cursor_blink = host(self).settings.blink
            yield field
            yield Static(plain(self._hint), classes="hint", id="hint")
            if self._preview is not None:
                yield VerdictLine(id="strip")
            with Horizontal(classes="buttons"):
                yield Button("OK", id="ok", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_unmount(self) -> None:
        if self._preview is not None:
            self._preview(None, self._show_both, 0)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._preview is not None:
            self.judge(self._preview, event.value)

    @on(Input.Submitted)
    @on(Button.Pressed, "#ok")
    def _submit(self) -> None:
        try:
            self._accept(self.query_one(Input).value)
        except VmciError as error:
            hint = self.query_one("#hint", Static)
            hint.update(plain(str(error)))
            hint.add_class("bad")
            self.query_one(Input).focus()
            return
        self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(False)


class Choose(Dialog[str]):
    """Asks for one of a few buttons; the first is the safe choice. Escape gives the empty string."""

    lesson_name = "choose"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Cancel", id="dialog.cancel"),
        Binding("left,up", "app.focus_previous", show=False, id="choose.previous"),
        Binding("right,down", "app.focus_next", show=False, id="choose.next"),
    ]

    def __init__(self, title: str, choices: tuple[tuple[str, str], ...], hint: str = "") -> None:
        super().__init__()
        self._title, self._choices, self._hint = title, choices, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(plain(self._title), classes="title")
            if self._hint:
                yield Static(plain(self._hint), classes="hint")
            with Vertical(classes="choices"):
                for name, label in self._choices:
                    yield Button(plain(label), id=f"choice-{name}", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "").removeprefix("choice-"))


class EditText(Dialog[bool]):
    """An editor for the whole text of a note; bytes that are not printable are shown as \\xNN."""

    lesson_name = "text"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "Accept", id="text.accept", priority=True),
        Binding("escape", "dismiss(False)", "Cancel", id="dialog.cancel", priority=True),
    ]

    def __init__(self, text: bytes, accept: Accept, title: str, preview: Preview) -> None:
        super().__init__()
        self._text, self._accept, self._title, self._preview = text, accept, title, preview

    def compose(self) -> ComposeResult:
        shown = "\n".join(visible(line) for line in self._text.split(b"\n"))
        with Vertical(classes="dialog wide"):
            yield Static(plain(self._title), classes="title")
            yield TextArea(shown, id="text", show_line_numbers=True, tab_behavior="focus")
            hint = r"ctrl+s accepts, ESC cancels; \xNN stands for any byte"
            yield Static(plain(hint), classes="hint", id="hint")
            yield VerdictLine(id="strip")
            with Horizontal(classes="buttons"):
                yield Button("Accept", id="ok", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_unmount(self) -> None:
        self._preview(None, self._show_both, 0)

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        self.judge(self._preview, event.text_area.text)

    @on(Button.Pressed, "#ok")
    def action_accept(self) -> None:
        try:
            self._accept(self.query_one(TextArea).text)
        except VmciError as error:
            hint = self.query_one("#hint", Static)
            hint.update(plain(str(error)))
            hint.add_class("bad")
            return
        self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(False)


class TextDialog(Dialog[None]):
    """Shows lines that can be scrolled."""

    lesson_name = "told"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close", id="dialog.close")]

    def __init__(self, title: str, lines: Iterable[str]) -> None:
        super().__init__()
        self._title, self._lines = title, tuple(lines)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static(plain(self._title), classes="title")
            with VerticalScroll():
                yield Static(plain("\n".join(self._lines)), id="lines")
            yield Button("Close", id="close", compact=True)

    def on_button_pressed(self) -> None:
        self.dismiss()
