"""All bindings: as the commands of the palette, and their ids, which the settings name."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from vmci_tui.tui.bindings import group_of, key_name
from vmci_tui.tui.host import host
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.panes.pane_table import PANES
from vmci_tui.tui.prompts import say
from vmci_tui.tui.reports.report_screen import ReportScreen, cpus_report, lines_report
from vmci_tui.tui.screens.help_screen import settings_example
from vmci_tui.tui.widgets.dialogs import TextDialog

if TYPE_CHECKING:
    from textual.app import App

    from vmci_tui.tui.session import Session

_WORD: Final = re.compile(r"[a-z0-9]+")
_SYNONYMS: Final = {
    "repair": "fix mend heal crash unknown",
    "leave": "exit close",
    "undo": "back revert",
    "redo": "again",
    "next_change": "diff unsaved modified",
    "picture": "screenshot image",
    "toggle_keys": "help manual legend shortcuts",
    "find": "search candidates",
    "save": "write export",
    "append": "insert new",
    "strip": "delete",
    "matrix": "compare table",
    "readers": "crash drgn check why",
    "memory": "ram physical",
    "log": "dmesg console",
    "commands": "shell script",
    "lessons": "learn tutorial course",
    "craft": "bench faults",
}
"""Other words for actions."""


def commands(app: App[None], screen: Screen[object]) -> Iterator[SystemCommand]:
    """Yield the actions at the focus, then those of the other panes, which move the focus first."""
    seen: set[str] = set()
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if enabled and binding.id and tooltip and binding.action not in seen:
            seen.add(binding.action)
            yield _command(app, binding, tooltip, partial(app.run_action, binding.action, node))
    yield from _more_commands(app, screen)
    if not isinstance(screen, MainScreen):
        return
    for pane in PANES:
        if not pane.fits(screen.document):
            continue
        widget = screen.query_one(f"#{pane.name}")
        for item in widget.BINDINGS:
            if isinstance(item, Binding) and item.id and item.tooltip and item.action not in seen:
                seen.add(item.action)
                run = partial(_in_pane, screen, widget, item.action)
                yield _command(app, item, item.tooltip, run)


def _more_commands(app: App[None], screen: Screen[object]) -> Iterator[SystemCommand]:
    """Yield the commands that have no key."""

    def show(title: str, lines: Iterable[str]) -> None:
        app.push_screen(TextDialog(title, lines))

    if host(app).allowed is None:  # a user in a browser must not see paths of this machine
        settings = partial(show, "An example of the settings file", settings_example(screen))
        yield SystemCommand("Settings: an example with the names of keys", "keymap toml config", settings)
    messages = partial(show, "Messages, the newest first", tuple(reversed(host(app).messages)) or ("none so far",))
    yield SystemCommand("Messages: read them again", "history errors", messages)
    if isinstance(screen, MainScreen) and screen.document.dump is not None:
        yield from _reports(app, screen.session)
        for title, synonyms, words in _SHELL:
            yield SystemCommand(title, synonyms, partial(_copy_command, screen, words))
    theme = "Theme: choose other colours, such as high contrast"
    yield SystemCommand(theme, "colors dark light", app.action_change_theme)


_SHELL: Final = (
    (
        "Convert: copy `vmci convert FILE -o OUT`, which makes an ELF dump of a memory image or a running VM",
        "dump elf stream image virsh save shell",
        "convert SOURCE -o COPY",
    ),
    (
        "Symbols: copy `vmci symbols FILE`, which prints the kernel's own table of them",
        "kallsyms system.map shell",
        "symbols FILE",
    ),
    (
        "Cut: copy `vmci cut FILE -o OUT`, which writes a small dump of only what matters, to be mailed",
        "small mail share send private mask shrink shell",
        "cut FILE -o CUT --mask",
    ),
)
"""Commands of the shell that have no screen here: title, synonyms, words."""


def _reports(app: App[None], session: Session) -> Iterator[SystemCommand]:
    """Yield the reports of what the kernel left in memory."""

    def show(make: Callable[[Session], ReportScreen]) -> None:
        app.push_screen(make(session))

    cpus = "CPUs: where each was in the kernel, and which one panicked  (vmci cpus)"
    yield SystemCommand(cpus, "cores processors registers stack backtrace", partial(show, cpus_report))
    lines = "Prove: what the kernel's own tables say of each line of the note  (vmci prove)"
    yield SystemCommand(lines, "proof confirm contradict symbols types btf kallsyms", partial(show, lines_report))


def _copy_command(screen: MainScreen, command: str) -> None:
    """Copy the command for the open file, and say so."""
    words = screen.session.shell_words(command).removeprefix("$ ")
    if words:
        screen.app.copy_to_clipboard(words)
        say(screen, f"copied, for a shell: {words}")
    else:
        say(screen, f"vmci {command.split()[0]} reads the file: save the edits first", "warning")


def _in_pane(screen: MainScreen, widget: Widget, action: str) -> None:
    screen.action_pane(widget.id or "")
    screen.call_after_refresh(widget.run_action, action)


def _command(app: App[None], binding: Binding, words: str, run: object) -> SystemCommand:
    """Return the command for a binding, with the key from the user's settings if they have one."""
    assert callable(run)
    key = host(app).settings.keymap.get(binding.id or "", binding.key).split(",")[0]
    shown = key_name(app.get_key_display(replace(binding, key=key)))
    synonyms = f"{binding.description} {_SYNONYMS.get(binding.action.rpartition('.')[2], '')}"
    return SystemCommand(f"{group_of(binding.action)}: {words}  ({shown})", synonyms, run)


class CommandProvider(Provider):
    """Finds the commands of the screen: one line each, by group; the help of a command has words that find it too."""

    async def discover(self) -> Hits:
        for command in sorted(self.app.get_system_commands(self.screen)):
            yield DiscoveryHit(Content(command.title), command.callback, text=command.title)

    async def search(self, query: str) -> Hits:
        for command in self.app.get_system_commands(self.screen):
            if fits := fitness(query, command.title, command.help):
                yield Hit(fits, Content(command.title), command.callback, text=command.title)


def fitness(query: str, title: str, synonyms: str) -> float:
    """Return how well a command fits what was typed, at most 1; 0 if a typed word begins no word of the command."""
    wanted, own, more = (_WORD.findall(text.lower()) for text in (query, title, synonyms))
    fits = 0.0
    for word in wanted:
        if any(item.startswith(word) for item in own):
            fits += 1
        elif any(item.startswith(word) for item in more):
            fits += 0.9
        else:
            return 0
    return fits / len(wanted) if wanted else 0


def unknown_ids(names: Iterable[str]) -> list[str]:
    """Return the names that are not ids of bindings, sorted; import all screens if some are not known yet."""
    wanted = set(names) - set(_loaded())
    if wanted:
        for module in pkgutil.walk_packages(importlib.import_module("vmci_tui.tui").__path__, "vmci_tui.tui."):
            importlib.import_module(module.name)
        wanted -= set(_loaded())
    return sorted(wanted)


def _loaded(base: type[DOMNode] = DOMNode) -> Iterator[str]:
    """Yield the ids of all imported classes."""
    yield from (item.id for item in base.__dict__.get("BINDINGS", ()) if isinstance(item, Binding) and item.id)
    for node in base.__subclasses__():
        yield from _loaded(node)
