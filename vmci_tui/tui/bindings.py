"""Key bindings: each has an id, by which the settings change its keys, and most have a help text."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from textual.binding import Binding
from textual.dom import DOMNode


def bind(keys: str, action: str, label: str, tip: str, show: bool = True) -> Binding:
    """Return a pane's binding, whose id is its action."""
    return Binding(keys, action, label, tooltip=tip, id=action, show=show)


def moves(what: str) -> tuple[Binding, ...]:
    """Return the keys that move and duplicate a line or a note; the footer hides them."""
    return (
        Binding("K,shift+up", f"move_{what}(-1)", "Up", tooltip=f"Move the {what} up", id=f"{what}.up", show=False),
        Binding(
            "J,shift+down", f"move_{what}(1)", "Down", tooltip=f"Move the {what} down", id=f"{what}.down", show=False
        ),
        bind("D", f"duplicate_{what}", "Duplicate", f"Duplicate the {what}", show=False),
    )


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
