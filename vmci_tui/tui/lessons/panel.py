"""The panel of a lesson at the foot of every screen: the step's text, the keys to press, and whether it is done."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Footer, Static

from vmci_tui.lessons.lesson import TYPE, UNTIL, Lesson
from vmci_tui.tui.guarded import Guarded, GuardedWidget
from vmci_tui.tui.style.cells import Row, line_styles, plain, strip_of

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "pagedown": "Page down",
    "pageup": "Page up",
}


class LessonBar(GuardedWidget):
    """A line of buttons for the lesson."""

    def __init__(self) -> None:
        super().__init__(id="lesson-bar")
        self._buttons: tuple[tuple[str, str, str], ...] = ()
        self._state: tuple[str, str] = ("", "")

    def show(self, buttons: tuple[tuple[str, str, str], ...], state: tuple[str, str]) -> None:
        """Show buttons, each as (action, label, style), and after them a word with its style."""
        if (buttons, state) != (self._buttons, self._state):
            self._buttons, self._state = buttons, state
            self.refresh()

    def render_line(self, y: int) -> Strip:
        cells: Row = tuple((f"[{label}] ", style) for _, label, style in self._buttons)
        return strip_of((*cells, self._state), self.size.width, line_styles(self.app), self.rich_style)

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        end = 0
        for action, label, _ in self._buttons:
            end += len(label) + 3
            if event.x < end:
                await self.run_action(f"app.lesson('{action}')")
                return


class LessonPanel(Guarded, Vertical):
    """A step; its text scrolls if the screen is too small."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    LessonPanel { height: auto; max-height: 7; border-top: heavy $warning; border-title-color: $warning; }
    LessonPanel { background: $surface; border-title-style: bold; border-subtitle-color: $text-muted; }
    LessonPanel.done { border-top: heavy $success; border-title-color: $success; }
    LessonPanel #lesson-body { height: auto; max-height: 5; padding: 0 1; }
    LessonPanel #lesson-text { color: $text; }
    LessonPanel #lesson-bar { height: 1; margin: 0 1; }
    .pointed { border: thick $warning !important; }
    #title.pointed, #status.pointed, Footer.pointed { border: none !important; background: $warning 40% !important; }
    ModalScreen > LessonPanel { dock: bottom; margin-bottom: 1; }
    """
    _shown: tuple[str, int, bool] | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="lesson-body", can_focus=False):
            yield Static(id="lesson-text")
        yield LessonBar()

    def show_step(self, lesson: Lesson, at: int, done: bool) -> bool:
        """Show the step at index `at`, and whether it is done; return False if that is shown already."""
        if (lesson.name, at, done) == self._shown:
            return False
        self._shown = lesson.name, at, done
        step, last = lesson.steps[at], at + 1 == len(lesson.steps)
        self.set_class(done, "done")
        self.border_title = plain(f"Lesson: {lesson.title}  {at + 1}/{len(lesson.steps)}")
        press = f"\nPress: {pressed(step.press)}" if step.press else ""
        self.query_one("#lesson-text", Static).update(plain(step.text + press))
        self.query_one("#lesson-body").scroll_home(animate=False)
        onward = "Next" if done else "Skip"
        self.query_one(LessonBar).show(
            (
                ("back", "F6 Back", "dim" if at == 0 else "key"),
                ("next", f"F7 {'End' if done and last else onward}", "good" if done else "key"),
                ("reset", "F8 Reset", "key"),
                ("end", "F9 Leave", "key"),
            ),
            (" done" if done else " not done yet", "good" if done else "warning"),
        )
        return True


def pressed(press: tuple[str, ...]) -> str:
    """Return the keys as text for the user."""
    return ", ".join(_pressed(item) for item in press)


def _pressed(item: str) -> str:
    if item.startswith(TYPE):
        return item
    name, until, condition = item.partition(UNTIL)
    return _key(name) + until + condition


def _key(name: str) -> str:
    if len(name) == 1:
        return name
    return _NAMES.get(name) or "+".join(part.capitalize() for part in name.split("+"))


def ensure_panel(screen: Screen[object]) -> LessonPanel | None:
    """Return the screen's panel; mount one and return None if it has none, or while it is being mounted."""
    found = screen.query(LessonPanel)
    if found:
        panel = found.first()
        return panel if panel.query("#lesson-bar") else None
    screen.add_class("in-lesson")
    footer = screen.query(Footer)
    screen.mount(LessonPanel(id="lesson"), before=footer.first() if footer else None)
    return None
