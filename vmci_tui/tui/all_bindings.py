"""All bindings: as the commands of the palette, and their ids, which the settings name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from vmci_tui.tui.bindings import key_name
from vmci_tui.tui.host import host
from vmci_tui.tui.main_screen import MainScreen
from vmci_tui.tui.panes.panes import PANES

if TYPE_CHECKING:
    from textual.app import App


def commands(app: App[None], screen: Screen[object]) -> Iterator[SystemCommand]:
    """Yield the actions at the focus, then those of the other panes, which move the focus first."""
    seen: set[str] = set()
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if enabled and binding.id and tooltip and binding.action not in seen:
            seen.add(binding.action)
            yield _command(app, binding, tooltip, "here", partial(app.run_action, binding.action, node))
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
                yield _command(app, item, item.tooltip, f"in the pane {pane.name}", run)


def _in_pane(screen: MainScreen, widget: Widget, action: str) -> None:
    screen.action_pane(widget.id or "")
    screen.call_after_refresh(widget.run_action, action)


def _command(app: App[None], binding: Binding, words: str, where: str, run: object) -> SystemCommand:
    """Return the command for a binding, with the key from the user's settings if they have one."""
    assert callable(run)
    key = host(app).settings.keymap.get(binding.id or "", binding.key).split(",")[0]
    shown = key_name(app.get_key_display(replace(binding, key=key)))
    return SystemCommand(f"{binding.description} - {words} ({shown})", where, run)


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
