"""The help dialog: what the pane is, and every key that works there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.text import Text
from textual import on
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from vmci_tui.common.safe_text import visible
from vmci_tui.settings.settings import config_file
from vmci_tui.tui.bindings import GROUPS, bind, group_of, key_name
from vmci_tui.tui.style.cells import byte_styles, line_styles, safe
from vmci_tui.tui.widgets.dialogs import LinesDialog

_KEYS = 16
"""Cells for the keys."""


_LEGEND: Final = (
    "Signs",
    "  MODIFIED         there are edits that are not saved",
    "  READ-ONLY        another vmci has the file open, or it is not a regular file",
    "  no>ok            the program rejects the file as it is, and accepts it once it is saved",
    "  + ~ -            not saved yet: new; changed or moved; something in front of it was removed",
    "  a check, x, ?    in Note text, before a line: memory confirms it, contradicts it, does not show it",
    "  read by          from 160 cells on: c crash, d drgn, l libkdumpfile, m makedumpfile use this key",
    "  opens            the program opens the file but reads no kernel memory",
)
"""What signs mean."""


class Colour(NamedTuple):
    """A style, as a sample in it, and what it means."""

    sample: str
    style: str
    of_bytes: bool
    what: str

    @property
    def line(self) -> str:
        return f"  {self.sample:<{_KEYS}} {self.what}"


_COLOURS: Final = (
    Colour("error", "error", False, "an error, or a program that rejects the file"),
    Colour("warn", "warning", False, "a warning, or a program that opens the file and reads no kernel memory"),
    Colour("ok", "good", False, "what is accepted, proved or done"),
    Colour("+ ~ -", "changed", False, "what is not saved yet"),
    Colour("7f 45 4c 46", "header", True, "bytes of a header, and keys of the text"),
    Colour("01 00 00 00", "segments", True, "program headers"),
    Colour("01 00 00 00", "sections", True, "section headers, and bytes that belong to nothing known"),
    Colour("0b 00 00 00", "note", True, "the header of a note"),
    Colour("56 4d 43 4f", "name", True, "a note's name"),
    Colour("36 2e 31 2e", "value", True, "values of the text, and the entry"),
    Colour("00 00 00 00", "padding", True, "padding and gaps"),
    Colour("48 8b 05 10", "memory", True, "guest memory, and what other notes hold"),
    Colour("cursor", "cursor", False, "the cursor of the pane that has the focus; those of other panes are dim"),
)
"""What colours mean, each in its own; the hex view's line below names the field too."""


class KeyHelp(NamedTuple):
    """Keys with the same action, and its description."""

    keys: str
    what: str


class HelpScreen(LinesDialog):
    """Every key that works now, by what it does, and what signs and colours mean."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    HelpScreen .dialog.wide { height: 100%; max-height: 40; }
    HelpScreen VerticalScroll { height: 1fr; }
    HelpScreen #search { display: none; }
    HelpScreen.searching #search { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("slash", "search", "Search", "Show only lines with these words", "help.search"),
        bind("escape,question_mark,q", "dismiss", "Close", "Close the help", "help.close"),
        bind("f1", "dismiss", "Close", "Close the help", "dialog.help", show=False),
    ]

    def on_mount(self) -> None:
        super().on_mount()
        self.mount(Input(placeholder="words; Esc shows all lines again", id="search", compact=True), before="#scroll")
        self.query_one("#scroll").focus()
        self._words = ""

    def on_resize(self) -> None:
        self.call_after_refresh(self._show, self._words)

    def _show(self, words: str) -> None:
        """Show the lines with these words, wrapped below their own text, samples of colours in their colours."""
        self._words = words
        width = max(self.query_one("#scroll").scrollable_content_region.width, 2 * _KEYS)
        styles = line_styles(self.app), byte_styles(self.app)
        painted = {item.line: item for item in _COLOURS}
        text = Text()
        for line in matching(self._lines, words):
            item = painted.get(line)
            indent = " " * (2 + _KEYS + 1) * line.startswith(" ")
            wrapped = "\n".join(textwrap.wrap(safe(line), width, subsequent_indent=indent))
            if item is not None:
                text.append("  ")
                text.append(item.sample, styles[item.of_bytes][item.style])
                wrapped = wrapped[2 + len(item.sample) :]
            text.append(f"{wrapped}\n")
        self.query_one("#lines", Static).update(text)

    def action_search(self) -> None:
        self.add_class("searching")
        self.query_one("#search", Input).focus()

    @on(Input.Changed, "#search")
    def _searched(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted, "#search")
    def _found(self) -> None:
        self.query_one("#scroll").focus()

    async def action_dismiss(self, result: None = None) -> None:
        """End the search, or close the help."""
        if not self.has_class("searching"):
            await super().action_dismiss(result)
            return
        self.remove_class("searching")
        self.query_one("#search", Input).clear()
        self.query_one("#scroll").focus()


def matching(lines: Sequence[str], words: str) -> list[str]:
    """Return the lines with all of these words, in any case, below their headings; all lines without a word."""
    wanted = words.lower().split()
    if not wanted:
        return list(lines)
    found, heading = list[str](), ""
    for line in lines:
        if not line.startswith(" "):
            heading = line
        elif all(word in f"{heading} {line}".lower() for word in wanted):
            found += [line] if heading in found or not heading else [heading, line]
    return found or ["no line has these words"]


def help_of(screen: Screen[object]) -> HelpScreen:
    """Return the help for the focused widget: what it is, its keys, and what signs and colours mean."""
    focused = screen.focused
    about = getattr(focused, "about", "") or getattr(screen, "about", "")
    title, _, rest = str(about).partition(": ")
    lines = [f"{rest[:1].upper()}{rest[1:]}"] if rest else []
    for heading, keys in key_groups(screen):
        lines += ["", heading, *(f"  {key.keys:<{_KEYS}} {key.what}" for key in keys)]
    return HelpScreen(
        f"Help: {title}" if title else "Help", [*lines, "", *_LEGEND, "", "Colours", *(item.line for item in _COLOURS)]
    )


def key_groups(screen: Screen[object]) -> list[tuple[str, list[KeyHelp]]]:
    """Return every key of vmci that works now, also those that the footer hides, by what they do."""
    groups: dict[str, dict[tuple[str, str], list[str]]] = {name: {} for name in GROUPS}
    app = screen.app
    for _, binding, enabled, tooltip in screen.active_bindings.values():
        words = tooltip or binding.description
        if not enabled or not words or binding.system or not binding.id or binding.action == "quit":
            continue
        keys = groups[group_of(binding.action)].setdefault((binding.action, words), [])
        shown = key_name(app.get_key_display(binding))
        if shown not in keys:
            keys.append(shown)
    groups["Move"][("app.focus_next", "Go to the next pane or field; Shift+Tab to the one before")] = ["Tab"]
    return [
        (name, [KeyHelp(" ".join(keys), words) for (_, words), keys in found.items()])
        for name, found in groups.items()
        if found
    ]


def settings_example(screen: Screen[object]) -> list[str]:
    """Return lines of an example of the settings file: some values, and the screen's keys by their names."""
    example = 'theme = "nord"', "blink = false", "[readers]", 'crash = "8.0.6"', "[keymap]"
    return [f"# {visible(str(config_file()))}", *example, *keymap(screen)]


def keymap(screen: Screen[object]) -> Iterator[str]:
    """Yield a line of TOML with id and keys for each binding that works now."""
    keys: dict[str, list[str]] = {}
    for _, binding, _, _ in screen.active_bindings.values():
        if binding.id:
            keys.setdefault(binding.id, []).append(binding.key)
    for name, names in keys.items():
        yield f'"{name}" = "{",".join(names)}"'
