"""Drive a lesson in a real terminal, by keys or by mouse, knowing only what is on the screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from itertools import groupby
from types import TracebackType

from tests.faults.pty import Terminal
from tests.limits import PATIENCE
from vmci_tui.lessons.lesson import TYPE

_BYTES = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "ctrl+u": "\x15",
    "slash": "/", "plus": "+", "equals_sign": "=", "right_square_bracket": "]",
    "question_mark": "?", "f6": "\x1b[17~", "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~",
}  # fmt: skip
"""The bytes that a terminal sends for a key."""
_AGAIN = 0.3
"""Seconds between two presses of the same button: buttons ignore a second one that comes at once."""
_MOVES = ("down", "up", "left", "right")
_ROLLS = 50
"""Turns of the wheel after which the wanted text must be visible."""
_BUSY = "checking the dump"
"""A message of the app while it is at work."""


class LessonTerminal:
    """Runs `vmci lessons NAME` in a terminal of a given size."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        command = (sys.executable, "-m", "vmci_tui", "lessons", name)
        self.terminal = Terminal(command, *size, env={"TEXTUAL_ANIMATIONS": "none"})

    def __enter__(self) -> LessonTerminal:
        self.until("[F7 Skip]")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminal.__exit__(kind, error, trace)

    def until(self, text: str) -> None:
        """Wait until a text is on the screen, and nothing more comes."""
        self.terminal.wait_for(text)
        self.terminal.settle(0.05)

    def press(self, keys: Iterable[str]) -> None:
        """Press keys by their names in lessons, or `type TEXT`; a cursor key that is repeated is held down."""
        for key, run in groupby(keys):
            typed = key.removeprefix(TYPE) if key.startswith(TYPE) else key if len(key) == 1 else _BYTES[key]
            count = len(list(run))
            for number in range(1 if key in _MOVES else count):
                if number and key == "enter":
                    time.sleep(_AGAIN)
                self.terminal.send(typed * count if key in _MOVES else typed)
                self.terminal.settle(0.05 if key in _MOVES else 0.15)
                if key == "escape":
                    time.sleep(_AGAIN)  # with what follows at once it would be Alt and that key
                self._while_busy()

    def use_mouse(self, actions: Iterable[str]) -> None:
        """Do `click TEXT`, `double TEXT`, `drag [LABEL]TEXT`, `roll TEXT`, `wheel NOTCHES TEXT` or `type VALUE`."""
        before = ""
        for action in actions:
            verb, _, text = action.partition(" ")
            if action == before:
                time.sleep(_AGAIN)
            if verb == "type":
                self.terminal.send(text)
            elif verb == "roll":
                self._roll(text)
            elif verb == "wheel":
                notches, _, text = text.partition(" ")
                self.terminal.wheel(*self._find(text), int(notches))
            elif verb == "drag":
                label, _, text = text[1:].partition("]") if text.startswith("[") else ("", "", text)
                column, row = self._find(label + text)
                self.terminal.drag(column + len(label), row, len(text))
            else:
                column, row = self._find(text)
                self.terminal.click(column + len(text) // 2, row, times=2 if verb == "double" else 1)
            self.terminal.settle(0.15)
            before = action

    def _while_busy(self) -> None:
        """Wait while the app says that it is at work, as a user would."""
        deadline = time.monotonic() + PATIENCE
        while _BUSY in self.terminal.text and time.monotonic() < deadline:
            self.terminal.settle(0.1)

    def _roll(self, text: str) -> None:
        lines = self.terminal.lines
        for _ in range(_ROLLS):
            if text in self.terminal.text:
                return
            self.terminal.wheel(max(map(len, lines)) // 2, len(lines) // 2, 2)
            self.terminal.settle(0.1)
        raise AssertionError(f"{text!r} does not come:\n{self.terminal.text}")

    def _find(self, text: str) -> tuple[int, int]:
        """Wait for a text and return its first place; the panel counts last, because it names other widgets."""
        self.until(text)
        lines = self.terminal.lines
        begin = next((number for number, line in enumerate(lines) if "Lesson: " in line), len(lines))
        end = next((number for number, line in enumerate(lines) if "[F9 Leave]" in line), len(lines))
        outside = [row for row in range(len(lines)) if not begin <= row <= end]
        for row in (*outside, *reversed(range(begin, min(end + 1, len(lines))))):
            if (column := lines[row].find(text)) >= 0:
                return column, row
        raise AssertionError(f"{text!r} is not on the screen:\n{self.terminal.text}")

    def at_step(self, number: int, steps: int) -> None:
        """Wait until the step is shown as not done."""
        self.until(f"  {number}/{steps}━")
        assert "[F9 Leave]  not done yet" in self.terminal.text, self.terminal.text

    def is_done(self) -> None:
        """Wait until the panel shows the step as done."""
        self.until("[F9 Leave]  done")
