"""The help dialog: what the pane is, and every key that works there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from vmci_tui.common.safe_text import visible
from vmci_tui.settings.settings import config_file
from vmci_tui.tui.bindings import bind, key_name
from vmci_tui.tui.widgets.dialogs import LinesDialog

_KEYS = 16
"""Cells for the keys."""


class KeyHelp(NamedTuple):
    """Keys with the same action, and its description."""

    keys: str
    what: str


class HelpScreen(LinesDialog):
    """The keys of the focused pane first, then those of the screen, then those of the whole app."""

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


def help_of(screen: Screen[object], settings: bool = True) -> HelpScreen:
    """Return the help for the focused widget; `settings` says whether it describes the settings file."""
    focused = screen.focused
    about = getattr(focused, "about", "") or getattr(screen, "about", "")
    title, _, rest = str(about).partition(": ")
    lines = [f"{rest[:1].upper()}{rest[1:]}"] if rest else []
    for heading, keys in key_groups(screen):
        lines += ["", heading, *(f"  {key.keys:<{_KEYS}} {key.what}" for key in keys)]
    if settings:
        lines += ["", "Settings", f"  An example for {visible(str(config_file()))}, with the current keys:"]
        example = 'theme = "nord"', "blink = false", "[readers]", 'crash = "8.0.6"', "[keymap]"
        lines += [f"  {line}" for line in (*example, *keymap(screen))]
    return HelpScreen(f"{title or 'Help'}: what it is, and its keys", lines)


def key_groups(screen: Screen[object]) -> list[tuple[str, list[KeyHelp]]]:
    """Return every key that works now, also those that the footer hides, by the scope of the key."""
    names = {"Here": 0, "On this screen": 1, "Everywhere": 2}
    groups: list[dict[tuple[str, str], list[str]]] = [{}, {}, {}]
    moves: set[tuple[str, str]] = set()
    app = screen.app
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        words = tooltip or binding.description
        if not enabled or not words or binding.system:
            continue
        number = 2 if isinstance(node, App) else 1 if isinstance(node, Screen) else 0
        shown = key_name(app.get_key_display(binding))
        keys = groups[number].setdefault((binding.action, words), [])
        if not tooltip:
            moves.add((binding.action, words))
        if shown not in keys:
            keys.append(shown)
    out = []
    for name, number in names.items():
        # Keys without a tooltip move the cursor; they come last, because everybody tries them anyway.
        found = sorted(groups[number].items(), key=lambda item: item[0] in moves)
        if found:
            out.append((name, [KeyHelp(" ".join(keys), words) for (_, words), keys in found]))
    return out


def keymap(screen: Screen[object]) -> Iterator[str]:
    """Yield a line of TOML with id and keys for each binding that works now."""
    keys: dict[str, list[str]] = {}
    for _, binding, _, _ in screen.active_bindings.values():
        if binding.id:
            keys.setdefault(binding.id, []).append(binding.key)
    for name, names in keys.items():
        yield f'"{name}" = "{",".join(names)}"'
