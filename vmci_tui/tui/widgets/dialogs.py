"""Dialogs that ask for a value, a choice or a whole text, or show lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Button, Input, Static, TextArea

from vmci_tui.common.errors import VmciError
from vmci_tui.common.safe_text import visible
from vmci_tui.tui.bindings import bind
from vmci_tui.tui.guarded import Guarded, stands
from vmci_tui.tui.host import host
from vmci_tui.tui.session import BEING_JUDGED, Preview
from vmci_tui.tui.style.cells import plain
from vmci_tui.tui.style.dimmed import OverDimmed
from vmci_tui.tui.widgets.key_footer import KeyFooter
from vmci_tui.tui.widgets.verdict_strip import VerdictLine

if TYPE_CHECKING:
    from vmci_tui.readers.verdicts import VerdictPair

Result = TypeVar("Result")
_QUICK = 0.016
"""Seconds that a judgement may take at each key; a slower one waits until the user stops typing."""
_REST = 0.2
Accept = Callable[[str], None]
"""Uses the typed text; raises VmciError for an invalid one, and the dialog stays open."""


class Dialog(Guarded, OverDimmed[Result]):
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
    .dialog.saving { width: 90; }
    .dialog.saving #plan { display: none; }
    .detailed .dialog.saving { width: 100; height: 90%; }
    .detailed .dialog.saving #plan { display: block; border-top: solid $surface-lighten-2; }
    .dialog #text { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("f1", "app.toggle_keys", "Help", "Explain this dialog and its keys", "dialog.help"),
    ]
    enter_label: ClassVar[str] = ""
    """What Enter in a field of the dialog does, for the footer."""
    cancelled: ClassVar[object] = None
    """The result of a dialog that is cancelled."""

    def on_mount(self) -> None:
        self.app.clear_notifications()  # they would cover the buttons

    @on(events.Mount)
    def _show_keys(self) -> None:
        """Cover the footer of the screen below, whose keys do not work now."""
        self.mount(KeyFooter())

    @on(Button.Pressed, "#cancel, #close")
    def _pressed_cancel(self) -> None:
        self.action_cancel()

    def action_cancel(self) -> None:
        self.dismiss(cast("Result", self.cancelled))

    def line_input(self, value: str, id: str) -> Input:
        """Return a field for one line of text."""
        field = Input(value, id=id, select_on_focus=False)
        field.cursor_blink = host(self).settings.blink
        return field

    def show_hint(self, words: str, bad: bool = False) -> None:
        if stands(self):
            hint = self.query_one("#hint", Static)
            hint.update(plain(words))
            hint.set_class(bad, "bad")


def hint_line(words: str) -> Static:
    """Return the line of a dialog that `show_hint` changes."""
    return Static(plain(words), classes="hint", id="hint")


def title_line(words: str) -> Static:
    return Static(plain(words), classes="title")


def buttons(*labels: tuple[str, str]) -> Horizontal:
    """Return a row of buttons, each as (id, label); the first is the one that Enter stands for."""
    (first, label), *others = labels
    primary = Button(label, id=first, variant="primary", compact=True)
    return Horizontal(primary, *(Button(label, id=name, compact=True) for name, label in others), classes="buttons")


class TypedDialog(Dialog[bool]):
    """Asks for a text, and shows every reader's verdict on it while the user types.

    An error of the typed text is shown, and the dialog stays open, so that the user can correct it.
    """

    cancelled = False
    patience: ClassVar[float] = _QUICK
    """Seconds that a key waits for the verdicts on the typed text."""
    _began = _took = 0.0
    _timer: Timer | None = None

    def __init__(self, title: str, accept: Accept, preview: Preview | None) -> None:
        super().__init__()
        self._title, self._accept, self._preview = title, accept, preview

    def on_unmount(self) -> None:
        if self._preview is not None:
            self._preview(None, self._show_both, 0)

    def judge(self, typed: str) -> None:
        """Show every reader's verdict on the typed text; if that is slow, once the user stops typing."""
        preview = self._preview
        if preview is None:
            return
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
        if stands(self):
            self.query_one(VerdictLine).show(both)

    def submit(self, field: Input | TextArea, typed: str) -> None:
        """Accept the typed text and end, or show its error."""
        try:
            self._accept(typed)
        except VmciError as error:
            self.show_hint(str(error), bad=True)
            field.focus()
        else:
            self.dismiss(True)


class Ask(TypedDialog):
    """Asks for one line of text."""

    lesson_name = "ask"
    enter_label = "OK"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(
        self,
        title: str,
        accept: Accept,
        value: str = "",
        hint: str = "",
        preview: Preview | None = None,
        at_once: str = "",
    ) -> None:
        """`at_once` is a text that is accepted as soon as it is typed, without Enter."""
        super().__init__(title, accept, preview)
        self._value, self._hint, self._at_once = value, hint, at_once

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line(self._title)
            yield self.line_input(self._value, "value")
            yield hint_line(self._hint)
            if self._preview is not None:
                yield VerdictLine(id="strip")
            yield buttons(("ok", "OK"), ("cancel", "Cancel"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value and event.value == self._at_once:
            self.submit(event.input, event.value)
        else:
            self.judge(event.value)

    @on(Input.Submitted)
    @on(Button.Pressed, "#ok")
    def _submit(self) -> None:
        field = self.query_one(Input)
        self.submit(field, field.value)


class EditText(TypedDialog):
    """An editor for the whole text of a note; bytes that are not printable are shown as \\xNN."""

    lesson_name = "text"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "Accept", id="text.accept", priority=True),
        Binding("escape", "cancel", "Cancel", id="dialog.cancel", priority=True),
    ]

    def __init__(self, text: bytes, accept: Accept, title: str, preview: Preview) -> None:
        super().__init__(title, accept, preview)
        self._text = text

    def compose(self) -> ComposeResult:
        shown = "\n".join(visible(line) for line in self._text.split(b"\n"))
        with Vertical(classes="dialog wide"):
            yield title_line(self._title)
            yield TextArea(shown, id="text", show_line_numbers=True, tab_behavior="focus")
            yield hint_line(r"\xNN stands for any byte")
            yield VerdictLine(id="strip")
            yield buttons(("ok", "Accept"), ("cancel", "Cancel"))

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        self.judge(event.text_area.text)

    @on(Button.Pressed, "#ok")
    def action_accept(self) -> None:
        field = self.query_one(TextArea)
        self.submit(field, field.text)


class Choose(Dialog[str]):
    """Asks for one of a few buttons; the first is the safe choice. Escape gives the empty string."""

    lesson_name = "choose"
    cancelled = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        Binding("left,up", "app.focus_previous", show=False, id="choose.previous"),
        Binding("right,down", "app.focus_next", show=False, id="choose.next"),
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], hint: str = "") -> None:
        super().__init__()
        self._title, self._choices, self._hint = title, choices, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line(self._title)
            if self._hint:
                yield Static(plain(self._hint), classes="hint")
            with Vertical(classes="choices"):
                for name, label in self._choices:
                    yield Button(plain(label), id=f"choice-{name}", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "").removeprefix("choice-"))


class Waiting(Dialog[None]):
    """Says what is being done; no key works until it is done, because it must not be stopped half-way."""

    lesson_name = "told"

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield title_line(self._words)
            yield hint_line("This takes as long as the disk does.")


class LinesDialog(Dialog[None]):
    """Shows lines that can be scrolled."""

    close_label = "Close"

    def __init__(self, title: str, lines: Iterable[str]) -> None:
        super().__init__()
        self._title, self._lines = title, tuple(lines)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield title_line(self._title)
            with VerticalScroll(id="scroll"):
                yield Static(plain("\n".join(self._lines)), id="lines")
            yield Button(self.close_label, id="close", compact=True)


class TextDialog(LinesDialog):
    """Shows what a program or a comparison said."""

    lesson_name = "told"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close", id="dialog.close")]
