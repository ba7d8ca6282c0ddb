"""The panel of a lesson on every screen: the step's text, the keys to press, and whether it is done."""

from __future__ import annotations

from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static

from vmci_tui.lessons.instructions import instructions
from vmci_tui.lessons.lesson import Lesson
from vmci_tui.tui.guarded import Guarded, GuardedWidget
from vmci_tui.tui.style.cells import CHECK, Cell, Row, line_styles, plain, strip_of
from vmci_tui.tui.widgets.key_footer import KeyFooter


class PanelState(NamedTuple):
    """What the panel shows."""

    lesson: Lesson
    at: int
    """The index of the step."""
    done: bool
    finished: frozenset[int]
    """The indices of all steps that are done."""
    follows: bool
    """Whether the next step follows by itself."""

    @property
    def last(self) -> bool:
        return self.at + 1 == len(self.lesson.steps)


class LessonBar(GuardedWidget):
    """A line of buttons for the lesson, and a sign for each step."""

    def __init__(self) -> None:
        super().__init__(id="lesson-bar")
        self._buttons: tuple[tuple[str, str, str], ...] = ()
        self._state: Row = ()

    def show(self, buttons: tuple[tuple[str, str, str], ...], state: Row) -> None:
        """Show buttons, each as (action, label, style), and after them cells."""
        if (buttons, state) != (self._buttons, self._state):
            self._buttons, self._state = buttons, state
            self.refresh()

    def render_line(self, y: int) -> Strip:
        cells: Row = tuple((f"[{label}] ", style) for _, label, style in self._buttons)
        return strip_of((*cells, *self._state), self.size.width, line_styles(self.app), self.rich_style)

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        end = 0
        for action, label, _ in self._buttons:
            end += len(label) + 3
            if event.x < end:
                await self.run_action(f"app.lesson('{action}')")
                return


class LessonPanel(Guarded, Vertical):
    """A step; its text scrolls if the screen is too small. At the top where there is room, else at the bottom."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    LessonPanel { height: auto; max-height: 7; border-top: heavy $warning; border-title-color: $warning; }
    LessonPanel { background: $surface; border-title-style: bold; border-subtitle-color: $text-muted; }
    LessonPanel.done { border-top: heavy $success; border-title-color: $success; }
    LessonPanel #lesson-body { height: auto; max-height: 5; padding: 0 1; }
    LessonPanel #lesson-text { color: $text; }
    LessonPanel.done #lesson-text { color: $text-muted; }
    LessonPanel #lesson-praise { color: $success; text-style: bold; display: none; }
    LessonPanel.done #lesson-praise { display: block; }
    LessonPanel #lesson-bar { height: 1; margin: 0 1; }
    ModalScreen > LessonPanel { dock: bottom; margin-bottom: 1; }
    .-normal > LessonPanel, .-wide > LessonPanel { dock: top; margin-bottom: 0; }
    """
    _shown: PanelState | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="lesson-body", can_focus=False):
            yield Static(id="lesson-praise")
            yield Static(id="lesson-text")
        yield LessonBar()

    def show_step(self, state: PanelState) -> bool:
        """Show a step; return False if that is shown already."""
        if state == self._shown:
            return False
        self._shown = state
        lesson, at, done = state.lesson, state.at, state.done
        step, steps = lesson.steps[at], len(lesson.steps)
        self.set_class(done, "done")
        self.border_title = plain(f"Lesson: {lesson.title}  {at + 1}/{steps}")
        press = f"\nPress: {instructions(step.press)}" if step.press and not done else ""
        self.query_one("#lesson-text", Static).update(plain(step.text + press))
        self.query_one("#lesson-praise", Static).update(Content(f"{CHECK} {_praise(state)}"))
        self.query_one("#lesson-body").scroll_home(animate=False)
        signs: list[Cell] = [("    ", "dim")]
        for number in range(steps):
            signs += [(CHECK, "good") if number in state.finished else (".", "dim"), (" ", "dim")]
        self.query_one(LessonBar).show(
            (
                ("back", "F6 Back", "dim" if at == 0 else "key"),
                (
                    "next",
                    f"F7 {'End' if done and state.last else 'Next' if done else 'Skip'}",
                    "good" if done else "key",
                ),
                ("reset", "F8 Reset", "key"),
                ("end", "F9 Leave", "key"),
            ),
            ((" done", "good") if done else (" not done yet", "warning"), *signs),
        )
        return True


def _praise(state: PanelState) -> str:
    if state.last:
        return "Well done: that was the last step. F7 ends the lesson."
    return f"Well done: {'the next step follows.' if state.follows else 'F7 goes on.'}"


def ensure_panel(screen: Screen[object]) -> LessonPanel | None:
    """Return the screen's panel; mount one and return None if it has none, or while it is being mounted."""
    found = screen.query(LessonPanel)
    if found:
        panel = found.first()
        return panel if panel.query("#lesson-bar") else None
    screen.add_class("in-lesson")
    footer = screen.query(KeyFooter)
    screen.mount(LessonPanel(id="lesson"), before=footer.first() if footer else None)
    return None
