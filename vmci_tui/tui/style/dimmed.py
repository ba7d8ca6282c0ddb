"""Screens over a dimmed one: the dialogs, and the list of commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

Result = TypeVar("Result")


class OverDimmed(ModalScreen[Result]):
    """A screen over the one below, which is dimmed."""

    def render(self) -> RenderableType:
        below = super().render()
        return _Dimmed(below.screen, below.color) if isinstance(below, BackgroundScreen) else below


class _Dimmed(BackgroundScreen):
    """Dims each style once: a large screen has dozens of them in thousands of segments, each 10 us."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        dimmed: dict[Style | None, Style | None] = {}
        for segment in segments:
            text, style, control = segment
            if style not in dimmed:
                (one,) = super().process_segments((Segment("", style),), color)
                dimmed[style] = one.style
            yield segment if control else Segment(text, dimmed[style])
