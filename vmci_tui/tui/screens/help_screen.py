"""The help dialog: what the pane is, and every key that works there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final, NamedTuple

from textual.binding import BindingType
from textual.screen import Screen

from vmci_tui.common.safe_text import visible
from vmci_tui.settings.settings import config_file
from vmci_tui.tui.bindings import GROUPS, bind, group_of, key_name
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
    "",
    "Colours",
    "  red, yellow      an error; a warning",
    "  green            values, notes' names, and what is accepted",
    "  bright line      the cursor of the pane that has the focus; the dim ones are those of the other panes",
    "  hex view         headers, notes, keys and values each in a colour; the line below names the field",
)
"""What signs and colours mean; the colours are those of most themes."""


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
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("escape,f1,question_mark,q", "dismiss", "Close", "Close the help", "help.close"),
    ]

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#scroll").focus()


def help_of(screen: Screen[object]) -> HelpScreen:
    """Return the help for the focused widget: what it is, its keys, and what signs and colours mean."""
    focused = screen.focused
    about = getattr(focused, "about", "") or getattr(screen, "about", "")
    title, _, rest = str(about).partition(": ")
    lines = [f"{rest[:1].upper()}{rest[1:]}"] if rest else []
    for heading, keys in key_groups(screen):
        lines += ["", heading, *(f"  {key.keys:<{_KEYS}} {key.what}" for key in keys)]
    return HelpScreen(f"Help: {title}" if title else "Help", [*lines, "", *_LEGEND])


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
